"""Topological loss of crack: shell over persistent homology."""

from collections.abc import Sequence

from mmengine.logging import MessageHub
from torch import Tensor

from mmcrack.functional.persistence import need_gudhi, topological_loss
from mmcrack.models.losses.binary_loss import BinaryLoss
from mmcrack.registry import MODELS


@MODELS.register_module()
class TopologicalLoss(BinaryLoss):
    """Topological loss of TopoNet: Hu et al. 2019, a row of CIRL Table 2.

    See :func:`mmcrack.functional.persistence.topological_loss`. It goes
    beside another loss (the paper's is cross entropy)::

        loss_decode=[
            dict(type='CrossEntropyLoss', avg_non_ignore=True),
            dict(type='mmcrack.TopologicalLoss', start=0.5)]

    It works on the CPU, patch by patch (64 x 64 pixels with gradient: 11 to
    15 ms, measured on one core of a server, gudhi 3.13), and
    needs gudhi (``mmcrack[topology]``). On noise nearly every pixel is
    critical: ``start`` lets the other loss find the cracks first. The
    iteration is read from MMEngine's message hub, where every Runner writes
    it, also after a resume; without a Runner the loss is always on.

    Args:
        patch_size (int): Side of the patches, >= 2, in pixels; 65 in the
            authors' first code.
        start (int | float): First iteration of the loss, counted from 0; or
            a fraction of the schedule, in (0, 1). Before, it is 0.
        dimensions (Sequence[int]): 0 for components, 1 for loops.
        skip_constant (bool): Leave out patches whose truth is only crack or
            only background, as the authors' code does.
        reduction (str): 'mean' over the patches; or 'sum' over the patches
            of an image, averaged over the batch.
        crack_class (int): Class index of crack.
        loss_weight (float): Factor, the paper's lambda: 0.005 to 0.01.
        loss_name (str): Key in the log.

    Raises:
        ImportError: If gudhi is not installed.
        ValueError: If an argument is out of its range.
    """

    def __init__(self, patch_size: int = 64, *, start: int | float = 0,
                 dimensions: Sequence[int] = (0, 1),
                 skip_constant: bool = True, reduction: str = 'mean',
                 crack_class: int = 1, loss_weight: float = 0.005,
                 loss_name: str = 'loss_topo') -> None:
        super().__init__(
            crack_class=crack_class, loss_weight=loss_weight,
            loss_name=loss_name)
        need_gudhi()
        if patch_size < 2:
            raise ValueError(
                f'patch_size must be at least 2, got {patch_size}.')
        if start < 0 or (start > 1 and start != int(start)):
            raise ValueError(
                'start must be a number of iterations of at least 0, or a '
                f'fraction between 0 and 1, got {start}.')
        if not dimensions or not set(dimensions) <= {0, 1}:
            raise ValueError('dimensions must be of 0 (components) and 1 '
                             f'(loops), got {tuple(dimensions)}.')
        if reduction not in ('mean', 'sum'):
            raise ValueError(
                f"reduction must be 'mean' or 'sum', got {reduction!r}.")
        self.patch_size = patch_size
        self.start = start
        self.dimensions = tuple(dimensions)
        self.skip_constant = skip_constant
        self.reduction = reduction

    def reduced(self, logit: Tensor, target: Tensor, valid: Tensor,
                weight: Tensor) -> Tensor:
        """Return the loss of the batch; see :class:`BinaryLoss`."""
        if not self.has_begun():
            return self.nothing(logit)
        total, patches = topological_loss(
            logit.sigmoid().masked_fill(~valid, 0), target, weight,
            patch_size=self.patch_size, dimensions=self.dimensions,
            skip_constant=self.skip_constant)
        return total / (patches if self.reduction == 'mean' else len(logit))

    def has_begun(self) -> bool:
        """Tell whether the present iteration has the loss.

        Returns:
            bool: True without a Runner.
        """
        if not self.start:
            return True
        hub = MessageHub.get_current_instance()
        if 'iter' not in hub.runtime_info:
            return True
        first = self.start
        if 0 < first < 1:
            first = round(first * hub.get_info('max_iters'))
        return hub.get_info('iter') >= first
