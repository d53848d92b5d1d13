"""Student's t as the noise of a segmentation: Gonzalez-Jimenez et al. 2023."""

import math

import torch
from torch import Tensor


def student_t_nll(distance: Tensor, size: Tensor, log_nu: Tensor) -> Tensor:
    """Return the negative log-likelihood of images under Student's t.

    Gonzalez-Jimenez et al. 2023 (MICCAI), "Robust T-Loss", with the
    identity as scale matrix: with ``nu`` degrees of freedom, ``D`` pixels
    and the squared distance ``d`` of prediction and truth,
    ``-lgamma((nu + D) / 2) + lgamma(nu / 2) + D / 2 log(pi nu) +
    (nu + D) / 2 log(1 + d / nu)``. All of it is in float64: float32 has
    steps of 0.03 at the log-gamma of 256 x 256 pixels.

    Args:
        distance (Tensor): Float, (N,), squared, >= 0.
        size (Tensor): Float, (N,), pixels that count, > 0.
        log_nu (Tensor): Float, a scalar, logarithm of ``nu``.

    Returns:
        Tensor: Float64, (N,); may be negative.

    Example:
        For d = 0.62, D = 6 and nu = 1 it is 4.494073.
    """
    distance, size = distance.double(), size.double()
    log_nu = log_nu.double()
    nu = log_nu.exp()
    half = (nu + size) / 2
    return (torch.lgamma(nu / 2) - torch.lgamma(half) +
            size / 2 * (math.log(math.pi) + log_nu) +
            half * torch.log1p(distance / nu))
