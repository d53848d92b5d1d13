"""Widths of labels, and of the dark lines below them (12 and 17).

Not in the papers.
"""

from typing import NamedTuple

import cv2
import numpy as np
from skimage.morphology import skeletonize

# Upper bounds of the classes of the distribution, in pixels.
WIDTH_BOUNDS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, float('inf'))

# The darkest of several uneven pixels is easily 2 standard deviations dark.
_CLEAR = 2.5


class Widths(NamedTuple):
    """Widths of a label along its skeleton.

    Attributes:
        median: In pixels.
        p95: In pixels.
        largest: In pixels.
        counts: Skeleton pixels in each class of :data:`WIDTH_BOUNDS`.
    """

    median: float
    p95: float
    largest: float
    counts: tuple[int, ...]


class Visible(NamedTuple):
    """The dark line below a label.

    Attributes:
        judged: Part of the label, 0 to 1, that has a clear line below it.
        ratio: Area of the label over that of the dark line, >= 1.
        rim: Pixels by which the label is wider, on each side.
    """

    judged: float
    ratio: float
    rim: float


def label_widths(crack: np.ndarray) -> Widths | None:
    """Measures the widths of a label.

    The width at a skeleton pixel is twice its distance to the background
    less one pixel: 1 for a line of one pixel, and within a pixel of the
    truth for wider ones.

    Args:
        crack: bool (H, W).

    Returns:
        The widths; None for an empty label.
    """
    if not crack.any():
        return None
    padded = np.pad(crack.astype(np.uint8), 1)
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    widths = 2 * distance[skeletonize(crack)] - 1
    classes = np.searchsorted(WIDTH_BOUNDS, widths)
    counts = np.bincount(classes, minlength=len(WIDTH_BOUNDS))
    median, p95 = np.quantile(widths, [0.5, 0.95])
    return Widths(float(median), float(p95), float(widths.max()),
                  tuple(int(c) for c in counts))


def visible_width(
    grey: np.ndarray, crack: np.ndarray, *, width: float
) -> Visible | None:
    """Compares a label with the dark line below it.

    The background's level is the mean of a ring around the label, in the
    neighbourhood; the line's depth is the darkest that lies nearby within
    the label. Pixels darker than half of that depth are the line.

    Args:
        grey: uint8 (H, W).
        crack: bool (H, W).
        width: Median width of the label in pixels.

    Returns:
        What is seen; None where less than half of the label has a line that
        stands out from the background's unevenness.
    """
    grey = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 0.7)
    mask = crack.astype(np.uint8)
    outer = int(4 + 0.5 * width) + 3
    ring = (_widened(mask, outer) > 0) & (_widened(mask, 3) == 0)
    if not ring.any() or not crack.any():
        return None
    around = max(31, 4 * int(width) + 1)
    weight = cv2.blur(ring.astype(np.float32), (around, around))
    level = cv2.blur(grey * ring, (around, around)) / np.maximum(
        weight, 1e-6)
    known = weight > 1e-4
    dark = np.where(known, level - grey, 0).astype(np.float32)
    unevenness = float(np.sqrt((dark[ring] ** 2).mean()))
    depth = _depth(dark, crack, width)
    judged = crack & known & (depth > _CLEAR * unevenness)
    share = judged.sum() / crack.sum()
    if share < 0.5:
        return None
    line = judged & (dark > 0.5 * depth)
    filled = max(float(line.sum()) / float(judged.sum()), 1e-3)
    return Visible(float(share), 1 / filled, width * (1 - filled) / 2)


def _depth(dark: np.ndarray, crack: np.ndarray, width: float) -> np.ndarray:
    """Darkness of the line nearby, smooth along the crack."""
    side = 2 * (int(width) + 2) + 1
    far = np.float32(-1e3)
    darkest = cv2.dilate(
        np.where(crack, dark, far), np.ones((side, side), np.uint8))
    share = cv2.blur(crack.astype(np.float32), (31, 31))
    total = cv2.blur(
        np.where(crack, darkest, 0).astype(np.float32), (31, 31))
    return np.where(crack, total / np.maximum(share, 1e-6), 0)


def _widened(mask: np.ndarray, radius: int) -> np.ndarray:
    kernel = cv2.getStructuringElement(
        cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate(mask, kernel)
