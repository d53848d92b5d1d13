"""How far a predicted boundary lies from the true one, and on which side.

Not in the papers: it shows whether a network draws cracks too wide (errors
above 0), too narrow (below 0) or ragged (both), which no ratio tells.
"""

import cv2
import numpy as np

from mmcrack.functional.metrics.masks import image_masks
from mmcrack.functional.metrics.near import distance_to

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def boundary_errors(pred, target, *, valid=None) -> np.ndarray:
    """Measure the distance of each predicted boundary pixel to the truth's.

    A boundary pixel is a pixel of a mask beside one outside (4 neighbours;
    the frame of the image is no boundary, and neither are pixels beside
    ignored ones). Between its centre and that of the nearest true boundary
    pixel the distance is taken; it is positive outside the true mask and
    negative inside.

    Args:
        pred (np.ndarray | Tensor): (H, W), bool or {0, 1}; 1 is crack.
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}.
        valid (np.ndarray | Tensor, optional): (H, W), bool or {0, 1}; false
            where a pixel is ignored.

    Returns:
        np.ndarray: Float32, (B,), in pixels, row by row; infinite without
        any true boundary.

    Raises:
        ValueError: If a mask is not 2-D, shapes differ or a judged value is
            neither 0 nor 1.

    Example:
        >>> truth = np.zeros((7, 9), bool)
        >>> truth[3] = True
        >>> wide = np.zeros((7, 9), bool)
        >>> wide[2:5] = True
        >>> set(boundary_errors(wide, truth).tolist())
        {1.0}
    """
    pred, target, valid = image_masks(pred, target, valid=valid)
    judged = None
    if valid is not None:
        judged = cv2.erode(valid.astype(np.uint8), _CROSS) > 0
    found, true = (_boundary(mask, judged) for mask in (pred, target))
    distance = distance_to(true)
    return np.where(target, -distance, distance)[found]


def error_histogram(errors: np.ndarray, *, limit: int) -> np.ndarray:
    """Count errors in bins of one pixel around -limit, ..., limit.

    Args:
        errors (np.ndarray): Float, (B,), in pixels; may be infinite.
        limit (int): The outer bins hold all that lies beyond, too.

    Returns:
        np.ndarray: Int64, (2 * limit + 1,). What lies half way between two
        bins belongs to the outer one.
    """
    near = np.clip(errors, -limit, limit)
    rounded = np.sign(near) * np.floor(np.abs(near) + 0.5)
    return np.bincount(rounded.astype(np.int64) + limit,
                       minlength=2 * limit + 1)


def _boundary(mask: np.ndarray, judged: np.ndarray | None) -> np.ndarray:
    """Pixels of a mask beside its outside."""
    # OpenCV takes what lies beyond the frame for crack here.
    edge = mask & (cv2.erode(mask.astype(np.uint8), _CROSS) == 0)
    return edge if judged is None else edge & judged
