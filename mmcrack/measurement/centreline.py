"""From a chain of skeleton pixels to a smooth line, and its length.

Not in the papers. Places are (x, y) in pixels.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d


def smooth_line(points: NDArray[np.floating], *, sigma: float,
                closed: bool) -> NDArray[np.float64]:
    """Smooth a line without moving its ends.

    Beyond its ends the line is continued by its reflection in the end
    point, so a straight line stays as it is.

    Args:
        points (np.ndarray): Float, (K, 2).
        sigma (float): Standard deviation of the Gaussian, in points.
        closed (bool): Whether the last point is the first again.

    Returns:
        np.ndarray: Float64, (K, 2).
    """
    points = np.asarray(points, np.float64)
    if len(points) < 3 or sigma <= 0:
        return points.copy()
    if closed:
        ring = gaussian_filter1d(points[:-1], sigma, axis=0, mode='wrap')
        return np.concatenate([ring, ring[:1]])
    reach = min(int(4 * sigma) + 1, len(points) - 1)
    before = 2 * points[0] - points[reach:0:-1]
    after = 2 * points[-1] - points[-2:-reach - 2:-1]
    line = gaussian_filter1d(
        np.concatenate([before, points, after]), sigma, axis=0,
        mode='nearest')
    return line[reach:reach + len(points)]


def line_length(points: NDArray[np.floating]) -> float:
    """Length of a polyline, in the units of its points."""
    steps = np.diff(points, axis=0)
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())


def resample(points: NDArray[np.floating], *, step: float
             ) -> NDArray[np.float64]:
    """Set points at even distances on a polyline.

    Args:
        points (np.ndarray): Float, (K, 2).
        step (float): Distance wanted; the ends stay where they are.

    Returns:
        np.ndarray: Float64, (M, 2), M >= 3; one point for a line without
        length.
    """
    steps = np.diff(points, axis=0)
    along = np.concatenate(
        [[0.0], np.cumsum(np.hypot(steps[:, 0], steps[:, 1]))])
    if along[-1] == 0:
        return np.asarray(points[:1], np.float64)
    # Three at least, so that one lies in the middle.
    count = max(3, round(along[-1] / step) + 1)
    wanted = np.linspace(0, along[-1], count)
    return np.stack([np.interp(wanted, along, points[:, axis])
                     for axis in (0, 1)], 1)


def line_normals(points: NDArray[np.floating], *, sigma: float,
                 closed: bool) -> NDArray[np.float64]:
    """Unit normals of a line, from a smoother copy of it.

    Args:
        points (np.ndarray): Float, (K, 2), K >= 2, evenly spaced.
        sigma (float): Smoothing of the copy, in points.
        closed (bool): Whether the last point is the first again.

    Returns:
        np.ndarray: Float64, (K, 2); the tangent turned by 90 degrees.
    """
    line = smooth_line(points, sigma=sigma, closed=closed)
    if closed:
        ring = np.concatenate([line[-2:-1], line, line[1:2]])
        tangent = ring[2:] - ring[:-2]
    else:
        tangent = np.gradient(line, axis=0)
    size = np.hypot(tangent[:, 0], tangent[:, 1])
    still = size == 0
    tangent[still], size[still] = (1.0, 0.0), 1.0
    tangent /= size[:, None]
    return np.stack([-tangent[:, 1], tangent[:, 0]], 1)
