"""Crack geometry, and masks that are exact from it.

Not in the papers. Coordinates are (x, y) in pixels; the centre of the pixel
in row r and column c is (c, r), so the frame of an H x W image is
[-0.5, W - 0.5] x [-0.5, H - 0.5].

The rule of the mask: a pixel is crack if and only if, for some segment of
some crack's polyline, the distance d from the pixel's centre to its nearest
point on the segment obeys ``d <= max(w, 1) / 2``, where w is the width
interpolated linearly to that point. The lower bound of 1 keeps cracks
thinner than a pixel connected: every crossing of the centreline with a row
or column of centres lies within half a pixel of one of them.

The rule of the image: the pixel's coverage is the part of the unit interval
centred at d that lies inside [-w/2, w/2], so a crack of 0.6 px takes 0.6 of
one pixel's light, wherever it lies between the pixels.
"""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from mmcrack.datasets.synthetic_style import SceneStyle, even
from mmcrack.datasets.synthetic_visibility import Visibility

STEP = 2.0
# Colour of the lime in a pale crack.
LIME = (0.93, 0.92, 0.88)
_DARKEST = 0.9
_WIDEST_LIME = 5.0
_REFERENCE_SIDE = 320.0


@dataclass(frozen=True, kw_only=True)
class CrackTruth:
    """One crack as it was drawn.

    Attributes:
        points (np.ndarray): Float64, (K, 2), the centreline (x, y) in
            pixels, pixel centres at whole numbers. The line may go on a
            little outside the frame, so that it explains every mask pixel.
        widths (np.ndarray): Float64, (K,), full width in pixels at each
            point; linear between the points.
        length (float): Length of the part inside the frame, in pixels.
        parent (int | None): Index of the crack that this one branches off;
            None for a main crack.
    """

    points: np.ndarray
    widths: np.ndarray
    length: float
    parent: int | None


@dataclass(frozen=True, kw_only=True)
class CrackLook:
    """How one crack is painted.

    Attributes:
        darkness (np.ndarray): Float64, (K,), light lost at each point of the
            centreline, 0 to 1.
        pale (bool): Whether the crack is lighter than the surface.
    """

    darkness: np.ndarray
    pale: bool


@dataclass(frozen=True, kw_only=True)
class Segments:
    """Straight pieces with a linear width.

    Attributes:
        start (np.ndarray): Float64, (N, 2), (x, y).
        end (np.ndarray): Float64, (N, 2), (x, y).
        widths (np.ndarray): Float64, (N, 2), at start and end, in pixels.
        values (np.ndarray): Float64, (N, 2), darkness at start and end.
    """

    start: np.ndarray
    end: np.ndarray
    widths: np.ndarray
    values: np.ndarray

    @classmethod
    def of_lines(cls, lines: list[tuple]) -> 'Segments':
        """Cut polylines ``(points, widths, values)`` into segments."""
        parts = [(p[:-1], p[1:], np.stack([w[:-1], w[1:]], 1),
                  np.stack([v[:-1], v[1:]], 1)) for p, w, v in lines]
        if not parts:
            empty = np.zeros((0, 2))
            return cls(start=empty, end=empty, widths=empty, values=empty)
        start, end, widths, values = (
            np.concatenate(column) for column in zip(*parts, strict=True))
        return cls(start=start, end=end, widths=widths, values=values)

    def __len__(self):
        return len(self.start)

    def near_rows(self, top: int, rows: int) -> 'Segments':
        """Return the segments that can touch rows top ... top + rows - 1."""
        reach = np.maximum(self.widths.max(1, initial=0), 1) / 2 + 1
        low = np.minimum(self.start[:, 1], self.end[:, 1]) - reach
        high = np.maximum(self.start[:, 1], self.end[:, 1]) + reach
        keep = (high >= top) & (low <= top + rows)
        return Segments(
            start=self.start[keep], end=self.end[keep],
            widths=self.widths[keep], values=self.values[keep])


