"""Points: where CBPRN and PointRend look at a feature map again.

A point is (x, y) in [0, 1] x [0, 1] over the image; the centre of pixel
(column i, row j) of an H x W image lies at ((i + 0.5) / W, (j + 0.5) / H).
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmcrack.functional.regions import (
    BACKGROUND,
    BODY,
    BOUNDARY,
    crack_regions,
)


def point_sample(features: Tensor, points: Tensor, *, mode: str = 'bilinear',
                 padding_mode: str = 'border') -> Tensor:
    """Read a feature map at points.

    Kirillov et al. 2020, section 3.1. Equal to
    ``interpolate(features, size, mode='bilinear')`` read at the centres of
    the pixels of ``size``, without ever building that map.

    Args:
        features (Tensor): Float, (N, C, h, w), of any stride.
        points (Tensor): Float, (N, P, 2), (x, y) in [0, 1].
        mode (str): 'bilinear' or 'nearest'.
        padding_mode (str): What lies beyond the outermost pixel centres:
            'border' (as in ``interpolate``) or 'zeros' (as in the original
            PointRend).

    Returns:
        Tensor: (N, C, P), of the type of ``features`` (float16 and bfloat16
        are interpolated in float32), differentiable with respect to both.
    """
    grid = 2.0 * points[:, :, None] - 1.0
    # Half precision would move points of a large image by whole pixels.
    work = torch.promote_types(features.dtype, torch.float32)
    sampled = F.grid_sample(
        features.to(work),
        grid.to(work),
        mode=mode,
        padding_mode=padding_mode,
        align_corners=False)
    return sampled[..., 0].to(features.dtype)


def pixel_points(index: Tensor, size: Sequence[int]) -> Tensor:
    """Return the points at the centres of pixels.

    Args:
        index (Tensor): Int64, any shape, ``row * W + column``.
        size (Sequence[int]): (H, W) of the image.

    Returns:
        Tensor: Float32, ``(*index.shape, 2)``, (x, y) in (0, 1).
    """
    height, width = size
    x = (index % width + 0.5) / width
    y = (torch.div(index, width, rounding_mode='floor') + 0.5) / height
    return torch.stack([x, y], dim=-1).float()


def points_to_pixels(points: Tensor, size: Sequence[int]) -> Tensor:
    """Return the pixel in which each point lies.

    Args:
        points (Tensor): Float, (N, P, 2), (x, y) in [0, 1].
        size (Sequence[int]): (H, W) of the image.

    Returns:
        Tensor: Int64, (N, P), ``row * W + column``.
    """
    height, width = size
    x = (points[..., 0] * width).long().clamp_(0, width - 1)
    y = (points[..., 1] * height).long().clamp_(0, height - 1)
    return y * width + x


def label_at(seg_label: Tensor, points: Tensor) -> Tensor:
    """Read a label map at points, exactly (no interpolation, no floats).

    Args:
        seg_label (Tensor): Int64, (N, H, W).
        points (Tensor): Float, (N, P, 2), (x, y) in [0, 1].

    Returns:
        Tensor: Int64, (N, P).
    """
    index = points_to_pixels(points, seg_label.shape[-2:])
    return seg_label.flatten(1).gather(1, index)


def region_quotas(num_points: int, ratios: Sequence[float]) -> list[int]:
    """Share ``num_points`` out; what rounding leaves goes to the last.

    Args:
        num_points (int): Points of one image.
        ratios (Sequence[float]): Shares that sum to 1.

    Returns:
        list[int]: As many as ``ratios``, with the sum ``num_points``.

    Raises:
        ValueError: If a ratio is negative or their sum is not 1.

    Example:
        A 256 x 256 image has 256 * 256 // 20 = 3276 points; 0.3 : 0.4 : 0.3
        gives 982, 1310 and 984.
    """
    if min(ratios) < 0 or abs(sum(ratios) - 1) > 1e-6:
        raise ValueError('ratios must be non-negative and sum to 1, '
                         f'got {tuple(ratios)}.')
    quotas = [int(num_points * ratio + 1e-6) for ratio in ratios[:-1]]
    return [*quotas, num_points - sum(quotas)]


def sample_region_points(
        seg_label: Tensor,
        num_points: int,
        *,
        ratios: Sequence[float],
        dilation: int,
        body_mode: str = 'fallback',
        ignore_index: int = 255,
        generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """Draw training points from crack body, boundary band and background.

    CBPRN, "For the training phase": N points an image, at random inside each
    region in fixed shares. Points are pixel centres, drawn without
    replacement where the region holds enough pixels and with replacement
    where it does not.

    Not in the paper: what happens when a region cannot fill its quota. On
    CFD resized to 256 x 256 the body is empty in 101 of 118 images (thin
    cracks are all boundary). ``body_mode='fallback'`` then takes the whole
    crack for the body, as soon as the body has fewer pixels than 32 or a
    tenth of its quota; ``'strict'`` keeps to the paper's three regions. The
    quota of an empty region goes to the background, or where that is empty
    too to the boundary or the body.

    Args:
        seg_label (Tensor): Int64, (N, H, W) of {0, 1, ``ignore_index``}.
        num_points (int): Points of one image.
        ratios (Sequence[float]): Shares of body, boundary and background.
        dilation (int): See :func:`regions.boundary_band`.
        body_mode (str): 'fallback' or 'strict'.
        ignore_index (int): Such pixels are never drawn. In an image without
            any other, points are drawn anywhere and their region is -1.
        generator (torch.Generator, optional): Of the label's device.

    Returns:
        tuple[Tensor, Tensor]: Points, float32 (N, ``num_points``, 2), and
        the region each was drawn for, int64 (N, ``num_points``): 0 body, 1
        boundary, 2 background, -1 none.

    Raises:
        ValueError: For an unknown ``body_mode`` or wrong ``ratios``.
    """
    if body_mode not in ('fallback', 'strict'):
        raise ValueError("body_mode must be 'fallback' or 'strict', "
                         f'got {body_mode!r}.')
    if len(ratios) != 3:
        raise ValueError('ratios must be three shares (body, boundary, '
                         f'background), got {tuple(ratios)}.')
    quotas = region_quotas(num_points, ratios)
    regions = crack_regions(
        seg_label, dilation=dilation, ignore_index=ignore_index).flatten(1)
    cracks = (seg_label == 1).flatten(1)
    indices, owners = [], []
    for region, crack in zip(regions, cracks, strict=True):
        pools = [torch.nonzero(region == r)[:, 0] for r in range(3)]
        wanted = max(32, 0.1 * quotas[BODY])
        if body_mode == 'fallback' and len(pools[BODY]) < wanted:
            pools[BODY] = torch.nonzero(crack)[:, 0]
        index, owner = _draw_image(pools, quotas, region.numel(), generator)
        indices.append(index)
        owners.append(owner)
    size = seg_label.shape[-2:]
    return pixel_points(torch.stack(indices), size), torch.stack(owners)


def _draw_image(pools: list[Tensor], quotas: list[int], num_pixels: int,
                generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
    """Draw one image's pixels and say which region each stands for."""
    quotas = list(quotas)
    device = pools[0].device
    heirs = [r for r in (BACKGROUND, BOUNDARY, BODY) if len(pools[r])]
    if not heirs:
        index = torch.randint(
            num_pixels, (sum(quotas), ), generator=generator, device=device)
        return index, torch.full_like(index, -1)
    for region in range(3):
        if not len(pools[region]) and region != heirs[0]:
            quotas[heirs[0]] += quotas[region]
            quotas[region] = 0
    drawn = [
        _draw(pool, quota, generator)
        for pool, quota in zip(pools, quotas, strict=True)
    ]
    owner = torch.cat([
        torch.full_like(index, region) for region, index in enumerate(drawn)
    ])
    return torch.cat(drawn), owner


