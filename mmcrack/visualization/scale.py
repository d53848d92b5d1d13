"""Colours for numbers that span orders of magnitude, with their scale.

Not in the papers: colours and layout.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcrack.visualization.drawing import Color, Picture

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_SCALE = 0.4
_GROUND = 255
_BLACK: Color = (0, 0, 0)
_BAR = 14
_TICKS = 18
_LINE = 11
_GAP = 6
# So that the first and the last number fit.
_SIDE = 18


def log_limits(*values: ArrayLike,
               include: Sequence[float] = ()) -> tuple[float, float]:
    """Return the ends of a logarithmic scale for numbers.

    Args:
        *values (array): Float, any shapes, > 0.
        include (Sequence[float]): Numbers that must lie on the scale; those
            that are not finite need not.

    Returns:
        tuple[float, float]: Quantiles 0.005 and 0.995 of all, rounded
        outward to one significant digit; at least a factor of 10 apart.

    Raises:
        ValueError: If there is no positive number.
    """
    flat = np.concatenate([np.ravel(v) for v in values]).astype(np.float64)
    flat = flat[np.isfinite(flat) & (flat > 0)]
    if not len(flat):
        raise ValueError('a logarithmic scale needs a positive number.')
    kept = [n for n in include if math.isfinite(n) and n > 0]
    low, high = np.quantile(flat, (0.005, 0.995))
    low, high = min(low, *kept, high), max(low, *kept, high)
    low, high = _rounded(low, math.floor), _rounded(high, math.ceil)
    if high < 10 * low:
        low, high = (_rounded(math.sqrt(low * high) * f, math.floor)
                     for f in (10**-0.5, 10**0.5))
    return low, max(high, 10 * low)


def _rounded(value: float, to: object) -> float:
    """Round to one significant digit with ``math.floor`` or ``ceil``."""
    unit = 10.**math.floor(math.log10(value))
    # A number such as 0.3 is 2.9999999999999996 units of 0.1.
    return float(f'{to(round(value / unit, 9)) * unit:.6g}')


def log_position(values: ArrayLike, limits: tuple[float, float]
                 ) -> NDArray[np.float32]:
    """Return where numbers lie on a logarithmic scale.

    Args:
        values (array): Float, any shape; 0 lies at the lower end.
        limits (tuple[float, float]): Ends of the scale, > 0.

    Returns:
        array: Float32, the same shape, in [0, 1].
    """
    low, high = np.log(limits)
    floor = np.float64(limits[0])
    logs = np.log(np.maximum(np.asarray(values, np.float64), floor))
    return np.clip((logs - low) / (high - low), 0, 1).astype(np.float32)


def log_picture(values: NDArray[np.floating],
                limits: tuple[float, float]) -> Picture:
    """Colour a map on a logarithmic scale: violet, green, yellow.

    Args:
        values (array): Float, (H, W), >= 0.
        limits (tuple[float, float]): Numbers at the ends of the scale.

    Returns:
        array: uint8, (H, W, 3); other colours than a heat map's, so that
        a variance is not taken for a probability.
    """
    level = np.round(log_position(values, limits) * 255).astype(np.uint8)
    colored = cv2.applyColorMap(level, cv2.COLORMAP_VIRIDIS)
    return cv2.cvtColor(colored, cv2.COLOR_BGR2RGB)


def log_ticks(limits: tuple[float, float]) -> list[float]:
    """Return round numbers for a logarithmic scale.

    Args:
        limits (tuple[float, float]): Ends of the scale.

    Returns:
        list[float]: Powers of ten; where fewer than three fit, twice and
        five times these too.
    """
    exponents = range(math.floor(math.log10(limits[0])) - 1,
                      math.ceil(math.log10(limits[1])) + 1)
    for factors in ((1, ), (1, 2, 5)):
        ticks = [float(f'{f}e{e}') for e in exponents for f in factors]
        # The ends themselves count, whatever their last digit.
        ticks = [t for t in ticks
                 if limits[0] * (1 - 1e-9) <= t <= limits[1] * (1 + 1e-9)]
        if len(ticks) >= 3:
            break
    return ticks


def tick_text(value: float) -> str:
    """Write a number short: ``'1e-4'``, ``'0.002'``, ``'0.5'``, ``'20'``."""
    if 1e-3 <= value < 1e4:
        return f'{value:g}'
    mantissa, exponent = f'{value:.0e}'.split('e')
    return f'{mantissa}e{int(exponent)}'


def scale_strip(width: int,
                limits: tuple[float, float],
                *,
                mark: float | None = None,
                mark_color: Color = _BLACK,
                spreads: Sequence[tuple[Sequence[float], Color]] = ()
                ) -> Picture:
    """Draw a logarithmic colour scale with numbers, and spreads on it.

    Args:
        width (int): In pixels.
        limits (tuple[float, float]): Numbers at its ends.
        mark (float, optional): A number to mark by a line through it all.
        mark_color (tuple): RGB of that line.
        spreads (Sequence): Pairs of (low, middle, high) numbers and a
            colour: below the bar a line from low to high with a knot at
            the middle for each.

    Returns:
        array: uint8, (H, ``width``, 3), on white.
    """
    side = min(_SIDE, width // 8)
    height = _GAP + _BAR + _TICKS + _LINE * len(spreads) + _GAP
    strip = np.full((height, width, 3), _GROUND, np.uint8)
    columns = np.arange(width - 2 * side)
    ramp = np.exp(np.interp(columns, (0, max(1, columns[-1])),
                            np.log(limits)))
    strip[_GAP:_GAP + _BAR, side:width - side] = log_picture(
        ramp[None], limits)

    def column(value: float) -> int:
        return side + round(float(log_position(value, limits)) *
                            (width - 2 * side - 1))

    _draw_ticks(strip, [(column(t), tick_text(t)) for t in log_ticks(limits)])
    if mark is not None and math.isfinite(mark):
        cv2.line(strip, (column(mark), 0), (column(mark), height - 1),
                 mark_color, 2)
    for row, (numbers, color) in enumerate(spreads):
        y = _GAP + _BAR + _TICKS + _LINE * row + _LINE // 2
        low, middle, high = (column(n) for n in numbers)
        cv2.line(strip, (low, y), (high, y), color, 2)
        cv2.circle(strip, (middle, y), 4, color, -1, cv2.LINE_AA)
    return strip


def _draw_ticks(strip: Picture, ticks: Sequence[tuple[int, str]]) -> None:
    """Write numbers below the bar; leave out those without room."""
    free = 0
    for x, text in ticks:
        wide = cv2.getTextSize(text, _FONT, _FONT_SCALE, 1)[0][0]
        left = min(max(0, x - wide // 2), strip.shape[1] - wide)
        strip[_GAP + _BAR:_GAP + _BAR + 4, x] = 0
        if left < free:
            continue
        cv2.putText(strip, text, (left, _GAP + _BAR + _TICKS - 3), _FONT,
                    _FONT_SCALE, _BLACK, 1, cv2.LINE_AA)
        free = left + wide + _GAP
