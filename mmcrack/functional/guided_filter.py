"""The guided filter (He, Sun, Tang 2012), CBPRN's fixed edge operator."""

import torch
import torch.nn.functional as F
from torch import Tensor


def box_sum(x: Tensor, *, radius: int) -> Tensor:
    """Sum over the (2 radius + 1)^2 window, clipped at the image's border.

    A square is two lines, and a line of length k is built from lines of
    length 1, 2, 4, ...: the cost grows with log2 of the radius, and the
    additions pair up, so float32 keeps its digits (running sums would not:
    a variance is a small difference of large sums).

    Args:
        x (Tensor): Float, (N, C, H, W).
        radius (int): Half side of the window, in pixels, >= 0.

    Returns:
        Tensor: Float, (N, C, H, W).
    """
    for dim, pad in ((-2, [0, 0, radius, radius]), (-1, [radius, radius])):
        x = _line_sum(F.pad(x, pad), length=2 * radius + 1, dim=dim)
    return x


def _line_sum(x: Tensor, *, length: int, dim: int) -> Tensor:
    """Sum ``length`` neighbours along ``dim``; the size shrinks by so many."""
    size = x.shape[dim] - length + 1
    total, start = None, 0
    power, width = x, 1
    while True:
        if length & width:
            piece = power.narrow(dim, start, size)
            total = piece if total is None else total + piece
            start += width
        if 2 * width > length:
            return total
        rest = power.shape[dim] - width
        power = power.narrow(dim, 0, rest) + power.narrow(dim, width, rest)
        width *= 2


def guided_filter(guide: Tensor,
                  src: Tensor,
                  *,
                  radius: int,
                  eps: float,
                  subsample: int = 1,
                  valid: Tensor | None = None) -> Tensor:
    """Smooth ``src`` while keeping the edges of ``guide``.

    He et al. 2012, Eq. 5, 6 and 8: in each window the output is linear in
    the guide, ``q = a I + b`` with ``a = cov(I, p) / (var(I) + eps)``,
    ``b = mean(p) - a mean(I)``; a and b are averaged over all windows that
    hold the pixel. Windows are clipped at the border and divided by the
    pixels that they really hold.

    Args:
        guide (Tensor): Float, (N, 1, H, W), I; best in [0, 1].
        src (Tensor): Float, (N, C, H, W), p.
        radius (int): r, in pixels, >= 1.
        eps (float): Regularisation, in squared units of the guide, > 0.
            Windows whose variance lies far below become flat.
        subsample (int): s: a and b are found on every s-th pixel with radius
            r / s and interpolated (He and Sun 2015, the fast guided filter).
            1 is exact.
        valid (Tensor, optional): Bool, (N, 1, H, W). Pixels outside take no
            part and get 0: the rest is what the image without them gives.

    Returns:
        Tensor: (N, C, H, W), of the type of ``src`` (float16 and bfloat16
        are computed in float32 steps).

    Raises:
        ValueError: If ``radius``, ``eps`` or ``subsample`` is out of range,
            or the guide has more than one channel.

    Example:
        A 5 x 5 image whose third column is 1, guided by itself, radius 1,
        eps 0.01: each row becomes
        [.007177, .009569, .971292, .009569, .007177].
    """
    if radius < 1 or eps <= 0 or subsample < 1:
        raise ValueError('The guided filter wants radius >= 1, eps > 0 and '
                         f'subsample >= 1, got {radius}, {eps}, '
                         f'{subsample}.')
    if guide.shape[1] != 1 or guide.shape[-2:] != src.shape[-2:]:
        raise ValueError('The guide must be (N, 1, H, W) of the size of the '
                         f'source, got {tuple(guide.shape)} for '
                         f'{tuple(src.shape)}.')
    dtype, self_guided = src.dtype, guide is src
    work = torch.promote_types(dtype, torch.float32)
    guide, src = guide.to(work), src.to(work)
    with torch.autocast(guide.device.type, enabled=False):
        small = [
            t[..., ::subsample, ::subsample] if t is not None else None
            for t in (guide, src, valid)
        ]
        slope, offset = _coefficients(
            *small,
            radius=max(1, round(radius / subsample)),
            eps=eps,
            self_guided=self_guided)
        if subsample > 1:
            slope, offset = (
                _upsample(t, src.shape[-2:], subsample)
                for t in (slope, offset))
        out = slope * guide + offset
        if valid is not None:
            out = out * valid
    return out.to(dtype)


def _coefficients(guide: Tensor, src: Tensor, valid: Tensor | None, *,
                  radius: int, eps: float,
                  self_guided: bool) -> tuple[Tensor, Tensor]:
    """Return the averaged slope and offset of Eq. 8."""
    weight = torch.ones_like(guide[:1]) if valid is None else valid.to(guide)
    share = box_sum(weight, radius=radius).clamp_(min=1).reciprocal_()

    def mean(x: Tensor) -> Tensor:
        """Mean of the judged pixels in each window."""
        x = x if valid is None else x * weight
        return box_sum(x, radius=radius) * share

    # Around the middle of the range the squares are small: fewer digits
    # cancel in the variance.
    guide = guide - 0.5
    mean_guide = mean(guide)
    variance = mean(guide * guide) - mean_guide**2
    if self_guided:
        mean_src, covariance = mean_guide + 0.5, variance
    else:
        mean_src = mean(src)
        covariance = mean(guide * src) - mean_guide * mean_src
    slope = covariance / (variance + eps)
    offset = mean_src - slope * (mean_guide + 0.5)
    return mean(slope), mean(offset)


def _upsample(x: Tensor, size: torch.Size, step: int) -> Tensor:
    """Interpolate values known at every ``step``-th pixel to all pixels.

    Linear between the known pixels 0, step, 2 step, ...; constant beyond the
    last (``interpolate`` would shift by half a step).
    """
    height, width = size
    rows = torch.arange(height, device=x.device, dtype=x.dtype) / step
    columns = torch.arange(width, device=x.device, dtype=x.dtype) / step
    for dim, position in ((-2, rows), (-1, columns)):
        last = x.shape[dim] - 1
        low = position.floor().clamp_(max=last)
        high = (low + 1).clamp_(max=last)
        weight = (position - low).clamp_(max=1)
        shape = [-1, 1] if dim == -2 else [-1]
        x = torch.lerp(
            x.index_select(dim, low.long()),
            x.index_select(dim, high.long()), weight.view(shape))
    return x


def luminance(image: Tensor, *, mean: Tensor, std: Tensor,
              channel_order: str) -> Tensor:
    """Return the brightness of a normalised image, in [0, 1].

    Not in the paper: ITU-R BT.601 weights .299, .587, .114.

    Args:
        image (Tensor): Float, (N, 3, H, W), ``(pixel - mean) / std`` of
            8-bit pixels; or (N, 1, H, W), grey.
        mean (Tensor): (C,), in grey levels 0 ... 255.
        std (Tensor): (C,), in grey levels.
        channel_order (str): 'rgb' or 'bgr' (ignored for grey images).

    Returns:
        Tensor: Float, (N, 1, H, W), in [0, 1] for 8-bit pixels.
    """
    pixels = image * std.view(-1, 1, 1) + mean.view(-1, 1, 1)
    if pixels.shape[1] == 1:
        return pixels / 255
    weights = image.new_tensor([0.299, 0.587, 0.114])
    if channel_order == 'bgr':
        weights = weights.flip(0)
    return (pixels * weights.view(-1, 1, 1)).sum(1, keepdim=True) / 255
