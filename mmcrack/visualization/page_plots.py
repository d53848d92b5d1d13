"""Diagrams for pages, as SVG in the page's own colours.

Light, dark and print come from ``page.css``, which plain Matplotlib could
not give. Not in the papers.
"""

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

_WIDTH, _HEIGHT = 520, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 12, 12, 50
_COLORS = 4


class Series(NamedTuple):
    """Points of one line, or heights of bars.

    Attributes:
        title (str): For the legend and the pointer.
        x (Sequence[float]): Of the points; empty for bars.
        y (Sequence[float]): NaN leaves a gap.
        marks (Sequence[tuple[float, float, str]]): Points to be marked,
            each with what it is.
        low (Sequence[float]): Lower ends of the bars' intervals, if any.
        high (Sequence[float]): Upper ends.
    """

    title: str
    x: Sequence[float]
    y: Sequence[float]
    marks: Sequence[tuple[float, float, str]] = ()
    low: Sequence[float] = ()
    high: Sequence[float] = ()


class Axis(NamedTuple):
    """An axis.

    Attributes:
        title (str): Beside it.
        low (float): Where it begins.
        high (float): Where it ends.
    """

    title: str
    low: float
    high: float

    def ticks(self) -> list[float]:
        """Round numbers between the ends, about five."""
        span = self.high - self.low
        raw = span / 5
        power = 10 ** math.floor(math.log10(raw))
        step = next(s * power for s in (1, 2, 2.5, 5, 10)
                    if s * power >= raw * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [n * step for n in range(first, last + 1)]


def axis_over(title: str, values: Sequence[float], *,
              low: float | None = None) -> Axis:
    """Return an axis that holds all values.

    Args:
        title (str): Beside it.
        values (Sequence[float]): Those that are no numbers do not count.
        low (float, optional): Where it begins; None: the smallest value.
    """
    known = [v for v in values if math.isfinite(v)] or [0.0, 1.0]
    begin = min(known) if low is None else low
    end = max(known)
    if end <= begin:
        end = begin + 1
    return Axis(title, begin, begin + (end - begin) * 1.04)


def line_plot(series: Sequence[Series], x: Axis, y: Axis, *, title: str
              ) -> str:
    """Draw lines.

    Args:
        series (Sequence[Series]): At most four.
        x (Axis): Across.
        y (Axis): Up.
        title (str): What it shows, read instead of it.

    Returns:
        str: SVG.
    """
    parts = [_frame(x, y, x.ticks(), [f'{t:g}' for t in x.ticks()])]
    for n, one in enumerate(series):
        for run in _runs(one):
            points = ' '.join(f'{_across(a, x):.1f},{_up(b, y):.1f}'
                              for a, b in run)
            parts.append(f'<polyline class="line s{n % _COLORS}" '
                         f'points="{points}"/>')
        parts += [_dot(a, b, x, y, n, f'{one.title}: {text}', 5)
                  for a, b, text in one.marks]
    return _plot(title, parts)


def scatter_plot(points: Sequence[tuple[float, float, str]], x: Axis,
                 y: Axis, *, title: str) -> str:
    """Draw points, and the line on which both are equal.

    Args:
        points (Sequence[tuple]): x, y and name.
        x (Axis): Across.
        y (Axis): Up.
        title (str): What it shows.

    Returns:
        str: SVG.
    """
    low, high = max(x.low, y.low), min(x.high, y.high)
    parts = [
        _frame(x, y, x.ticks(), [f'{t:g}' for t in x.ticks()]),
        f'<path class="axis" d="M{_across(low, x):.1f} {_up(low, y):.1f}'
        f'L{_across(high, x):.1f} {_up(high, y):.1f}"/>']
    parts += [_dot(a, b, x, y, 0, name, 4) for a, b, name in points
              if math.isfinite(a) and math.isfinite(b)]
    return _plot(title, parts)


def bar_plot(series: Sequence[Series], names: Sequence[str], x_title: str,
             y: Axis, *, title: str) -> str:
    """Draw groups of bars.

    Args:
        series (Sequence[Series]): At most four, each with a height for each
            name.
        names (Sequence[str]): Below the groups; an empty one is not
            written.
        x_title (str): Below the names.
        y (Axis): Up.
        title (str): What it shows.

    Returns:
        str: SVG.
    """
    count = len(names)
    x = Axis(x_title, 0, max(count, 1))
    parts = [_frame(x, y, [n + 0.5 for n in range(count)], names)]
    room = 0.84 / max(len(series), 1)
    for n, one in enumerate(series):
        for k, value in enumerate(one.y):
            if not math.isfinite(value):
                continue
            left = _across(k + 0.08 + n * room, x)
            right = _across(k + 0.08 + (n + 1) * room, x) - 0.6
            top = _up(min(value, y.high), y)
            parts.append(
                f'<rect class="bar s{n % _COLORS}" x="{left:.1f}" '
                f'y="{top:.1f}" width="{max(right - left, 0.5):.1f}" '
                f'height="{max(_up(y.low, y) - top, 0):.1f}"><title>'
                f'{escape(f"{one.title}, {names[k]}: {value:.4g}")}'
                '</title></rect>')
            if one.low and math.isfinite(one.low[k]):
                middle = (left + right) / 2
                parts.append(
                    f'<path class="whisker" d="M{middle:.1f} '
                    f'{_up(one.low[k], y):.1f}V{_up(one.high[k], y):.1f}"/>')
    return _plot(title, parts)


def _plot(title: str, parts: Sequence[str]) -> str:
    return (f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
            f'aria-label="{escape(title)}"><title>{escape(title)}</title>'
            f'{"".join(parts)}</svg>')


def _across(value: float, axis: Axis) -> float:
    share = (value - axis.low) / (axis.high - axis.low)
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _up(value: float, axis: Axis) -> float:
    share = (value - axis.low) / (axis.high - axis.low)
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def _dot(a: float, b: float, x: Axis, y: Axis, n: int, text: str,
         radius: int) -> str:
    return (f'<circle class="dot s{n % _COLORS}" cx="{_across(a, x):.1f}" '
            f'cy="{_up(b, y):.1f}" r="{radius}"><title>{escape(text)}'
            '</title></circle>')


def _runs(one: Series) -> list:
    """Stretches of a line without a gap."""
    runs: list[list] = [[]]
    for a, b in zip(one.x, one.y, strict=True):
        if math.isfinite(a) and math.isfinite(b):
            runs[-1].append((a, b))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _frame(x: Axis, y: Axis, places: Sequence[float], names: Sequence[str]
           ) -> str:
    """Axes with numbers and titles, and lines behind."""
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    parts = []
    for tick in y.ticks():
        at = _up(tick, y)
        parts.append(
            f'<path class="grid-line" d="M{_LEFT} {at:.1f}H{right}"/>'
            f'<text class="soft" x="{_LEFT - 6}" y="{at + 4:.1f}" '
            f'text-anchor="end">{tick:g}</text>')
    parts += [
        f'<text class="soft" x="{_across(place, x):.1f}" '
        f'y="{bottom + 17}" text-anchor="middle">{escape(name)}</text>'
        for place, name in zip(places, names, strict=True) if name]
    middle = (_TOP + bottom) / 2
    parts.append(
        f'<path class="axis" d="M{_LEFT} {_TOP}V{bottom}H{right}"/>'
        f'<text x="{(_LEFT + right) / 2}" y="{_HEIGHT - 10}" '
        f'text-anchor="middle">{escape(x.title)}</text>'
        f'<text x="14" y="{middle}" text-anchor="middle" '
        f'transform="rotate(-90 14 {middle})">{escape(y.title)}</text>')
    return ''.join(parts)
