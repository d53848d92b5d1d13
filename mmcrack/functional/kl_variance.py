"""Variance by the Kullback-Leibler divergence: He et al. 2019, CIRL's [17]."""

import torch
from torch import Tensor


def kl_variance_loss(prob: Tensor, target: Tensor,
                     log_var: Tensor) -> Tensor:
    """Return the KL divergence of a Gaussian from a point, for each pixel.

    He et al. 2019 (CVPR), Eq. 9 and 10, without constants: with the error
    ``e`` and ``a = log_var``, ``exp(-a) e^2 / 2 + a / 2`` for ``|e| <= 1``
    and ``exp(-a) (|e| - 1/2) + a / 2`` beyond. CIRL compares Aseg with it
    (Figure 2). It has no lower bound: where ``e`` is 0 the variance goes to
    0 and the loss to minus infinity.

    Args:
        prob (Tensor): Float, any shape, crack probability in [0, 1].
        target (Tensor): Of the same shape, {0, 1}.
        log_var (Tensor): Float, of the same shape.

    Returns:
        Tensor: Float, of the same shape.

    Example:
        For an error of 0.3 it is 0.045 at the log-variance 0 and -0.667492
        at -2.
    """
    error = (prob - target).abs()
    distance = torch.where(error <= 1, error**2 / 2, error - 0.5)
    return (-log_var).exp() * distance + log_var / 2
