"""What is found of narrow and of wide cracks.

Not in the papers: a few wide cracks hold most of a set's pixels and hide in
its figures that narrow ones are missed.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from mmcrack.functional.metrics.masks import image_masks
from mmcrack.functional.metrics.near import distance_to, near
from mmcrack.functional.metrics.skeleton import skeleton


class WidthCounts(NamedTuple):
    """Pixels of one image, by the true width of the crack nearby.

    Attributes:
        true (np.ndarray): Int64, (K + 1,), true crack pixels.
        found (np.ndarray): Those that are predicted.
        near (np.ndarray): Those with a predicted pixel in reach.
        wrong (np.ndarray): Predicted pixels that are no crack, by the
            nearest true crack, if it is in reach.
        elsewhere (int): Predicted pixels with no true crack in reach.
    """

    true: np.ndarray
    found: np.ndarray
    near: np.ndarray
    wrong: np.ndarray
    elsewhere: int


def local_widths(mask: np.ndarray) -> np.ndarray:
    """Return the width of a mask at each of its pixels.

    A pixel of the centre line has twice its distance to the outside less
    one pixel; and one more where the pixel beside it is as far from the
    outside, as in an even width. That is exact for bars along the axes and
    within a pixel otherwise. All other pixels take the width of the nearest
    pixel of the centre line. The outside of the image counts as crack.

    Args:
        mask (np.ndarray): Bool, (H, W).

    Returns:
        np.ndarray: Float32, (H, W), in pixels; also outside the mask, the
        width of the crack nearby. Infinite without background, 0 without
        crack.
    """
    if not mask.any() or mask.all():
        return np.full(mask.shape, np.inf if mask.any() else 0, np.float32)
    distance = distance_to(~mask)
    line = skeleton(mask, method='zhang')
    padded = np.pad(np.where(line, 0, distance), 1)
    beside = np.max([padded[:-2, 1:-1], padded[2:, 1:-1],
                     padded[1:-1, :-2], padded[1:-1, 2:]], axis=0)
    even = (beside >= distance - 1e-3) & line
    _, label = cv2.distanceTransformWithLabels(
        (~line).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5,
        labelType=cv2.DIST_LABEL_PIXEL)
    widths = np.zeros(int(label.max()) + 1, np.float32)
    widths[label[line]] = 2 * distance[line] - 1 + even[line]
    return widths[label]


def width_counts(pred, target, *, limits: Sequence[float], reach: float,
                 valid=None) -> WidthCounts:
    """Count what is found in each class of true width.

    Args:
        pred (np.ndarray | Tensor): (H, W), bool or {0, 1}; 1 is crack.
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}.
        limits (Sequence[float]): K rising widths in pixels; a limit belongs
            to the class below it.
        reach (float): In pixels, a disc: what counts as near, and how far
            from a crack a false alarm is still laid at its door.
        valid (np.ndarray | Tensor, optional): (H, W), bool or {0, 1}; false
            where a pixel is ignored.

    Returns:
        WidthCounts: Of this image.

    Raises:
        ValueError: If a mask is not 2-D, shapes differ, a judged value is
            neither 0 nor 1, or ``reach`` is none.
    """
    pred, target, _ = image_masks(pred, target, valid=valid)
    kind = np.searchsorted(np.asarray(limits), local_widths(target))
    wrong = pred & ~target
    beside = near(target, tau=reach, shape='disc')
    close = near(pred, tau=reach, shape='disc')

    def count(mask):
        """Pixels of a mask in each class of width."""
        return np.bincount(kind[mask], minlength=len(limits) + 1)

    return WidthCounts(
        count(target), count(target & pred), count(target & close),
        count(wrong & beside), int(np.count_nonzero(wrong & ~beside)))
