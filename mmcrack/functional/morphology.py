"""Binary morphology with square kernels, on the device of the mask.

Not in the papers as formulas: CIRL Eq. 1 and the training points of CBPRN
name dilation and edge detection only as operations.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def dilate(mask: Tensor, *, kernel_size: int) -> Tensor:
    """Dilate with a ``kernel_size`` x ``kernel_size`` square.

    What lies outside the image counts as background.

    Args:
        mask (Tensor): Bool, (N, H, W).
        kernel_size (int): Odd side of the square, in pixels; 1 changes
            nothing.

    Returns:
        Tensor: Bool, (N, H, W).

    Raises:
        ValueError: If ``kernel_size`` is not a positive odd number.
    """
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise ValueError(
            f'kernel_size must be a positive odd number, got {kernel_size}.')
    radius = kernel_size // 2
    if radius == 0 or mask.numel() == 0:
        return mask.clone()
    x = mask[:, None].to(torch.float32)
    # A square is two lines: 2k instead of k^2 comparisons a pixel.
    x = F.max_pool2d(x, (kernel_size, 1), 1, (radius, 0))
    x = F.max_pool2d(x, (1, kernel_size), 1, (0, radius))
    return x[:, 0] > 0


def erode(mask: Tensor, *, kernel_size: int) -> Tensor:
    """Erode with a ``kernel_size`` x ``kernel_size`` square.

    What lies outside the image counts as part of the mask, so the border of
    the image erodes nothing (OpenCV's default).

    Args:
        mask (Tensor): Bool, (N, H, W).
        kernel_size (int): Odd side of the square, in pixels.

    Returns:
        Tensor: Bool, (N, H, W).
    """
    return ~dilate(~mask, kernel_size=kernel_size)
