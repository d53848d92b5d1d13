"""Where a crack ends: points on its edge, and circles inside it.

Not in the papers. Places are (x, y) in pixels.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mmcrack.measurement.sampling import Field


def edge_points(mask: NDArray[np.uint8], field: Field | None, *,
                level: float) -> NDArray[np.float32]:
    """Find points on the edge of a mask, between its pixels.

    Between each pixel of the mask and each of its four neighbours outside
    lies one point: half way, or where the probability, interpolated
    linearly, falls through the level. Where it does not (a mask that was
    not made from this map), half way too. Where the edge runs on straight,
    another point lies between two of them. The frame is no edge.

    Args:
        mask (np.ndarray): Uint8, (H, W), {0, 1}.
        field (Field | None): Crack probability; None for half way.
        level (float): Probability at the edge.

    Returns:
        np.ndarray: Float32, (E, 2), (x, y) in pixels.
    """
    # One look at the whole picture; the rest is as long as the edge.
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    rim = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, cross) & mask
    inner = np.argwhere(rim)
    parts = []
    for step in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        here = inner[_is_edge(mask, inner, step)]
        points = _between(here, step, field, level)
        beside = here + np.abs(step[::-1])
        goes_on = _is_edge(mask, beside, step)
        parts += [points, (points[goes_on] + _between(
            beside[goes_on], step, field, level)) / 2]
    return np.concatenate(parts)


def _is_edge(mask, pixels, step):
    """Whether pixels are crack and their neighbours by a step are not."""
    size = np.array(mask.shape)
    outer = pixels + step
    edge = ((pixels < size) & (outer >= 0) & (outer < size)).all(1)
    edge[edge] = mask[tuple(pixels[edge].T)] == 1
    edge[edge] = mask[tuple(outer[edge].T)] == 0
    return edge


def _between(pixels, step, field, level):
    """Edge points (x, y) between crack pixels and their neighbours."""
    share = np.full(len(pixels), 0.5, np.float32)
    if field is not None:
        high, low = field.at(*pixels.T), field.at(*(pixels + step).T)
        falls = (high >= level) & (low < level)
        share[falls] = ((high - level) / np.maximum(high - low, 1e-6))[falls]
    points = pixels + share[:, None] * np.array(step, np.float32)
    return points[:, ::-1].astype(np.float32)


class EdgeDistance:
    """Euclidean distance transform, evaluated only where it is asked for.

    Args:
        points (np.ndarray): Float, (E, 2), of :func:`edge_points`.
    """

    def __init__(self, points: NDArray[np.floating]):
        self._tree = cKDTree(points) if len(points) else None

    def __call__(self, places: NDArray[np.floating]
                 ) -> NDArray[np.float64]:
        """Return the radius of the largest circle around each place.

        Args:
            places (np.ndarray): Float, (..., 2), (x, y) in pixels, inside
                the crack.

        Returns:
            np.ndarray: Float64, (...), in pixels; infinite where the
            picture has no edge at all.
        """
        if self._tree is None:
            return np.full(places.shape[:-1], np.inf)
        return self._tree.query(places)[0]
