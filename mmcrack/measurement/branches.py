"""One branch of a crack: its centreline, its length, its widths.

Not in the papers. Places are (x, y) in pixels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from mmcrack.measurement import ends
from mmcrack.measurement.centreline import (
    line_length,
    line_normals,
    resample,
    smooth_line,
)
from mmcrack.measurement.edges import EdgeDistance
from mmcrack.measurement.profiles import profile_sides
from mmcrack.measurement.sampling import Field

# Smoothing of the centreline: just enough for the steps between pixels.
# More would cut the corners of a jagged crack: its length falls.
_CHAIN_SIGMA = 0.7
_CENTRED_SIGMA = 0.5
_SIGMA_PER_HALF_WIDTH = 0.1
# The direction across needs a calmer line than the length.
_NORMAL_SIGMA = 1.5
_NORMAL_SIGMA_PER_HALF_WIDTH = 0.1
# A profile that is this much wider than the circle runs along another
# branch, not across this one.
_WIDER_THAN_CIRCLE = 1.5
_WIDER_BY = 2.0


@dataclass(frozen=True, kw_only=True)
class BranchMeasurement:
    """A branch between two ends, junctions, or both.

    Attributes:
        points (np.ndarray): Float64, (K, 2), (x, y), centreline, about one
            pixel apart, from edge to edge at free ends.
        normals (np.ndarray): Float64, (K, 2), across the crack.
        widths (np.ndarray): Float64, (K,), along the normal between two
            edges, in pixels; NaN where there are not two (at junctions, at
            the frame).
        circle_widths (np.ndarray): Float64, (K,), diameter of the largest
            circle around the point; NaN near free ends, where it shrinks.
        width_std (np.ndarray): Float64, (K,), standard deviation of
            ``widths`` from the probability map; NaN without one.
        length (float): In pixels.
        free (tuple[bool, bool]): Whether the ends are free, rather than
            junctions.
        closed (bool): Whether it is a loop without any junction.
    """

    points: NDArray[np.float64]
    normals: NDArray[np.float64]
    widths: NDArray[np.float64]
    circle_widths: NDArray[np.float64]
    width_std: NDArray[np.float64]
    length: float
    free: tuple[bool, bool]
    closed: bool


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What all branches of a picture are measured in.

    Attributes:
        mask (Field): The mask.
        probability (Field | None): Crack probability.
        distance (EdgeDistance): To the nearest edge.
        level (float): Probability at the edge.
        edges (str): How a profile is read, see ``profiles``.
        smoothing (float): Standard deviation, in pixels, of the Gaussian
            that averages widths along the crack.
    """

    mask: Field
    probability: Field | None
    distance: EdgeDistance
    level: float
    edges: str
    smoothing: float

    @property
    def field(self) -> Field:
        """Where profiles are read."""
        return self.probability or self.mask


def measure_branch(chain: NDArray[np.floating],
                   radius: NDArray[np.floating],
                   around: Surroundings, *, free: tuple[bool, bool],
                   closed: bool, axis: NDArray[np.floating]
                   ) -> BranchMeasurement:
    """Measure a chain of skeleton pixels.

    Args:
        chain (np.ndarray): Float, (K, 2), (x, y), K >= 1, in order.
        radius (np.ndarray): Float, (K,), half width at each, finite.
        around (Surroundings): What to measure in.
        free (tuple[bool, bool]): Which ends are free.
        closed (bool): Whether the last pixel is the first again.
        axis (np.ndarray): Float, (2,), direction to take where the chain
            is too short to have one.

    Returns:
        BranchMeasurement: In pixels.
    """
    shape = around.mask.values.shape
    kept = slice(0, len(chain)) if closed else ends.trustworthy(
        chain, radius, free=free, shape=shape)
    half = float(np.median(radius[kept]))
    reach = 1.5 * float(radius.max()) + 4
    line = _centred(chain[kept], around, half, reach, free, closed)
    line, added = _prolong(line, chain, radius, around, half, free, axis)
    line = resample(line, step=1.0)
    if len(line) < 2:
        line = line + 0.05 * np.outer([-1, 0, 1], axis)
    normals = _normals(line, half, closed)
    left, right = _sides(around, line, normals, reach)
    widths = left.distance + right.distance
    circles = 2 * around.distance(line)
    circles[~np.isfinite(circles)] = np.nan
    shrunk = _near_free(line, added)
    if shrunk.all():
        # A blob is nothing but ends: its largest circle stays.
        shrunk[np.argmax(np.nan_to_num(circles))] = False
    circles[shrunk] = np.nan
    usual = np.where(shrunk, 2 * radius.max(), circles)
    off = widths > _WIDER_THAN_CIRCLE * usual + _WIDER_BY
    off |= _near_ends(line, radius, free)
    widths[off] = np.nan
    std = np.sqrt(left.variance + right.variance)
    std[np.isnan(widths)] = np.nan
    if around.probability is None:
        std[:] = np.nan
    return BranchMeasurement(
        points=line, normals=normals,
        widths=average_along(widths, around.smoothing, closed=closed),
        circle_widths=circles, width_std=std, length=line_length(line),
        free=free, closed=closed)


