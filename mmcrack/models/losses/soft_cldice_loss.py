"""Soft Dice and soft clDice of crack: shell over the equations."""

from torch import Tensor

from mmcrack.functional.cldice import cldice_loss
from mmcrack.functional.dice import soft_dice_loss
from mmcrack.models.losses.binary_loss import BinaryLoss
from mmcrack.registry import MODELS


@MODELS.register_module()
class SoftClDiceLoss(BinaryLoss):
    """``(1 - alpha)`` soft Dice + ``alpha`` soft clDice: Shit et al. 2021.

    A row of CIRL Table 3. See :func:`mmcrack.functional.cldice.cldice_loss`.
    All pixels of the batch stand in one sum, as in the authors' code.

    ``iterations`` must reach the largest half-width of a crack, in pixels of
    the training images: wider cracks have no skeleton and add nothing,
    without a warning. At full resolution 10 is enough for CFD (widths to 20
    pixels), not for DeepCrack's widest (86), and far from enough for
    Crack500's (208): train those at a lower resolution, or accept it.

    Memory: for the gradient each iteration keeps 52 bytes per pixel; with 10
    of them 145 MiB were counted for an image of 512 x 512 pixels.

    Args:
        alpha (float): Share of clDice, in [0, 1].
        iterations (int): Erosions, >= 0.
        smooth (float): Added above and below each quotient, > 0.
        crack_class (int): Class index of crack.
        loss_weight (float): Factor.
        loss_name (str): Key in the log.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(self, alpha: float = 0.5, iterations: int = 10,
                 smooth: float = 1., *, crack_class: int = 1,
                 loss_weight: float = 1.,
                 loss_name: str = 'loss_cldice') -> None:
        super().__init__(
            crack_class=crack_class, loss_weight=loss_weight,
            loss_name=loss_name)
        if not 0 <= alpha <= 1:
            raise ValueError(f'alpha must be between 0 and 1, got {alpha}.')
        if iterations < 0 or smooth <= 0:
            raise ValueError(
                'iterations must be at least 0 and smooth above 0, got '
                f'{iterations} and {smooth}.')
        self.alpha = alpha
        self.iterations = iterations
        self.smooth = smooth

    def reduced(self, logit: Tensor, target: Tensor, valid: Tensor,
                weight: Tensor) -> Tensor:
        """Return the loss of the batch; see :class:`BinaryLoss`."""
        prob = logit.sigmoid().masked_fill(~valid, 0)
        dice = soft_dice_loss(
            prob, target, weight, smooth=self.smooth, squared=False)
        lines = cldice_loss(
            prob, target, weight, iterations=self.iterations,
            smooth=self.smooth)
        return (1 - self.alpha) * dice + self.alpha * lines
