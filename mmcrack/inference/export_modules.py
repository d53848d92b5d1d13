"""Parts of a network, computed so that an exported graph takes any size.

Tracing a network for export turns each number that Python works out from an
image's size, or from its pixels, into a constant of that one image. The
functions below compute the same values with tensors alone, so that they
become part of the graph. ``make_exportable`` puts them into a network.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from mmseg.models.utils.wrappers import Upsample
from torch import Tensor, nn

from mmcrack.functional.probability import crack_probability
from mmcrack.models.backbones import EdgeGuidedBackbone
from mmcrack.models.decode_heads.cbprn_head import CBPRNHead
from mmcrack.models.decode_heads.rendering_head import upsample
from mmcrack.models.layers.sr_encoder import WindowAttention
from mmcrack.models.task_modules import UncertainPointSampler


def make_exportable(model: nn.Module) -> nn.Module:
    """Replace what tracing would freeze, in place.

    Args:
        model (nn.Module): A copy of the network: it is for export alone
            from now on, though it still predicts what it did.

    Returns:
        nn.Module: The same object.
    """
    for module in model.modules():
        for kind, name, function in _REPLACED:
            if isinstance(module, kind):
                setattr(module, name, partial(function, module))
    return model


def scaled_upsample(module: Upsample, x: Tensor) -> Tensor:
    """Resize as MMSegmentation's ``Upsample``, whose sizes pass by a float.

    Args:
        module (Upsample): The layer.
        x (Tensor): (N, C, h, w).

    Returns:
        Tensor: (N, C, H, W).
    """
    if module.size:
        size = module.size
    else:
        factors = module.scale_factor
        if not isinstance(factors, tuple):
            factors = (factors, factors)
        ratios = [float(f).as_integer_ratio() for f in factors]
        size = [side * over // under for side, (over, under) in zip(
            x.shape[-2:], ratios, strict=True)]
    return F.interpolate(
        x, tuple(size), mode=module.mode, align_corners=module.align_corners)


def average_pool(module: nn.AdaptiveAvgPool2d, x: Tensor) -> Tensor:
    """Pool adaptively by two matrix products, exact for every size.

    Cell i of k covers the rows floor(i h / k) ... ceil((i + 1) h / k) - 1,
    and likewise the columns: the mean over a cell is linear in rows and in
    columns, ``R x C^T`` with one matrix of 1 / length and 0 each.

    Args:
        module (nn.AdaptiveAvgPool2d): The layer.
        x (Tensor): (N, C, h, w).

    Returns:
        Tensor: (N, C, ``output_size``).
    """
    wanted = module.output_size
    wanted = wanted if isinstance(wanted, (tuple, list)) else (wanted, wanted)
    if tuple(wanted) == (1, 1):
        return x.mean((-2, -1), keepdim=True)
    for dim, cells in zip((-1, -2), reversed(wanted), strict=True):
        if cells is None:
            continue
        side = x.shape[dim]
        place = torch.arange(side, device=x.device)
        cell = torch.arange(cells, device=x.device)[:, None]
        start = torch.div(cell * side, cells, rounding_mode='floor')
        stop = torch.div(
            (cell + 1) * side + cells - 1, cells, rounding_mode='floor')
        share = ((place >= start) & (place < stop)).to(x.dtype)
        share = share / (stop - start).to(x.dtype)
        x = x @ share.t() if dim == -1 else share @ x
    return x


def valid_region(module: EdgeGuidedBackbone, x: Tensor) -> Tensor:
    """Mark what is image and not padding, whether there is padding or not.

    Args:
        module (EdgeGuidedBackbone): The backbone.
        x (Tensor): (N, C, H, W), normalised images.

    Returns:
        Tensor: Bool, (N, 1, H, W).
    """
    content = (x != module.pad_value).any(1)
    marks = []
    for dim in (1, 2):
        place = torch.arange(x.shape[dim + 1], device=x.device)
        last = (content.any(3 - dim) * (place + 1)).amax(1, keepdim=True)
        marks.append(place < last)
    return (marks[0][:, :, None] & marks[1][:, None])[:, None]


def window_attention(module: WindowAttention, x: Tensor) -> Tensor:
    """Attend inside windows; every shifted window carries its mask.

    Args:
        module (WindowAttention): The layer.
        x (Tensor): (N, H, W, C), H and W multiples of the window size.

    Returns:
        Tensor: (N, H, W, C).
    """
    batch, height, width, channels = x.shape
    window, heads = module.window_size, module.num_heads
    rows, columns = height // window, width // window
    bias = module.relative_position_bias_table[module.relative_position_index]
    bias = bias.permute(2, 0, 1)[None]
    if module.shift:
        # One window has no neighbour to shift into.
        shift = module.shift * torch.sym_min(rows + columns - 2, 1)
        x = _roll(x, shift)
        group = (_stripe(height, shift, window)[:, None] * 3
                 + _stripe(width, shift, window))
        group = group.view(rows, window, columns, window)
        group = group.transpose(1, 2).reshape(-1, window * window)
        differs = group[:, :, None] != group[:, None, :]
        mask = torch.zeros(differs.shape).masked_fill(differs, -1e9)
        bias = bias[:, None] + mask[:, None]
    x = x.view(batch, rows, window, columns, window, channels)
    tokens = x.transpose(2, 3).reshape(batch, -1, window**2, channels)
    query, key, value = module.qkv(tokens).view(
        batch, -1, window**2, 3, heads, channels // heads).permute(
            3, 0, 1, 4, 2, 5)
    # (N, windows, heads, tokens, tokens)
    weight = (query * (channels // heads)**-0.5) @ key.transpose(-2, -1)
    out = (weight + bias).softmax(-1) @ value
    x = module.proj(out.transpose(2, 3).reshape(
        batch, rows, columns, window, window, channels))
    x = x.transpose(2, 3).reshape(batch, height, width, channels)
    return _roll(x, -shift) if module.shift else x


def _roll(x: Tensor, shift: int) -> Tensor:
    """Move (N, H, W, C) up and left by ``shift``, around the edges."""
    for dim in (1, 2):
        side = x.shape[dim]
        place = torch.arange(side, device=x.device) + shift
        place = torch.where(place < 0, place + side, place)
        place = torch.where(place < side, place, place - side)
        x = x.index_select(dim, place)
    return x


def _stripe(side: int, shift: int, window: int) -> Tensor:
    """Number what was one piece before the shift; all 0 without one."""
    place = torch.arange(side)
    stripe = (place >= side - window).long() + (place >= side - shift).long()
    return stripe * (shift > 0)


def render(head: CBPRNHead, features: Tensor, coarse_logits: Tensor,
           size: Sequence[int]) -> Tensor:
    """Upsample the heat map and re-predict its uncertain pixels at once.

    The pixels of all images of a batch make one list, whose length the graph
    finds out by itself (NonZero). Their features come from one tall map, the
    images' maps below one another: a point is kept half a pixel inside its
    own map (what the border mode of sampling means), so no point sees its
    neighbour's.

    Args:
        head (CBPRNHead): The head.
        features (Tensor): (N, C, h, w), the enhanced feature map.
        coarse_logits (Tensor): (N, K, h, w), logits of the heat map.
        size (Sequence[int]): (H, W) of the result.

    Returns:
        Tensor: (N, K, H, W), logits.
    """
    logits = upsample(coarse_logits, size)
    prob = crack_probability(logits, crack_class=head.crack_class)
    chosen = torch.nonzero(_uncertain(head.test_sampler, prob))
    image, row, column = chosen[:, 0], chosen[:, 1], chosen[:, 2]
    index = (image * size[0] + row) * size[1] + column
    sampled = _sample_tall(
        torch.cat([features, coarse_logits], 1), image,
        (column + 0.5) / size[1], (row + 0.5) / size[0])
    new = _point_mlp(head.point_mlp, sampled, features.shape[1])
    flat = logits.movedim(1, -1).flatten(0, 2)
    flat = flat.index_put((index, ), new)
    return flat.view(-1, *size, logits.shape[1]).movedim(-1, 1)


def _uncertain(sampler: UncertainPointSampler, prob: Tensor) -> Tensor:
    """Mark the pixels to render, (N, H, W), as ``uncertain_points``."""
    low, high = sampler.prob_range
    chosen = (prob > low) & (prob < high)
    if sampler.max_points is None:
        return chosen
    keep = sampler.max_points
    order = chosen.flatten(1).long().cumsum(1)
    count = order[:, -1:]
    stays = order * keep // count.clamp(min=1) > \
        (order - 1) * keep // count.clamp(min=1)
    stays = stays | (count <= keep)
    return chosen & stays.view_as(chosen)


def _sample_tall(maps: Tensor, image: Tensor, x: Tensor,
                 y: Tensor) -> Tensor:
    """Read maps (N, C, h, w) at (x, y) in [0, 1] of images (P,): (P, C)."""
    batch, channels, height, width = maps.shape
    tall = maps.transpose(0, 1).reshape(1, channels, batch * height, width)
    row = (y * height).clamp(min=0.5, max=height - 0.5)
    y = (image * height + row) / (batch * height)
    grid = 2 * torch.stack([x, y], -1) - 1
    sampled = F.grid_sample(
        tall, grid[None, :, None], padding_mode='border', align_corners=False)
    return sampled[0, :, :, 0].t()


def _point_mlp(mlp: nn.Module, sampled: Tensor, width: int) -> Tensor:
    """Predict (P, K) from features and coarse logits (P, D + K)."""
    x, coarse = sampled, sampled[:, width:]
    for layer in mlp.fcs:
        x = F.linear(x, layer.weight[..., 0], layer.bias).relu()
        if mlp.coarse_pred_each_layer:
            x = torch.cat([x, coarse], 1)
    return F.linear(x, mlp.fc_seg.weight[..., 0], mlp.fc_seg.bias)


_REPLACED: tuple[tuple[type, str, Callable], ...] = (
    (Upsample, 'forward', scaled_upsample),
    (nn.AdaptiveAvgPool2d, 'forward', average_pool),
    (EdgeGuidedBackbone, '_valid', valid_region),
    (WindowAttention, 'forward', window_attention),
    (CBPRNHead, 'render', render),
)
