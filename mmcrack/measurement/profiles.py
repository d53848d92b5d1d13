"""Width across a crack, from the profile along its normal.

Not in the papers. On each side of the centreline the value v falls from 1
in the crack to 0 beside it. Two readings of where the edge is:

* ``'level'``: where v, interpolated linearly, first falls below the level;
* ``'mean'``: v read as the probability that the edge lies farther out; the
  edge's mean distance is then the integral of v, and its variance that of
  the distribution ``P(edge > t) = max over s >= t of v(s)``, divided by its
  value at 0. A blur moves neither, so a crack narrower than the blur keeps
  its width; and the integral over a mask is its area, cut in slices. Where
  the edge is many of its standard deviations away, v(0) < 1 is no blur but
  doubt whether the place is crack at all; there the distance is the mean of
  that distribution, which leaves the doubt out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from mmcrack.measurement.sampling import Field, frame_distance

EDGES = ('mean', 'level')
# Beyond the level the profile is followed for this many pixels, as long as
# it falls: what comes then is another crack or the map's unrest.
_TAIL = 3.0
_FLOOR = 0.02
# From so many standard deviations of the edge on a blur leaves the middle of
# a crack as it is, and wholly so from the second figure on.
_FAR = (3.0, 5.0)
# No edge is read off sharper than a pixel's own spread, 1 / sqrt(12).
_SHARP = 0.29


@dataclass(frozen=True, kw_only=True)
class Side:
    """The edge on one side of K places of a centreline.

    Attributes:
        distance (np.ndarray): Float64, (K,), from the place to the edge, in
            pixels; NaN where the profile met none or left the picture.
        variance (np.ndarray): Float64, (K,), of that distance, in square
            pixels, on the condition that the place is crack.
    """

    distance: NDArray[np.float64]
    variance: NDArray[np.float64]


def profile_sides(field: Field, places: NDArray[np.floating],
                  normals: NDArray[np.floating], *, reach: float,
                  level: float, edges: str, smoothing: float
                  ) -> tuple[Side, Side]:
    """Find both edges of a crack along its normals.

    Args:
        field (Field): Mask or crack probability.
        places (np.ndarray): Float, (K, 2), (x, y), on the centreline, in
            order, about a pixel apart.
        normals (np.ndarray): Float, (K, 2), of length 1.
        reach (float): How far to look on each side, in pixels.
        level (float): Value at the edge, between 0 and 1.
        edges (str): ``'mean'`` or ``'level'``.
        smoothing (float): Standard deviation, in places, of a Gaussian
            along the crack that evens out noise before anything else.

    Returns:
        tuple[Side, Side]: Along the normal, and against it.
    """
    # Very wide patches are sampled coarser, to bound the memory.
    step = max(float(np.clip(reach / 16, 0.5, 1)), reach / 512)
    away = np.arange(0, reach + step, step)
    sides = []
    for sign in (1, -1):
        points = places[:, None] + sign * away[:, None] * normals[:, None]
        value = field.sample(points)
        if smoothing and len(places) > 1:
            value = gaussian_filter1d(value, smoothing, 0, mode='nearest')
        inside = frame_distance(points, field.values.shape) >= 0
        sides.append(_side(value, inside, away, level, edges))
    return sides[0], sides[1]


def _side(value, inside, away, level, edges):
    """Read one side's profiles, (K, T) at the distances ``away``."""
    step = away[1] - away[0]
    rows = np.arange(len(value))
    below = value < level
    first = np.argmax(below, 1)
    before = np.maximum(first - 1, 0)
    fall = value[rows, before] - value[rows, first]
    crossing = away[before] + step * (
        value[rows, before] - level) / np.maximum(fall, 1e-6)
    found = below.any(1) & inside[rows, first] & (first > 0)
    # As a distribution of the edge the profile can only fall.
    beyond = np.arange(len(away)) >= first[:, None]
    falling = np.minimum.accumulate(np.where(beyond, value, 2.0), 1)
    profile = np.where(beyond, falling, np.clip(value, 0, 1))
    profile[(profile < _FLOOR) | (away > crossing[:, None] + _TAIL)] = 0
    weight = np.full(len(away), step)
    weight[0] /= 2
    # A crack whose middle is less sure than its sides is no narrower there.
    farther = np.maximum.accumulate(profile[:, ::-1], 1)[:, ::-1]
    farther = farther / np.maximum(farther[:, :1], level)
    centre = farther @ weight
    variance = np.maximum(2 * (farther @ (weight * away)) - centre**2, 0)
    distance = crossing
    if edges == 'mean':
        spread = np.maximum(np.sqrt(variance), _SHARP)
        far = np.clip((centre / spread - _FAR[0]) / (_FAR[1] - _FAR[0]), 0, 1)
        distance = (1 - far) * (profile @ weight) + far * centre
    return Side(distance=np.where(found, distance, np.nan),
                variance=np.where(found, variance, np.nan))
