"""Masks to polygons and back, exactly where nothing is simplified.

Not in the papers: so that predictions and ambiguous regions can be labelled
anew in any annotation tool. Pure: numpy, SciPy and OpenCV only.

One rule holds both ways. A pixel is the square from (x, y) to (x + 1, y + 1),
as COCO, CVAT and labelme draw it, and is inside a polygon when its centre is.
An outline follows the sides of the pixels, so that filling it gives back the
mask, also where a crack is one pixel wide. Pieces that touch by a corner are
one piece, because thin cracks run diagonally.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from scipy.spatial import cKDTree

# Heading right, down, left and up, as steps in x and y.
_STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))


class Outline(NamedTuple):
    """Border of one connected piece.

    Attributes:
        outer (np.ndarray): (N, 2), x and y of its corners in pixels.
        holes (tuple[np.ndarray, ...]): (M, 2) each, what lies inside it and
            is no part of it.
    """

    outer: np.ndarray
    holes: tuple[np.ndarray, ...]


def mask_outlines(mask: np.ndarray) -> list[Outline]:
    """Finds the outlines of a mask along the sides of its pixels.

    Args:
        mask: bool or integers (H, W), not 0 inside.

    Returns:
        One outline for each piece (pieces touch by sides or corners), its
        corners whole numbers from 0 to W and H. A rectangle of pixels has
        four corners.
    """
    mask = np.ascontiguousarray(mask != 0).astype(np.uint8)
    labels = cv2.connectedComponents(mask, connectivity=8, ltype=cv2.CV_32S)[1]
    exits, width = _exits(mask), mask.shape[1] + 1
    outer: dict[int, np.ndarray] = {}
    holes: dict[int, list[np.ndarray]] = {}
    for start in np.flatnonzero(np.frombuffer(exits, np.uint8) & 1).tolist():
        if not exits[start] & 1:
            continue  # a ring found before went this way
        ring = _follow(exits, start, width)
        y, x = divmod(start, width)
        # Along the upper side of its pixel a ring turns around the piece,
        # or, where the piece is around it, around a hole.
        piece = int(labels[y, x])
        if _area(ring) > 0:
            outer[piece] = ring
        else:
            holes.setdefault(piece, []).append(ring)
    return [
        Outline(ring, tuple(holes.get(piece, ())))
        for piece, ring in sorted(outer.items())
    ]


def _exits(mask: np.ndarray) -> bytearray:
    """Directions in which a border leaves each corner, as bits 1, 2, 4, 8.

    A border has its piece on the right hand.
    """
    around = np.pad(mask, 1)
    above_left, above = around[:-1, :-1], around[:-1, 1:]
    left, here = around[1:, :-1], around[1:, 1:]
    bits = (here & (1 - above)).astype(np.uint8)
    bits |= (left & (1 - here)) << 1
    bits |= (above_left & (1 - left)) << 2
    bits |= (above & (1 - above_left)) << 3
    return bytearray(bits.tobytes())


def _follow(exits: bytearray, start: int, width: int) -> np.ndarray:
    """Walks once around from a corner to the right; wipes what it used."""
    steps = tuple(dx + dy * width for dx, dy in _STEPS)
    place, heading, corners = start, 0, []
    while True:
        if not exits[place] >> heading & 1:
            # Left first: pieces that touch by a corner stay together.
            turn = (heading - 1) % 4
            heading = turn if exits[place] >> turn & 1 else (heading + 1) % 4
            corners.append(place)
        elif exits[place] >> (heading - 1) % 4 & 1:
            heading = (heading - 1) % 4
            corners.append(place)
        exits[place] &= ~(1 << heading)
        place += steps[heading]
        # A start where two pixels touch by a corner may be passed once more.
        if place == start and not exits[place] >> (heading - 1) % 4 & 1:
            break
    places = np.array(corners if heading == 0 else [start, *corners])
    return np.stack([places % width, places // width], axis=1)


def _area(ring: np.ndarray) -> float:
    """Area inside a ring; positive when it runs clockwise on the screen."""
    x, y = ring[:, 0], ring[:, 1]
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def simplify(ring: np.ndarray, tolerance: float) -> np.ndarray:
    """Leaves out corners of an outline of pixels.

    First the middles of the pixels' sides take the place of the corners, so
    that a slanting stair becomes a straight line, then the line is thinned
    out (Douglas and Peucker 1973). Middles alone change no pixel: they pass
    between the same centres.

    Args:
        ring: (N, 2), x and y, as :func:`mask_outlines` gives it.
        tolerance: Pixels that the line may move by, >= 0; 0 keeps the ring.

    Returns:
        (M, 2) float64; fewer than 3 where nothing is left.
    """
    ring = np.asarray(ring, np.float64)
    if tolerance <= 0:
        return ring
    after = np.roll(ring, -1, axis=0)
    half = np.sign(after - ring) / 2
    middles = np.stack([ring + half, after - half], axis=1)
    points = middles.reshape(-1, 1, 2).astype(np.float32)
    return cv2.approxPolyDP(points, tolerance, True)[:, 0].astype(np.float64)


def keyhole(outer: np.ndarray, holes: Sequence[np.ndarray]) -> np.ndarray:
    """Joins a ring and its holes into one ring by cuts of no width.

    COCO, labelme and CVAT know no holes. A cut runs from the corner of the
    ring that is nearest to the hole, there and back, so that it covers no
    pixel.

    Args:
        outer: (N, 2).
        holes: (M, 2) each.

    Returns:
        (K, 2), with ``sum(M + 2)`` corners more than ``outer``.
    """
    ring = np.asarray(outer, np.float64)
    if not len(holes):
        return ring
    tree = cKDTree(ring)
    detours: dict[int, list[np.ndarray]] = {}
    for hole in holes:
        hole = np.asarray(hole, np.float64)
        far, near = tree.query(hole)
        at = int(far.argmin())
        where = int(near[at])
        detours.setdefault(where, []).append(np.concatenate(
            [np.roll(hole, -at, axis=0), hole[at:at + 1],
             ring[where:where + 1]]))
    parts, done = [], 0
    for where, there_and_back in sorted(detours.items()):
        parts += [ring[done:where + 1], *there_and_back]
        done = where + 1
    return np.concatenate([*parts, ring[done:]])


def fill(
    rings: Sequence[np.ndarray], size: tuple[int, int]
) -> np.ndarray:
    """Fills rings together by the even-odd rule, pixel by centre.

    Own code because libraries draw the border too (OpenCV, Pillow) or test
    every pixel against every corner (scikit-image, matplotlib), which takes
    hours for a crack of thousands of corners in a big photograph.

    Args:
        rings: (N, 2) each, x and y, in any place.
        size: (height, width) in pixels.

    Returns:
        bool (height, width): True where a ray from the pixel's centre meets
        the rings an odd number of times.
    """
    height, width = size
    crossings = np.zeros((height, width + 1), np.uint8)
    starts = [np.asarray(r, np.float64).reshape(-1, 2) for r in rings]
    ends = [np.roll(r, -1, axis=0) for r in starts]
    if not starts:
        return np.zeros(size, bool)
    a, b = np.concatenate(starts), np.concatenate(ends)
    down = a[:, 1] <= b[:, 1]
    top, bottom = np.where(down[:, None], a, b), np.where(
        down[:, None], b, a
    )
    # Rows whose centres lie in [top, bottom).
    first = np.clip(np.ceil(top[:, 1] - 0.5), 0, height).astype(np.int64)
    last = np.clip(np.ceil(bottom[:, 1] - 0.5), 0, height).astype(np.int64)
    count = np.maximum(last - first, 0)
    side = np.repeat(np.arange(len(a)), count)
    offset = np.arange(count.sum()) - np.repeat(count.cumsum() - count, count)
    row = first[side] + offset
    top, bottom = top[side], bottom[side]
    share = (row + 0.5 - top[:, 1]) / (bottom[:, 1] - top[:, 1])
    x = top[:, 0] + share * (bottom[:, 0] - top[:, 0])
    column = np.clip(np.ceil(x - 0.5), 0, width).astype(np.int64)
    np.bitwise_xor.at(crossings, (row, column), 1)
    inside = np.bitwise_xor.accumulate(crossings, axis=1)
    return inside[:, :width].astype(bool)


def stroke(
    points: np.ndarray, width: float, size: tuple[int, int]
) -> np.ndarray:
    """Draws a line of some width with round ends and joints.

    Args:
        points: (N, 2), x and y of its corners; one alone is a disc.
        width: In pixels, > 0.
        size: (height, width) of the result in pixels.

    Returns:
        bool (height, width): True where a pixel's centre is at most half of
        ``width`` from the line.
    """
    found = np.zeros(size, bool)
    points = np.asarray(points, np.float64).reshape(-1, 2)
    reach = width / 2
    ends = points[1:] if len(points) > 1 else points
    for a, b in zip(points, ends, strict=False):
        low = np.maximum(np.floor(np.minimum(a, b) - reach), 0).astype(int)
        high = np.ceil(np.maximum(a, b) + reach).astype(int) + 1
        window = found[low[1]:max(high[1], 0), low[0]:max(high[0], 0)]
        if not window.size:
            continue
        y, x = np.ogrid[:window.shape[0], :window.shape[1]]
        x, y = x + low[0] + 0.5 - a[0], y + low[1] + 0.5 - a[1]
        along = b - a
        length = along @ along
        share = (x * along[0] + y * along[1]) / length if length else x * 0.
        share = np.clip(share, 0, 1)
        near = (x - share * along[0]) ** 2 + (y - share * along[1]) ** 2
        window |= near <= reach**2
    return found


def mask_polygons(
    mask: np.ndarray,
    *,
    tolerance: float,
    min_iou: float,
    min_area: int,
) -> list[np.ndarray]:
    """Outlines a mask by polygons without holes.

    Args:
        mask: bool or integers (H, W), not 0 inside.
        tolerance: Pixels that an outline may move by, >= 0; with 0 filling
            the polygons gives back the mask exactly.
        min_iou: A piece whose simplified polygon would overlap it by a
            smaller IoU gets half of the tolerance, a quarter, and last its
            exact outline: a thin crack would vanish otherwise.
        min_area: Pieces and holes of fewer pixels are passed over, >= 0.

    Returns:
        (N, 2) float64 each, x and y; one polygon for each piece, its holes
        joined by :func:`keyhole`.
    """
    polygons = []
    for outline in mask_outlines(mask):
        if _area(outline.outer) < min_area:
            continue
        holes = [h for h in outline.holes if -_area(h) >= min_area]
        rings = [outline.outer, *holes]
        simple = _simplest(rings, tolerance=tolerance, min_iou=min_iou)
        polygons.append(keyhole(simple[0], simple[1:]))
    return polygons


def _simplest(
    rings: Sequence[np.ndarray], *, tolerance: float, min_iou: float
) -> list[np.ndarray]:
    """Simplifies the rings of a piece as far as its shape bears it."""
    low = np.min(rings[0], axis=0)
    width, height = np.max(rings[0], axis=0) - low
    exact = None
    for part in (tolerance, tolerance / 2, tolerance / 4):
        if part <= 0:
            break
        simple = [simplify(ring, part) for ring in rings]
        if len(simple[0]) < 3:
            continue
        simple = [ring for ring in simple if len(ring) >= 3]
        if exact is None:
            exact = fill([ring - low for ring in rings], (height, width))
        found = fill([ring - low for ring in simple], (height, width))
        both = np.count_nonzero(found & exact)
        if both >= min_iou * np.count_nonzero(found | exact):
            return simple
    return [np.asarray(ring, np.float64) for ring in rings]
