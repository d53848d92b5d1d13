"""Cross entropy with weighted classes: shell over the equations."""

from torch import Tensor

from mmcrack.functional.cross_entropy import balance_weights, weighted_bce
from mmcrack.models.losses.binary_loss import PixelLoss
from mmcrack.registry import MODELS


@MODELS.register_module()
class BalancedBCELoss(PixelLoss):
    """Class-balanced or weighted cross entropy of edge detectors.

    Without ``pos_weight`` the classes are balanced by their numbers of
    pixels in the batch, see
    :func:`mmcrack.functional.cross_entropy.balance_weights`: ``neg_scale``
    1.1 is RCF and CrackFormer-II, 1 is HED. A batch without crack then
    teaches nothing. With ``pos_weight`` it is fixed: DeepCrack (Liu et al.
    2019) has 1 / 0.03 in its code, and 1 is plain cross entropy.

    Args:
        neg_scale (float): Factor of the background's weight, > 0; without
            effect where ``pos_weight`` is given.
        pos_weight (float, optional): Weight of crack, > 0, against 1 for
            background; None balances.
        reduction (str): 'mean', 'sum' or 'none', see :class:`PixelLoss`.
        crack_class (int): Class index of crack.
        loss_weight (float): Factor.
        loss_name (str): Key in the log.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(self, neg_scale: float = 1.1,
                 pos_weight: float | None = None, *,
                 reduction: str = 'mean', crack_class: int = 1,
                 loss_weight: float = 1.,
                 loss_name: str = 'loss_balanced_bce') -> None:
        super().__init__(
            reduction=reduction, crack_class=crack_class,
            loss_weight=loss_weight, loss_name=loss_name)
        if neg_scale <= 0 or (pos_weight is not None and pos_weight <= 0):
            raise ValueError(
                'neg_scale and pos_weight must be above 0, got '
                f'{neg_scale} and {pos_weight}.')
        self.neg_scale = neg_scale
        self.pos_weight = pos_weight

    def loss_map(self, logit: Tensor, target: Tensor,
                 valid: Tensor) -> Tensor:
        """Return the weighted cross entropy of each pixel."""
        positive, negative = self.pos_weight, 1.
        if positive is None:
            positive, negative = balance_weights(
                target, valid, neg_scale=self.neg_scale)
        return weighted_bce(
            logit, target, pos_weight=positive, neg_weight=negative)
