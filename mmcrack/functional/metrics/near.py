"""Distances of pixels, exact and fast: what lies near a mask.

Not in the papers: the parts that tolerances, boundary regions and bands
share.
"""

import cv2
import numpy as np

from mmcrack.functional.metrics.masks import bounding_box

SHAPES = ('disc', 'square')


def distance_to(mask: np.ndarray) -> np.ndarray:
    """Return the Euclidean distance of each pixel to the mask.

    Args:
        mask (np.ndarray): Bool, (H, W).

    Returns:
        np.ndarray: Float32, (H, W), in pixels, 0 on the mask; infinite if
        the mask is empty.
    """
    if not mask.any():
        return np.full(mask.shape, np.inf, np.float32)
    return cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2,
                                 cv2.DIST_MASK_PRECISE)


def near(mask: np.ndarray, *, tau: float, shape: str) -> np.ndarray:
    """Dilate: true where a pixel of the mask is at most ``tau`` away.

    Args:
        mask (np.ndarray): Bool, (H, W).
        tau (float): In pixels, at least 0; 0 gives the mask.
        shape (str): ``'disc'``, Euclidean distance; ``'square'``, the
            larger of the distances in rows and in columns.

    Returns:
        np.ndarray: Bool, (H, W).

    Raises:
        ValueError: If ``tau`` is negative or ``shape`` unknown.
    """
    check_reach(tau=tau, shape=shape)
    out = np.zeros_like(mask)
    box = bounding_box(mask, margin=int(tau))
    if box is None:
        return out
    inside = np.ascontiguousarray(mask[box])
    if shape == 'disc':
        # Squared distances are whole numbers: half-way between two of them
        # no rounding matters, up to about 1000 pixels in float32.
        limit = np.sqrt(np.floor(tau * tau * (1 + 1e-12)) + 0.5)
        out[box] = distance_to(inside) < np.float32(limit)
    else:
        side = 2 * int(tau) + 1
        # Beyond the border OpenCV adds nothing.
        out[box] = cv2.dilate(
            inside.view(np.uint8), np.ones((side, side), np.uint8)) > 0
    return out


def check_reach(*, tau: float, shape: str) -> None:
    """Refuse a tolerance that is none.

    Args:
        tau (float): In pixels.
        shape (str): ``'disc'`` or ``'square'``.

    Raises:
        ValueError: If ``tau`` is negative or not finite, or ``shape`` is
            unknown.
    """
    if not np.isfinite(tau) or tau < 0:
        raise ValueError(
            f'tau must be a distance in pixels of at least 0, got {tau!r}.')
    if shape not in SHAPES:
        raise ValueError(f"shape must be one of {', '.join(SHAPES)} (what "
                         f"lies within tau), got {shape!r}.")


def surface(mask: np.ndarray, valid=None) -> np.ndarray:
    """Return the pixels of a mask that have background beside them.

    Beside is above, below, left or right; beyond the border of the image is
    background (a mask that touches it has surface there), an ignored pixel
    is none. It is SciPy's ``mask & ~binary_erosion(mask)``.

    Args:
        mask (np.ndarray): Bool, (H, W), false where ignored.
        valid (np.ndarray, optional): Bool, (H, W).

    Returns:
        np.ndarray: Bool, (H, W).
    """
    out = np.zeros_like(mask)
    box = bounding_box(mask, margin=1)
    if box is None:
        return out
    solid = mask if valid is None else mask | ~valid
    kernel = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    inner = cv2.erode(
        np.ascontiguousarray(solid[box]).view(np.uint8), kernel,
        borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
    out[box] = mask[box] & ~inner
    return out
