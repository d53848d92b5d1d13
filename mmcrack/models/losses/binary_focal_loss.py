"""Focal loss of crack: shell over the equation."""

from torch import Tensor

from mmcrack.functional.cross_entropy import focal_loss
from mmcrack.models.losses.binary_loss import PixelLoss, check_focus
from mmcrack.registry import MODELS


@MODELS.register_module()
class BinaryFocalLoss(PixelLoss):
    """Focal loss: Lin et al. 2017, the row "Focal" of CIRL Table 3.

    See :func:`mmcrack.functional.cross_entropy.focal_loss`. CIRL gives no
    values; these are those of Lin et al., whose detector divides by the
    number of objects where this is a mean over pixels. MMSegmentation's
    ``FocalLoss`` takes one sigmoid for each class and needs compiled ops.

    Args:
        gamma (float): Focus on hard pixels, >= 0; 0 is cross entropy.
        alpha (float, optional): Weight of crack, in [0, 1], against ``1 -
            alpha`` for background; None weighs both by 1.
        reduction (str): 'mean', 'sum' or 'none', see :class:`PixelLoss`.
        crack_class (int): Class index of crack.
        loss_weight (float): Factor.
        loss_name (str): Key in the log.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(self, gamma: float = 2., alpha: float | None = 0.25, *,
                 reduction: str = 'mean', crack_class: int = 1,
                 loss_weight: float = 1.,
                 loss_name: str = 'loss_focal') -> None:
        super().__init__(
            reduction=reduction, crack_class=crack_class,
            loss_weight=loss_weight, loss_name=loss_name)
        check_focus(gamma, alpha)
        self.gamma = gamma
        self.alpha = alpha

    def loss_map(self, logit: Tensor, target: Tensor,
                 valid: Tensor) -> Tensor:
        """Return the focal loss of each pixel."""
        return focal_loss(logit, target, gamma=self.gamma, alpha=self.alpha)
