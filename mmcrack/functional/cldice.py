"""Overlap of centre lines: Shit et al. 2021 (CVPR), "clDice"."""

import torch
import torch.nn.functional as F
from torch import Tensor


def soft_erode(image: Tensor) -> Tensor:
    """Return the minimum over each pixel and its four neighbours.

    Args:
        image (Tensor): Float, (N, H, W). Beyond the border nothing counts.

    Returns:
        Tensor: Float, (N, H, W).
    """
    upside_down = -image[:, None]
    column = -F.max_pool2d(upside_down, (3, 1), 1, (1, 0))
    row = -F.max_pool2d(upside_down, (1, 3), 1, (0, 1))
    return torch.minimum(column, row)[:, 0]


def soft_dilate(image: Tensor) -> Tensor:
    """Return the maximum over 3 x 3 pixels.

    Args:
        image (Tensor): Float, (N, H, W). Beyond the border nothing counts.

    Returns:
        Tensor: Float, (N, H, W).
    """
    return F.max_pool2d(image[:, None], 3, 1, 1)[:, 0]


def soft_skeleton(image: Tensor, *, iterations: int) -> Tensor:
    """Return a skeleton that has a gradient.

    Shit et al. 2021, Algorithm 1: what an opening takes away is collected
    while the image is eroded again and again. A line whose half-width is
    above ``iterations`` + 1 pixels leaves nothing (no warning is possible:
    the sums downstream are merely 0). For its gradient each iteration keeps
    52 bytes per pixel in memory.

    Args:
        image (Tensor): Float, (N, H, W), in [0, 1].
        iterations (int): Erosions, >= 0; at least the largest half-width in
            pixels.

    Returns:
        Tensor: Float, (N, H, W), in [0, 1].

    Example:
        A bar of 3 x 10 pixels leaves the inner 8 pixels of its middle row
        after one iteration, and nothing after none.
    """
    eroded = soft_erode(image)
    skeleton = F.relu(image - soft_dilate(eroded))
    for _ in range(iterations):
        image, eroded = eroded, soft_erode(eroded)
        extra = F.relu(image - soft_dilate(eroded))
        skeleton = skeleton + F.relu(extra - skeleton * extra)
    return skeleton


def cldice_loss(prob: Tensor, target: Tensor, weight: Tensor, *,
                iterations: int, smooth: float) -> Tensor:
    """Return one minus the soft clDice of all pixels together.

    Shit et al. 2021, Algorithm 2: the share of the predicted skeleton that
    lies in the truth ("topology precision") and the share of the true
    skeleton that lies in the prediction ("topology sensitivity") give an F1.
    Where both skeletons are empty it is 0 and teaches nothing: the truth is
    empty, or ``iterations`` is too small.

    Args:
        prob (Tensor): Float, (N, H, W), crack probability in [0, 1]; 0 where
            a pixel does not count.
        target (Tensor): Of the same shape, {0, 1}; 0 where a pixel does not
            count.
        weight (Tensor): Float, of the same shape, >= 0: how much a pixel
            counts in each sum.
        iterations (int): See :func:`soft_skeleton`.
        smooth (float): Added above and below, > 0.

    Returns:
        Tensor: A scalar in [0, 1].
    """
    skeleton = weight * soft_skeleton(prob, iterations=iterations)
    with torch.no_grad():
        true_skeleton = weight * soft_skeleton(target, iterations=iterations)
    precision = ((skeleton * target).sum() + smooth) / (
        skeleton.sum() + smooth)
    sensitivity = ((true_skeleton * prob).sum() + smooth) / (
        true_skeleton.sum() + smooth)
    return 1 - 2 * precision * sensitivity / (precision + sensitivity)