def _draw(pool: Tensor, count: int,
          generator: torch.Generator | None) -> Tensor:
    """Draw ``count`` of a pool's entries, with replacement only if needed."""
    if count == 0:
        return pool[:0]
    if len(pool) >= count:
        order = torch.randperm(
            len(pool), generator=generator, device=pool.device)[:count]
    else:
        order = torch.randint(
            len(pool), (count, ), generator=generator, device=pool.device)
    return pool[order]


def uncertainty(seg_logits: Tensor) -> Tensor:
    """Return how undecided each prediction is: 0 at most, higher is less sure.

    Kirillov et al. 2020, section 4.1: minus the gap between the two largest
    logits; with one channel minus the logit's magnitude.

    Args:
        seg_logits (Tensor): Float, (N, C, ...).

    Returns:
        Tensor: Float, (N, ...), <= 0.
    """
    if seg_logits.shape[1] == 1:
        return -seg_logits[:, 0].abs()
    top = seg_logits.topk(2, dim=1).values
    return top[:, 1] - top[:, 0]


def sample_important_points(
        seg_logits: Tensor,
        num_points: int,
        *,
        oversample_ratio: float,
        importance_ratio: float,
        padding_mode: str = 'border',
        generator: torch.Generator | None = None) -> Tensor:
    """Draw PointRend's training points: uncertain ones and uniform ones.

    Kirillov et al. 2020, section 3.1: ``oversample_ratio * num_points``
    uniform points are ranked by the uncertainty of the coarse prediction
    *at the points*; the most uncertain ``importance_ratio * num_points``
    stay and fresh uniform points fill up.

    Args:
        seg_logits (Tensor): Float, (N, C, h, w), the coarse prediction.
        num_points (int): Points of one image.
        oversample_ratio (float): k, at least 1.
        importance_ratio (float): Beta, in [0, 1].
        padding_mode (str): See :func:`point_sample`.
        generator (torch.Generator, optional): Of the logits' device.

    Returns:
        Tensor: Float32, (N, ``num_points``, 2), without gradient.
    """
    batch, device = seg_logits.shape[0], seg_logits.device
    with torch.no_grad():
        candidates = torch.rand(
            batch,
            int(num_points * oversample_ratio),
            2,
            generator=generator,
            device=device)
        doubt = uncertainty(
            point_sample(
                seg_logits.float(), candidates, padding_mode=padding_mode))
        keep = int(importance_ratio * num_points)
        best = doubt.topk(keep, dim=1).indices
        important = candidates.gather(1, best[..., None].expand(-1, -1, 2))
        fresh = torch.rand(
            batch,
            num_points - keep,
            2,
            generator=generator,
            device=device)
    return torch.cat([important, fresh], dim=1)


