"""Bring images to a size that a network can halve, and maps back again."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor


def pad_to_multiple(x: Tensor, divisor: int) -> Tensor:
    """Repeat the last row and column until a network can halve the size.

    Args:
        x (Tensor): Float, (N, C, H, W).
        divisor (int): What height and width must be a multiple of.

    Returns:
        Tensor: (N, C, H', W') with ``x`` in its upper left corner; ``x``
        itself where it fits.
    """
    below, right = (-size % divisor for size in x.shape[-2:])
    if below == 0 and right == 0:
        return x
    return F.pad(x, (0, right, 0, below), mode='replicate')


def crop_to(x: Tensor, size: Sequence[int]) -> Tensor:
    """Cut off what lies below and right of a size.

    Args:
        x (Tensor): (N, C, H, W).
        size (Sequence[int]): Height and width, at most those of ``x``.

    Returns:
        Tensor: (N, C, ``size``).
    """
    return x[..., :size[0], :size[1]]
