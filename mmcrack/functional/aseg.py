"""Ambiguity-aware segmentation loss: CIRL, Eq. 3-7."""

import math

import torch
from torch import Tensor


def wasserstein_to_dirac(mean: Tensor, target: Tensor,
                         log_var: Tensor) -> Tensor:
    """Return the squared 2-Wasserstein distance of a Gaussian to a point.

    CIRL Eq. 5: ``(mean - target)^2 + exp(log_var)``.

    Args:
        mean (Tensor): Float, any shape, the mean of the Gaussian.
        target (Tensor): Of the same shape, the point.
        log_var (Tensor): Float, of the same shape, log of the variance.

    Returns:
        Tensor: Float, of the same shape, >= 0.
    """
    return (mean - target)**2 + log_var.exp()


def aseg_loss(prob: Tensor, target: Tensor, log_var: Tensor, *,
              variance_offset: float) -> Tensor:
    """Return the ambiguity-aware segmentation loss of each pixel.

    CIRL Eq. 3 and 7, ``(e^2 + v) / (offset + v)`` with the error ``e`` and
    the variance ``v = exp(log_var)``, before the sum over the image. It is
    evaluated as ``1 - (1 - e^2 / offset) * sigmoid(log(offset) - log_var)``,
    which is the same and never overflows. A variance grows where ``e^2`` is
    above ``offset`` and shrinks elsewhere; where it equals ``offset`` the
    loss is 1 whatever the variance is. The paper does not say what the
    "predicted label" is; only a probability can be compared with its offset
    of 0.3.

    Args:
        prob (Tensor): Float, any shape, crack probability in [0, 1].
        target (Tensor): Of the same shape, {0, 1}.
        log_var (Tensor): Float, of the same shape.
        variance_offset (float): The paper's lambda, > 0.

    Returns:
        Tensor: Float, of the same shape, in [0, max(1, 1 / offset)].

    Raises:
        ValueError: If ``variance_offset`` is not positive.

    Example:
        For ``prob`` 0.5, ``target`` 0, ``log_var`` 0 and the offset 0.3 the
        loss is 1.25 / 1.3 = 0.961538.
    """
    if variance_offset <= 0:
        raise ValueError(
            f'variance_offset must be above 0, got {variance_offset}.')
    error = (prob - target)**2
    weight = torch.sigmoid(math.log(variance_offset) - log_var)
    return 1 - (1 - error / variance_offset) * weight
