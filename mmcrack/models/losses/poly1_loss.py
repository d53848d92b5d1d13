"""Poly-1 loss of crack: shell over the equation."""

from torch import Tensor

from mmcrack.functional.cross_entropy import poly1_loss
from mmcrack.models.losses.binary_loss import PixelLoss, check_focus
from mmcrack.registry import MODELS


@MODELS.register_module()
class Poly1Loss(PixelLoss):
    """Poly-1: Leng et al. 2022, the row "Poly" of CIRL Table 3.

    See :func:`mmcrack.functional.cross_entropy.poly1_loss`. CIRL gives no
    values. Leng et al. found 2 for ImageNet and -1 for detection.

    Args:
        epsilon (float): Change of the first coefficient, >= -1; 0 leaves
            the base.
        gamma (float): 0 for cross entropy as the base; 2 with ``alpha`` 0.25
            for the usual focal loss.
        alpha (float, optional): Weight of crack, in [0, 1], against ``1 -
            alpha`` for background; None weighs both by 1.
        reduction (str): 'mean', 'sum' or 'none', see :class:`PixelLoss`.
        crack_class (int): Class index of crack.
        loss_weight (float): Factor.
        loss_name (str): Key in the log.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(self, epsilon: float = 1., *, gamma: float = 0.,
                 alpha: float | None = None, reduction: str = 'mean',
                 crack_class: int = 1, loss_weight: float = 1.,
                 loss_name: str = 'loss_poly1') -> None:
        super().__init__(
            reduction=reduction, crack_class=crack_class,
            loss_weight=loss_weight, loss_name=loss_name)
        check_focus(gamma, alpha)
        if epsilon < -1:
            raise ValueError(
                f'epsilon must be at least -1, got {epsilon}: below, pixels '
                'that are nearly right would be pushed away.')
        self.epsilon = epsilon
        self.gamma = gamma
        self.alpha = alpha

    def loss_map(self, logit: Tensor, target: Tensor,
                 valid: Tensor) -> Tensor:
        """Return the Poly-1 loss of each pixel."""
        return poly1_loss(
            logit, target, epsilon=self.epsilon, gamma=self.gamma,
            alpha=self.alpha)
