"""The last pieces of a centreline, where a skeleton is not to be trusted.

Not in the papers. Towards a free end thinning bends into a corner or stops
short. So the piece that the end's own circle covers is cut off, and the
line is continued straight to the edge of the crack. A bar of length L is
then L long, whatever its width and angle.
"""

import numpy as np
from numpy.typing import NDArray

from mmcrack.measurement.sampling import Field, frame_distance

# The corner of a flat end is sqrt(2) half widths from where thinning turns
# towards it.
_COVER = 1.5
# Length of the piece that gives the direction, in half widths, and at least.
_AIM = 1.5
_LEAST_AIM = 4.0
_STEP = 0.1
_GAP = 0.8


def trustworthy(chain: NDArray[np.floating], radius: NDArray[np.floating],
                *, free: tuple[bool, bool], shape: tuple[int, int]
                ) -> slice:
    """Say which part of a chain of skeleton pixels to keep.

    Left out at a free end: every point whose circle, widened by one half,
    reaches the end; and where the crack leaves the picture aslant, the
    points whose circle reaches the frame, because there the skeleton runs
    into the corner between crack and frame.

    Args:
        chain (np.ndarray): Float, (K, 2), (x, y).
        radius (np.ndarray): Float, (K,), distance to the edge, in pixels.
        free (tuple[bool, bool]): Which ends are free.
        shape (tuple[int, int]): Height and width of the picture.

    Returns:
        slice: At least one point.
    """
    count = len(chain)
    cut_by_frame = frame_distance(chain, shape) < radius
    low, high = 0, count
    if free[0]:
        low = _first_kept(chain, radius, cut_by_frame)
    if free[1]:
        high = count - _first_kept(
            chain[::-1], radius[::-1], cut_by_frame[::-1])
    if low >= high:
        middle = count // 2 if all(free) else (0, count - 1)[free[0]]
        return slice(middle, middle + 1)
    return slice(low, high)


def _first_kept(chain, radius, cut_by_frame):
    """Index of the first point to keep, from a free end on."""
    away = np.hypot(*(chain - chain[0]).T) > _COVER * radius
    covered = int(np.argmax(away)) if away.any() else len(chain)
    at_frame = len(chain) if cut_by_frame.all() else int(
        np.argmin(cut_by_frame))
    # A crack that runs along the frame is cut by it everywhere.
    return at_frame if covered < at_frame < len(chain) // 2 else covered


def end_direction(line: NDArray[np.floating], half_width: float
                  ) -> NDArray[np.float64]:
    """Direction in which a line leaves at its first point.

    Args:
        line (np.ndarray): Float, (K, 2), K >= 2, about a pixel apart.
        half_width (float): Of the crack, in pixels.

    Returns:
        np.ndarray: Float64, (2,), of length 1; zero for a line of length 0.
    """
    reach = round(max(_LEAST_AIM, _AIM * half_width))
    ahead = line[0] - line[min(reach, len(line) - 1)]
    size = float(np.hypot(*ahead))
    return ahead / size if size else np.zeros(2)


def way_to_edge(start: NDArray[np.floating],
                direction: NDArray[np.floating], field: Field, *,
                level: float, limit: float) -> float:
    """How far a straight line stays in the crack and in the picture.

    Half a pixel to the side counts too: the line must not leave a crack of
    one pixel at its next step.

    Args:
        start (np.ndarray): Float, (2,), (x, y).
        direction (np.ndarray): Float, (2,), of length 1.
        field (Field): Mask or probability.
        level (float): Value at the edge.
        limit (float): Longest way, in pixels.

    Returns:
        float: In pixels.
    """
    along = np.arange(0, limit + _STEP, _STEP)
    places = start + along[:, None] * direction
    side = 0.5 * np.array([-direction[1], direction[0]])
    value = np.max([field.sample(places + s * side) for s in (-1, 0, 1)], 0)
    inside = (value >= level) & (
        frame_distance(places, field.values.shape) >= 0)
    # Between two pixels that touch by a corner the mask is half there.
    within = np.flatnonzero(inside)
    if not len(within) or within[0] * _STEP > _GAP:
        return 0.0
    jumps = np.flatnonzero(np.diff(within) * _STEP > _GAP)
    last = within[jumps[0]] if len(jumps) else within[-1]
    return float(along[last])


def extend(line: NDArray[np.floating], direction: NDArray[np.floating],
           distance: float) -> NDArray[np.float64]:
    """Continue a line straight beyond its first point."""
    if distance <= 0 or not direction.any():
        return np.asarray(line, np.float64)
    return np.concatenate([[line[0] + distance * direction], line])


def principal_axis(pixels: NDArray[np.integer]) -> NDArray[np.float64]:
    """Direction of the longest extent of some pixels.

    Args:
        pixels (np.ndarray): Int, (N, 2), row and column.

    Returns:
        np.ndarray: Float64, (2,), (x, y) of length 1; along the rows for a
        single pixel.
    """
    if len(pixels) < 2:
        return np.array([1.0, 0.0])
    spread = np.cov(pixels[:, ::-1].T.astype(np.float64))
    _, axes = np.linalg.eigh(spread + np.diag([1e-9, 0]))
    return axes[:, 1]