def paint_segments(
        segments: Segments, *, top: int, left: int, rows: int,
        columns: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rasterise segments by the two rules of this module.

    Args:
        segments (Segments): What to draw.
        top (int): Row of the first pixel, may be negative.
        left (int): Column of the first pixel, may be negative.
        rows (int): Height of the window in pixels.
        columns (int): Width of the window in pixels.

    Returns:
        tuple[np.ndarray, np.ndarray, np.ndarray]: All (rows, columns): the
        mask (uint8, {0, 1}), the coverage (float32, 0 to 1) and the light
        lost, coverage times value (float32, 0 to 1). Where segments overlap
        the largest counts.
    """
    mask = np.zeros(rows * columns, np.uint8)
    cover = np.zeros(rows * columns, np.float32)
    lost = np.zeros(rows * columns, np.float32)
    segments = segments.near_rows(top, rows)
    if len(segments):
        span = np.hypot(*(segments.end - segments.start).T)
        wide = np.maximum(segments.widths.max(1), 1.0)
        radius = np.ceil((span + wide) / 2 + 1).astype(np.int64)
        for r in np.unique(radius):
            group = np.flatnonzero(radius == r)
            chunk = max(1, (1 << 18) // int(2 * r + 1)**2)
            for i in range(0, len(group), chunk):
                _paint_chunk(segments, group[i:i + chunk], int(r),
                             (top, left, rows, columns), mask, cover, lost)
    shape = (rows, columns)
    return mask.reshape(shape), cover.reshape(shape), lost.reshape(shape)


def _paint_chunk(segments, chosen, radius, window, mask, cover, lost):
    """Evaluate some segments on the square of pixels around each."""
    top, left, rows, columns = window
    start, end = segments.start[chosen], segments.end[chosen]
    centre = np.rint((start + end) / 2).astype(np.int64)
    offset = np.arange(-radius, radius + 1)
    x = (centre[:, 0, None, None] + offset[None, None, :])
    y = (centre[:, 1, None, None] + offset[None, :, None])
    ax, ay = start[:, 0, None, None], start[:, 1, None, None]
    dx, dy = (end - start)[:, 0, None, None], (end - start)[:, 1, None, None]
    square = np.maximum(dx * dx + dy * dy, 1e-30)
    t = np.clip(((x - ax) * dx + (y - ay) * dy) / square, 0.0, 1.0)
    distance = np.hypot(x - (ax + t * dx), y - (ay + t * dy))
    w, v = (a[:, 0, None, None] + t * (a[:, 1] - a[:, 0])[:, None, None]
            for a in (segments.widths[chosen], segments.values[chosen]))
    inside = distance <= np.maximum(w, 1.0) / 2
    part = np.clip(
        np.minimum(distance + 0.5, w / 2) - np.maximum(
            distance - 0.5, -w / 2), 0.0, 1.0)
    use = (inside | (part > 0)) & (x >= left) & (x < left + columns) & (
        y >= top) & (y < top + rows)
    index = ((y - top) * columns + (x - left))[use]
    np.maximum.at(mask, index, inside[use].astype(np.uint8))
    np.maximum.at(cover, index, part[use].astype(np.float32))
    np.maximum.at(lost, index, (part * v)[use].astype(np.float32))


def length_inside(points: np.ndarray, *, size: tuple[int, int]) -> float:
    """Length of the part of a polyline inside the frame.

    Args:
        points (np.ndarray): Float, (K, 2), (x, y) in pixels.
        size (tuple[int, int]): Height and width of the image.

    Returns:
        float: Length in pixels of what lies in
        [-0.5, W - 0.5] x [-0.5, H - 0.5].
    """
    start, delta = points[:-1], np.diff(points, axis=0)
    low = np.zeros(len(start))
    high = np.ones(len(start))
    for axis, side in ((0, size[1]), (1, size[0])):
        move = delta[:, axis]
        still = move == 0
        safe = np.where(still, 1.0, move)
        a = (-0.5 - start[:, axis]) / safe
        b = (side - 0.5 - start[:, axis]) / safe
        outside = still & ((start[:, axis] < -0.5)
                           | (start[:, axis] > side - 0.5))
        low = np.maximum(low, np.where(still, 0.0, np.minimum(a, b)))
        high = np.minimum(high, np.where(still, 1.0, np.maximum(a, b)))
        high = np.where(outside, 0.0, high)
    share = np.clip(high - low, 0.0, None)
    return float(np.sum(share * np.hypot(delta[:, 0], delta[:, 1])))


def _wander(rng, count, scale):
    """Smooth unit-variance noise along a line, `scale` steps long."""
    noise = rng.standard_normal(count)
    if scale < 0.3:
        return noise
    # The variance of white noise falls to 1 / (2 sqrt(pi) sigma).
    gain = math.sqrt(2 * math.sqrt(math.pi) * scale)
    return gain * gaussian_filter1d(noise, scale, mode='reflect')


def _facets(rng, count, mean, spread):
    """Constant angles over stretches of random length, in steps."""
    number = int(2 * count / mean) + 4
    lengths = np.maximum(mean * rng.lognormal(-0.12, 0.5, number), 1.0)
    which = np.searchsorted(np.cumsum(lengths), np.arange(count), 'right')
    return rng.normal(0, spread, number)[np.minimum(which, number - 1)]


def _centreline(rng, style, start, heading, length, width):
    """Jagged line: straight facets around a slowly turning direction."""
    count = max(3, round(length / STEP) + 1)
    facet = even(rng, style.facet_length) * (1 + width / 5) / STEP
    spread = math.radians(even(rng, style.kink_angle)) / (1 + width / 40)
    turn = math.radians(14) * _wander(rng, count - 1, max(20, count / 8))
    angle = heading + turn + _facets(rng, count - 1, facet, spread) + (
        _facets(rng, count - 1, 4 * facet, 0.6 * spread))
    steps = STEP * np.stack([np.cos(angle), np.sin(angle)], 1)
    line = start + np.concatenate([np.zeros((1, 2)), np.cumsum(steps, 0)])
    # A centreline with details finer than the width is not a centreline:
    # the middle of the mask would not follow it.
    line = gaussian_filter1d(
        line, max(0.35, 0.2 * width / STEP), axis=0, mode='nearest')
    normal = np.stack([-np.sin(angle), np.cos(angle)], 1)
    normal = np.concatenate([normal, normal[-1:]])
    sway = 0.05 * width * _wander(rng, count, max(0.8, 0.35 * width / STEP))
    return line + normal * sway[:, None]


def _widths(rng, style, count, width, limits, free_ends):
    """Width along a line: uneven, thinner towards a free end."""
    amount = even(rng, style.width_variation)
    uneven = 0.8 * _wander(rng, count, 12) + 0.5 * _wander(
        rng, count, max(1.0, 0.25 * width))
    result = width * np.exp(amount * uneven - amount * amount / 2)
    rough = min(0.25, 0.8 / width) * _wander(rng, count, 0.7)
    result = result * np.maximum(1 + amount / 0.3 * rough, 0.3)
    reach = min(0.45 * count, 10 + 3 * width)
    along = np.arange(count)
    for free, distance in zip(free_ends, (along, along[::-1]), strict=True):
        if free:
            result = result * np.clip((distance + 1) / reach, 0, 1)**0.85
    return np.clip(result, *limits)


def _cut(line, widths, size):
    """End a line where it has left the frame for good reason: for ever.

    Everything after the first point that is too far outside to touch the
    image is dropped.
    """
    reach = widths / 2 + 2 * STEP
    x, y = line.T
    away = (x < -0.5 - reach) | (x > size[1] - 0.5 + reach) | (
        y < -0.5 - reach) | (y > size[0] - 0.5 + reach)
    entered = np.maximum.accumulate(~away)
    gone = np.flatnonzero(away & entered)
    first = int(np.argmax(entered)) if entered.any() else 0
    last = int(gone[0]) + 1 if len(gone) else len(line)
    return slice(max(0, first - 1), last)


@dataclass(frozen=True)
class _Paint:
    """How a crack and its branches are painted.

    Attributes:
        contrast (float): Darkness (of lime: its cover), 0 to 1.
        least (float): Least contrast in standard deviations of the surface.
        gain (float): Change of the brightness at darkness 1.
        pale (bool): Whether it is lime.
        limits (tuple[float, float]): Least and largest width in pixels.
    """

    contrast: float
    least: float
    gain: float
    pale: bool
    limits: tuple[float, float]


class CrackPlan:
    """All cracks of one scene, drawn once.

    Args:
        rng (np.random.Generator): Source of every choice.
        size (tuple[int, int]): Height and width in pixels.
        style (SceneStyle): Options.
        visibility (Visibility): How dark a crack must be on this surface.

    Attributes:
        cracks (list[CrackTruth]): The truth.
        looks (list[CrackLook]): How to paint each.
    """

    def __init__(self, rng: np.random.Generator, *, size: tuple[int, int],
                 style: SceneStyle, visibility: Visibility):
        self._rng = rng
        self._visibility = visibility
        self._size = size
        self._style = style
        self.cracks: list[CrackTruth] = []
        self.looks: list[CrackLook] = []
        low, high = style.crack_width
        cap = max(low, min(high, 0.12 * min(size)))
        self._limits = (low, cap)
        if rng.random() < style.crack_free:
            return
        growth = max(1.0, (size[0] * size[1] / _REFERENCE_SIDE**2)**0.35)
        wanted = round(growth * rng.integers(
            style.cracks[0], style.cracks[1], endpoint=True))
        for _ in range(wanted):
            self._add_main()

    def segments(self, *, pale: bool) -> Segments:
        """Return the pieces of all dark or all pale cracks."""
        return Segments.of_lines([
            (c.points, c.widths, k.darkness)
            for c, k in zip(self.cracks, self.looks, strict=True)
            if k.pale == pale])

    def _add_main(self):
        """Draw a main crack that is really in the picture."""
        rng, style, size = self._rng, self._style, self._size
        short = min(size)
        paint = self._choose_paint()
        low, high = np.log(paint.limits)
        width = float(np.exp(low + (high - low) * rng.random()))
        length = max(4.0, even(rng, style.crack_length) * short)
        best = None
        for _ in range(8):
            start, heading, from_edge = self._entry()
            line = _centreline(rng, style, start, heading, length, width)
            widths = _widths(rng, style, len(line), width, paint.limits,
                             (not from_edge, True))
            inside = length_inside(line, size=size)
            if best is None or inside > best[0]:
                best = (inside, line, widths)
            if inside >= 0.35 * min(length, short):
                break
        self._keep(best[1], best[2], None, paint, level=0)

    def _choose_paint(self):
        """Choose the darkness of a main crack and what can be seen of it."""
        rng, style = self._rng, self._style
        contrast = even(rng, style.crack_contrast)
        least = even(rng, style.visibility)
        # Lime on a surface that is nearly as bright shows nothing.
        gain = LIME[1] / self._visibility.brightness - 1
        pale = bool(rng.random() < style.pale_crack) and gain > 0.4
        low, high = self._limits
        seen = self._visibility.least_width(
            _DARKEST * (gain if pale else 1), least=least)
        if pale:
            # Lime closes fine cracks; it does not fill a gap.
            high = max(low, min(high, _WIDEST_LIME))
        return _Paint(contrast=contrast, least=least,
                      gain=gain if pale else 1.0, pale=pale,
                      limits=(min(max(low, seen), high), high))

    def _entry(self):
        """Choose where a main crack starts and where it heads."""
        rng, (height, width) = self._rng, self._size
        if rng.random() < 0.4:
            start = rng.uniform(0.1, 0.9, 2) * (width, height) - 0.5
            return start, rng.uniform(0, 2 * math.pi), False
        side = int(rng.integers(4))
        along = rng.uniform(0.08, 0.92)
        start = ((along * width, 0), (width, along * height),
                 (along * width, height), (0, along * height))[side]
        inward = (90, 180, 270, 0)[side] + rng.normal(0, 28)
        heading = math.radians(float(inward))
        back = 2 * STEP + self._limits[1]
        start = np.array(start) - 0.5 - back * np.array(
            [math.cos(heading), math.sin(heading)])
        return start, heading, True

    def _keep(self, line, widths, parent, paint, *, level):
        """Store a crack and grow its branches."""
        part = _cut(line, widths, self._size)
        line, widths = line[part], widths[part]
        inside = length_inside(line, size=self._size)
        if len(line) < 2 or inside < min(4.0, 0.2 * min(self._size)):
            return
        index = len(self.cracks)
        self.cracks.append(CrackTruth(
            points=line, widths=widths, length=inside, parent=parent))
        self.looks.append(CrackLook(
            darkness=self._darkness(widths, paint), pale=paint.pale))
        if level < 2:
            self._branch(index, paint, level)

    def _darkness(self, widths, paint):
        """Darkness along a crack: uneven, and enough to be seen."""
        rng, style = self._rng, self._style
        wave = _wander(rng, len(widths), 10)
        darkness = paint.contrast * np.clip(
            1 + even(rng, style.contrast_variation) * wave, 0.45, 1.4)
        # A hairline is deep for its width: it looks as dark as a wide one.
        darkness = darkness * (1 + style.hairline_depth * np.exp(-widths / 2))
        if not paint.contrast:
            return darkness
        needed = self._visibility.darkness(widths, least=paint.least)
        return np.clip(np.maximum(darkness, needed / paint.gain), 0, 0.95)

    def _branch(self, index, paint, level):
        """Let smaller cracks leave a crack sideways."""
        rng, style, parent = self._rng, self._style, self.cracks[index]
        points, widths, length = parent.points, parent.widths, parent.length
        effective = min(length, math.sqrt(length * _REFERENCE_SIDE))
        mean = even(rng, style.branches) * effective / 100 / (1 + 2 * level)
        for _ in range(int(rng.poisson(mean))):
            at = int(rng.integers(len(points) // 8, len(points)))
            ahead = points[min(at + 6, len(points) - 1)]
            behind = points[max(at - 6, 0)]
            side = rng.choice((-1.0, 1.0))
            heading = math.atan2(*(ahead - behind)[::-1]) + side * (
                math.radians(rng.uniform(25, 75)))
            width = float(np.clip(
                widths[at] * even(rng, style.branch_width), *paint.limits))
            reach = length * rng.uniform(0.12, 0.5)
            if reach < 3 * widths[at] + 6:
                continue
            line = _centreline(rng, style, points[at], heading, reach, width)
            line = line + (points[at] - line[0])
            along = _widths(rng, style, len(line), width, paint.limits,
                            (False, True))
            shade = paint.contrast * even(rng, style.branch_shade)
            self._keep(line, along, index,
                       dataclasses.replace(paint, contrast=shade),
                       level=level + 1)
