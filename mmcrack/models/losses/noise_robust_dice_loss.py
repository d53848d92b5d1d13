"""Noise-robust Dice loss of crack: shell over the equation."""

from torch import Tensor

from mmcrack.functional.dice import noise_robust_dice_loss
from mmcrack.models.losses.binary_loss import BinaryLoss
from mmcrack.registry import MODELS

DENOMINATORS = ('squared', 'linear')


@MODELS.register_module()
class NoiseRobustDiceLoss(BinaryLoss):
    """Noise-robust Dice: Wang et al. 2020, a row of CIRL Table 3.

    See :func:`mmcrack.functional.dice.noise_robust_dice_loss`. All pixels of
    the batch stand in one sum, so that images without crack count as
    background beside others.

    Args:
        gamma (float): In [1, 2]: 1.5 is the paper's; 2 with the squared
            denominator is V-Net's Dice loss.
        denominator (str): 'squared', the paper; or 'linear', the authors'
            code.
        empty (str): Denominator of a batch without a crack pixel. Not in
            the paper: the squared one would teach cracks there.
        eps (float): Added to the denominator, > 0.
        crack_class (int): Class index of crack.
        loss_weight (float): Factor.
        loss_name (str): Key in the log.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(self, gamma: float = 1.5, *, denominator: str = 'squared',
                 empty: str = 'linear', eps: float = 1e-5,
                 crack_class: int = 1, loss_weight: float = 1.,
                 loss_name: str = 'loss_nr_dice') -> None:
        super().__init__(
            crack_class=crack_class, loss_weight=loss_weight,
            loss_name=loss_name)
        if not 1 <= gamma <= 2:
            raise ValueError(f'gamma must be between 1 and 2, got {gamma}.')
        for name, value in (('denominator', denominator), ('empty', empty)):
            if value not in DENOMINATORS:
                raise ValueError(
                    f'{name} must be one of {DENOMINATORS}, got {value!r}.')
        if eps <= 0:
            raise ValueError(f'eps must be above 0, got {eps}.')
        self.gamma = gamma
        self.denominator = denominator
        self.empty = empty
        self.eps = eps

    def reduced(self, logit: Tensor, target: Tensor, valid: Tensor,
                weight: Tensor) -> Tensor:
        """Return the loss of the batch; see :class:`BinaryLoss`."""
        kind = self.denominator
        if not bool((weight * target).any()):
            kind = self.empty
        return noise_robust_dice_loss(
            logit.sigmoid(), target, weight, gamma=self.gamma,
            squared=kind == 'squared', eps=self.eps)