def _centred(chain, around, half, reach, free, closed):
    """Smooth a chain of pixels and move it to the middle of the crack."""
    sigma = _SIGMA_PER_HALF_WIDTH * half
    line = resample(smooth_line(chain, sigma=_CHAIN_SIGMA + sigma,
                                closed=closed), step=1.0)
    if len(line) < 3:
        return line
    normals = _normals(line, half, closed)
    left, right = _sides(around, line, normals, reach)
    limit = 1 + 0.3 * half
    shift = np.clip(np.nan_to_num((left.distance - right.distance) / 2),
                    -limit, limit)
    if not closed:
        # A junction stays where its branches meet.
        shift[[0, -1]] *= free
    return smooth_line(line + normals * shift[:, None],
                       sigma=_CENTRED_SIGMA + sigma, closed=closed)


def _prolong(line, chain, radius, around, half, free, axis):
    """Continue a line to the crack's edge at its free ends."""
    added = [0.0, 0.0]
    limit = 4 * float(radius.max()) + 4
    for end in (0, 1):
        if not free[end]:
            continue
        line = line[::-1] if end else line
        direction = ends.end_direction(line, half)
        if not direction.any():
            direction = ends.end_direction(
                chain[::-1] if end else chain, half)
        if not direction.any() or (all(free) and len(line) == 1):
            direction = axis if end else -axis
        way = ends.way_to_edge(line[0], direction, around.mask, level=0.5,
                               limit=limit)
        line = ends.extend(line, direction, way)
        added[end] = way
        line = line[::-1] if end else line
    return line, added


def _normals(line, half, closed):
    return line_normals(
        line, closed=closed,
        sigma=_NORMAL_SIGMA + _NORMAL_SIGMA_PER_HALF_WIDTH * half)


def _sides(around, line, normals, reach):
    """Profiles, evened out along the crack where they are noisy."""
    noisy = around.probability is not None
    return profile_sides(
        around.field, line, normals, reach=reach, level=around.level,
        edges=around.edges if noisy else 'mean',
        smoothing=around.smoothing / 2 if noisy else 0.0)


def _near_ends(line, radius, free):
    """Places whose profile is not across this branch alone."""
    near = np.zeros(len(line), bool)
    for end, size in ((0, radius[0]), (-1, radius[-1])):
        away = np.hypot(*(line - line[end]).T)
        if not free[end]:
            near |= away <= size + 1
        else:
            # The last pixel of a crack may be covered in part only; of a
            # speck the middle is left.
            near |= away < min(1.0, 0.45 * line_length(line))
    return near


def _near_free(line, added):
    """Places on the straight pieces that were added."""
    near = np.zeros(len(line), bool)
    for end, way in ((0, added[0]), (-1, added[1])):
        if way:
            near |= np.hypot(*(line - line[end]).T) < way
    return near


def average_along(values: NDArray[np.floating], sigma: float, *,
                  closed: bool) -> NDArray[np.float64]:
    """Average over neighbours with Gaussian weights, without the gaps.

    Args:
        values (np.ndarray): Float, (K,); NaN is a gap and stays one.
        sigma (float): Standard deviation, in points; 0 changes nothing.
        closed (bool): Whether the last point is the first again.

    Returns:
        np.ndarray: Float64, (K,).
    """
    there = ~np.isnan(values)
    if sigma <= 0 or not there.any():
        return np.asarray(values, np.float64)
    mode = 'wrap' if closed else 'constant'
    total = gaussian_filter1d(
        np.where(there, values, 0.0), sigma, mode=mode)
    weight = gaussian_filter1d(there.astype(np.float64), sigma, mode=mode)
    return np.where(there, total / np.maximum(weight, 1e-12), np.nan)
