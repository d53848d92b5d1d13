"""Losses that teach a variance for each pixel: shells over the equations."""

import math
from abc import abstractmethod

from torch import Tensor, nn

from mmcrack.functional.aseg import aseg_loss
from mmcrack.functional.kl_variance import kl_variance_loss
from mmcrack.registry import MODELS

REDUCTIONS = ('mean', 'sum', 'none')


class VarianceLoss(nn.Module):
    """Base of losses of a prediction with a variance.

    Args:
        reduction (str): 'mean' over the pixels that are not ignored; 'sum'
            over the pixels of an image (as CIRL Eq. 3 is written), averaged
            over the batch; 'none'.
        loss_weight (float): Factor.
        loss_name (str): Key in the log; with 'loss' in it it is trained on.

    Raises:
        ValueError: If ``reduction`` is unknown.
    """

    def __init__(self, *, reduction: str, loss_weight: float,
                 loss_name: str) -> None:
        super().__init__()
        if reduction not in REDUCTIONS:
            raise ValueError(
                f'reduction must be one of {REDUCTIONS}, got {reduction!r}.')
        self.reduction = reduction
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    @abstractmethod
    def loss_map(self, prob: Tensor, target: Tensor,
                 log_var: Tensor) -> Tensor:
        """Return the loss of each pixel, float (N, H, W)."""

    def forward(self, prob: Tensor, seg_label: Tensor,
                log_var: Tensor | None = None, *,
                weight: Tensor | None = None,
                ignore_index: int = 255) -> Tensor:
        """Return the weighted loss.

        Args:
            prob (Tensor): Float, (N, H, W), the prediction; float32 or
                float64, also inside autocast.
            seg_label (Tensor): Int64, (N, H, W) of {0, 1,
                ``ignore_index``}.
            log_var (Tensor): Float, (N, H, W), log of the variance.
            weight (Tensor, optional): Float, (N, H, W).
            ignore_index (int): Label of pixels that do not count.

        Returns:
            Tensor: A scalar; (N, H, W) without reduction, 0 where ignored.
            Over no pixel at all it is 0 and keeps the graph.

        Raises:
            TypeError: If there is no variance: the loss stands where a
                network's plain loss belongs.
        """
        if log_var is None:
            raise TypeError(
                f'{type(self).__name__} needs a predicted variance, which '
                'an ordinary head has not: wrap the head in '
                'mmcrack.CIRLHead and give the loss as its loss_aseg, not '
                'as loss_decode.')
        valid = seg_label != ignore_index
        loss = self.loss_map(prob, (seg_label == 1).to(prob), log_var)
        loss = loss.masked_fill(~valid, 0)
        if weight is not None:
            loss = loss * weight
        if self.reduction == 'mean':
            loss = loss.sum() / valid.sum().clamp(min=1)
        elif self.reduction == 'sum':
            loss = loss.sum() / max(len(loss), 1)
        return self.loss_weight * loss


@MODELS.register_module()
class AsegLoss(VarianceLoss):
    """Ambiguity-aware segmentation loss: CIRL Eq. 3 and 7.

    See :func:`mmcrack.functional.aseg.aseg_loss`. The paper sums over the
    pixels; 'mean' is the default because other losses beside it are means.
    Adam's step hardly depends on the scale of a loss but its coupled weight
    decay does.

    Args:
        variance_offset (float): The paper's lambda, > 0.
        max_variance (float, optional): Variances above count as it, without
            a gradient, so that no pixel is given up: its weight in the loss
            of the mask stays at least ``variance_offset / (variance_offset
            + max_variance)``. Not in the paper.
        reduction (str): See :class:`VarianceLoss`.
        loss_weight (float): Factor.
        loss_name (str): Key in the log.

    Raises:
        ValueError: If ``variance_offset`` or ``max_variance`` is not
            positive or ``reduction`` is unknown.
    """

    def __init__(self, variance_offset: float = 0.3, *,
                 max_variance: float | None = None,
                 reduction: str = 'mean', loss_weight: float = 1.,
                 loss_name: str = 'loss_aseg') -> None:
        super().__init__(
            reduction=reduction, loss_weight=loss_weight,
            loss_name=loss_name)
        if variance_offset <= 0:
            raise ValueError(
                f'variance_offset must be above 0, got {variance_offset}.')
        if max_variance is not None and max_variance <= 0:
            raise ValueError(
                f'max_variance must be None or above 0, got {max_variance}.')
        self.variance_offset = variance_offset
        self.max_log_var = (None if max_variance is None else
                            math.log(max_variance))

    def loss_map(self, prob: Tensor, target: Tensor,
                 log_var: Tensor) -> Tensor:
        """Return Eq. 7 before the sum."""
        if self.max_log_var is not None:
            log_var = log_var.clamp(max=self.max_log_var)
        return aseg_loss(
            prob, target, log_var, variance_offset=self.variance_offset)


@MODELS.register_module()
class KLVarianceLoss(VarianceLoss):
    """KL loss of He et al. 2019, the row that CIRL compares Aseg with.

    See :func:`mmcrack.functional.kl_variance.kl_variance_loss`.

    Args:
        min_log_var (float): Log-variances below count as it, without a
            gradient: the loss has no lower bound otherwise. Not in the
            paper; -6.9 is a variance of 0.001.
        reduction (str): See :class:`VarianceLoss`.
        loss_weight (float): Factor.
        loss_name (str): Key in the log.

    Raises:
        ValueError: If ``reduction`` is unknown.
    """

    def __init__(self, min_log_var: float = -6.9, *,
                 reduction: str = 'mean', loss_weight: float = 1.,
                 loss_name: str = 'loss_kl') -> None:
        super().__init__(
            reduction=reduction, loss_weight=loss_weight,
            loss_name=loss_name)
        self.min_log_var = min_log_var

    def loss_map(self, prob: Tensor, target: Tensor,
                 log_var: Tensor) -> Tensor:
        """Return the divergence of each pixel."""
        return kl_variance_loss(
            prob, target, log_var.clamp(min=self.min_log_var))
