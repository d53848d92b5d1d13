"""Dice losses: soft, V-Net's, and the noise-robust one."""

from torch import Tensor


def soft_dice_loss(prob: Tensor, target: Tensor, weight: Tensor, *,
                   smooth: float, squared: bool) -> Tensor:
    """Return the Dice loss of all pixels together.

    ``1 - (2 sum(p y) + smooth) / (sum(p) + sum(y) + smooth)``; Milletari et
    al. 2016 (V-Net) square the terms of the denominator.

    Args:
        prob (Tensor): Float, any shape, crack probability in [0, 1].
        target (Tensor): Of the same shape, {0, 1}.
        weight (Tensor): Float, of the same shape, >= 0: how much a pixel
            counts in each sum; 0 leaves it out.
        smooth (float): Added above and below, > 0 where a batch may be
            empty.
        squared (bool): Square the terms of the denominator.

    Returns:
        Tensor: A scalar in [0, 1].

    Example:
        For prob (0.9, 0.2, 0.6, 0.4, 0.8, 0.1), target (1, 0, 1, 1, 1, 0)
        and smooth 1 it is 0.2; squared and without smooth 0.102990.
    """
    size = (weight * (prob**2 + target)).sum() if squared else (
        weight * (prob + target)).sum()
    return 1 - (2 * (weight * prob * target).sum() + smooth) / (size + smooth)


def noise_robust_dice_loss(prob: Tensor, target: Tensor, weight: Tensor, *,
                           gamma: float, squared: bool,
                           eps: float) -> Tensor:
    """Return the noise-robust Dice loss of all pixels together.

    Wang et al. 2020 (IEEE TMI), "A Noise-Robust Framework ...":
    ``sum(|p - y|^gamma) / (sum(p^2) + sum(y^2) + eps)``. With ``gamma`` 2 it
    is V-Net's Dice loss, with 1 a weighted mean absolute error. The authors'
    code (PyMIC) does not square the denominator.

    On background alone the squared form is ``p^(gamma - 2)`` for a uniform
    ``p``: below 2 it falls while ``p`` grows. The linear form does not.

    Args:
        prob (Tensor): Float, any shape, crack probability in [0, 1].
        target (Tensor): Of the same shape, {0, 1}.
        weight (Tensor): Float, of the same shape, >= 0: how much a pixel
            counts in each sum; 0 leaves it out.
        gamma (float): In [1, 2].
        squared (bool): Square the terms of the denominator (the paper).
        eps (float): Added to the denominator, > 0.

    Returns:
        Tensor: A scalar, >= 0.
    """
    error = (weight * (prob - target).abs()**gamma).sum()
    size = (weight * (prob**2 + target)).sum() if squared else (
        weight * (prob + target)).sum()
    return error / (size + eps)
