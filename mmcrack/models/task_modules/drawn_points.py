"""Points of a sampler, and what each of them stands for, to look at."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmcrack.functional.points import label_at, sample_region_points
from mmcrack.functional.regions import crack_regions
from mmcrack.models.task_modules.point_samplers import BoundaryPointSampler


def perfect_logits(label: Tensor, *, stride: int) -> Tensor:
    """Return the coarse logits of a network that makes no error.

    Args:
        label (Tensor): int64, (1, H, W) of {0, 1, 255}.
        stride (int): Side of the squares over which it is averaged.

    Returns:
        Tensor: Float32, (1, 1, ceil(H / stride), ceil(W / stride)).
    """
    crack = (label == 1).float()[:, None]
    share = F.avg_pool2d(
        crack, stride, ceil_mode=True, count_include_pad=False)
    return torch.logit(share, eps=1e-3)


def draw_with_regions(sampler: nn.Module, label: Tensor, logits: Tensor, *,
                      seed: int) -> tuple[Tensor, Tensor]:
    """Draw points with a sampler and say what they stand for.

    Args:
        sampler (nn.Module): A registered point sampler.
        label (Tensor): int64, (1, H, W) of {0, 1, 255}.
        logits (Tensor): Float, (1, K, h, w), coarse prediction.
        seed (int): Of the points.

    Returns:
        tuple[Tensor, Tensor]: Points (1, P, 2) and their regions (1, P): for
        a boundary sampler the region each was drawn for, otherwise the one
        in which it lies.

    Raises:
        RuntimeError: If the sampler draws other points than its function.
    """
    points = sampler(
        label, logits, generator=torch.Generator().manual_seed(seed))
    if not isinstance(sampler, BoundaryPointSampler):
        return points, regions_at(label, points, dilation=2)
    again, regions = sample_region_points(
        label,
        points.shape[1],
        ratios=sampler.ratios,
        dilation=sampler.dilation,
        body_mode=sampler.body_mode,
        generator=torch.Generator().manual_seed(seed))
    if not torch.equal(points, again):
        raise RuntimeError(
            'sample_region_points draws other points than '
            f'{type(sampler).__name__}: the picture would not be true.')
    return points, regions


def regions_at(label: Tensor, points: Tensor, *, dilation: int) -> Tensor:
    """Return the region in which each point lies.

    Args:
        label (Tensor): int64, (1, H, W) of {0, 1, 255}.
        points (Tensor): Float, (1, P, 2), (x, y) in [0, 1].
        dilation (int): Of the boundary band.

    Returns:
        Tensor: int64, (1, P) of {-1, 0, 1, 2}.
    """
    return label_at(crack_regions(label, dilation=dilation), points)