def uncertain_points(prob: Tensor, *, prob_range: Sequence[float],
                     max_points: int | None = None) -> Tensor:
    """Mark the pixels that inference re-predicts.

    CBPRN, "For the inference phase" and Table 2: every pixel whose
    probability lies strictly between alpha and beta.

    Args:
        prob (Tensor): Float, (N, H, W), crack probability of the heat map.
        prob_range (Sequence[float]): (alpha, beta), 0 <= alpha < beta <= 1.
        max_points (int, optional): At most so many of an image, spread
            evenly over its uncertain pixels in raster order (the same ones
            every time). Not in the paper. None takes all.

    Returns:
        Tensor: Bool, (N, H, W).

    Raises:
        ValueError: If ``prob_range`` is no interval inside [0, 1].
    """
    low, high = prob_range
    if not 0 <= low < high <= 1:
        raise ValueError('prob_range must be (alpha, beta) with '
                         f'0 <= alpha < beta <= 1, got {tuple(prob_range)}.')
    chosen = (prob > low) & (prob < high)
    if max_points is None:
        return chosen
    chosen = chosen.contiguous()
    for image in chosen:
        count = int(image.sum())
        if count > max_points:
            _thin_out(image.view(-1), count, max_points)
    return chosen


def _thin_out(flags: Tensor, count: int, keep: int,
              block: int = 1 << 20) -> None:
    """Keep ``keep`` of the ``count`` set flags, evenly, in place.

    The flag of rank r stays iff floor((r + 1) keep / count) exceeds
    floor(r keep / count): exactly ``keep`` of them do. Blocks bound memory.
    """
    rank = 0
    for part in flags.split(block):
        index = torch.nonzero(part)[:, 0]
        order = torch.arange(rank, rank + len(index), device=flags.device)
        stays = (order + 1) * keep // count > order * keep // count
        part[index[~stays]] = False
        rank += len(index)


def most_uncertain_pixels(seg_logits: Tensor, num_points: int) -> Tensor:
    """Return the pixels of which a prediction is least sure.

    Kirillov et al. 2020, section 3.2 (one subdivision step).

    Args:
        seg_logits (Tensor): Float, (N, C, H, W).
        num_points (int): Pixels wanted; capped at H * W.

    Returns:
        Tensor: Int64, (N, P), ``row * W + column``.
    """
    doubt = uncertainty(seg_logits).flatten(1)
    return doubt.topk(min(num_points, doubt.shape[1]), dim=1).indices
