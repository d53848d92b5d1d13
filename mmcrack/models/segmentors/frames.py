"""One photograph in several frames: padded, reduced, on a coarse grid."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmcrack.functional.points import pixel_points, point_sample

#: Top, bottom, left, right: rows [top, bottom), columns [left, right).
Box = tuple[int, int, int, int]


def resized(x: Tensor, size: Sequence[int]) -> Tensor:
    """Bilinearly resize (N, C, h, w), antialiased where it shrinks."""
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    shrinks = size[0] < x.shape[-2] or size[1] < x.shape[-1]
    return F.interpolate(
        x.float(), tuple(size), mode='bilinear', align_corners=False,
        antialias=shrinks).to(x.dtype)


def inside_padding(meta: dict, size: Sequence[int]) -> Box:
    """Return top, bottom, left, right of an image inside its padding."""
    left, right, top, bottom = meta.get(
        'img_padding_size', meta.get('padding_size', (0, 0, 0, 0)))
    return top, size[0] - bottom, left, size[1] - right


def photograph_edge(meta: dict, size: Sequence[int]) -> float:
    """Return the long edge of the photograph that a crop was cut from."""
    height, width = meta.get('ori_shape', size)[:2]
    across, down = meta.get('scale_factor') or (1., 1.)
    return max(height * down, width * across)


def renormalised(images: Tensor, own: nn.Module,
                 theirs: nn.Module) -> Tensor:
    """Turn images as one preprocessor left them into another one's.

    Args:
        images (Tensor): Float, (N, 3, H, W).
        own (nn.Module): MMEngine's preprocessor that normalised them.
        theirs (nn.Module): The one that the coarse network expects.

    Returns:
        Tensor: Float, (N, 3, H, W), of the same type.
    """
    swap = (getattr(own, '_channel_conversion', False)
            != getattr(theirs, '_channel_conversion', False))
    nothing = images.new_zeros(()), images.new_ones(())
    (mean, std), (new_mean, new_std) = (
        (part.mean, part.std) if getattr(part, '_enable_normalize', False)
        else nothing for part in (own, theirs))
    same = (mean.shape == new_mean.shape and torch.equal(mean, new_mean)
            and torch.equal(std, new_std))
    if same and not swap:
        return images
    dtype = images.dtype
    images = images * std + mean
    if swap:
        images = images.flip(1)
    return ((images - new_mean) / new_std).to(dtype)


def with_channels(logits: Tensor, channels: int) -> Tensor:
    """Turn (N, K, h, w) of one (sigmoid) or two channels into the other."""
    if logits.shape[1] == channels:
        return logits
    if channels == 1:
        return logits[:, 1:] - logits[:, :1]
    return torch.cat([torch.zeros_like(logits), logits], dim=1)


def placed(logits: Tensor, box: Box, size: Sequence[int],
            grid: Sequence[int]) -> Tensor:
    """Resample logits of the part ``box`` of an image to a grid over it all.

    Args:
        logits (Tensor): (1, K, h, w).
        box (Box): Top, bottom, left, right in the image.
        size (Sequence[int]): (H, W) of the image.
        grid (Sequence[int]): (h', w').

    Returns:
        Tensor: (1, K, h', w').
    """
    inside = box[1] - box[0], box[3] - box[2]
    if inside == tuple(size):
        return resized(logits, grid)
    # Antialiasing first: single points know nothing of their surroundings.
    share = [min(have, math.ceil(part * cells / whole)) for
             have, part, cells, whole in zip(
                 logits.shape[-2:], inside, grid, size, strict=True)]
    logits = resized(logits, share)
    index = torch.arange(grid[0] * grid[1], device=logits.device)
    points = pixel_points(index, grid)
    scale = points.new_tensor([size[1] / inside[1], size[0] / inside[0]])
    start = points.new_tensor([box[2] / inside[1], box[0] / inside[0]])
    points = points * scale - start
    return point_sample(logits, points[None]).unflatten(2, tuple(grid))


def in_frame(logits: Tensor, box: Box, size: Sequence[int]) -> Tensor:
    """Resize (1, K, h, w) to the part ``box`` of an image; 0 around it."""
    logits = resized(logits, (box[1] - box[0], box[3] - box[2]))
    return F.pad(logits, (box[2], size[1] - box[3], box[0],
                          size[0] - box[1]))
