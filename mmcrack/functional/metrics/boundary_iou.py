"""Boundary IoU: Cheng et al., "Boundary IoU", CVPR 2021.

The IoU of two bands, each on the inner side of its mask's outline. A crack
that is at most two bands wide is all band, and its Boundary IoU is its IoU.

As in the released code (``boundary_iou/utils/boundary_utils.py``) the band
is what ``d`` erosions with 3 x 3 pixels take away, and beyond the border of
the image is background, so that a crack cut by the border has outline there.
"""

import math

import cv2
import numpy as np

from mmcrack.functional.metrics.counts import Counts, iou
from mmcrack.functional.metrics.masks import (
    bounding_box,
    count_judged,
    image_masks,
)


def boundary_width(height: int, width: int, *, ratio=None,
                   pixels=None) -> int:
    """Return the width of the bands.

    Example: 450 x 450 with ``ratio=0.02`` gives 13.

    Args:
        height (int): Rows of the image.
        width (int): Columns of the image.
        ratio (float, optional): Share of the image's diagonal, rounded to a
            pixel, at least 1 (0.02 in the paper). An image cut into tiles
            then gets other bands than the whole.
        pixels (int, optional): The width itself, at least 1. Exactly one of
            the two is given.

    Returns:
        int: In pixels.

    Raises:
        ValueError: If not exactly one is given or it is out of range.
    """
    if (ratio is None) == (pixels is None):
        raise ValueError('Give the width of the band as one of ratio (share '
                         f'of the diagonal) and pixels, got ratio={ratio!r} '
                         f'and pixels={pixels!r}.')
    if ratio is not None:
        if not 0 < ratio < 1:
            raise ValueError('ratio must be in (0, 1), a share of the '
                             f'diagonal, got {ratio!r}.')
        return max(1, round(ratio * math.hypot(height, width)))
    if (isinstance(pixels, bool)
            or not isinstance(pixels, (int, np.integer)) or pixels < 1):
        raise ValueError(
            f'pixels must be an integer of at least 1, got {pixels!r}.')
    return int(pixels)


def boundary_region(mask: np.ndarray, *, width: int,
                    valid=None) -> np.ndarray:
    """Return the pixels of a mask that are within ``width`` of its outline.

    Args:
        mask (np.ndarray): Bool, (H, W), false where ignored.
        width (int): In pixels, along rows, columns and diagonals.
        valid (np.ndarray, optional): Bool, (H, W). Ignored pixels are no
            background: they make no outline.

    Returns:
        np.ndarray: Bool, (H, W).
    """
    out = np.zeros_like(mask)
    box = bounding_box(mask, margin=width)
    if box is None:
        return out
    solid = mask[box] if valid is None else (mask | ~valid)[box]
    # The frame stands for what is beyond the image. Where the crop ends
    # inside the image it is too far from the mask to matter.
    framed = cv2.copyMakeBorder(
        np.ascontiguousarray(solid).view(np.uint8), 1, 1, 1, 1,
        cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(framed, cv2.DIST_C, 3)[1:-1, 1:-1]
    out[box] = mask[box] & (depth < width + 0.5)
    return out


def boundary_iou_counts(pred, target, *, ratio=None, pixels=None,
                        valid=None) -> Counts:
    """Count the pixels of the two bands against each other.

    Args:
        pred (np.ndarray | Tensor): (H, W), bool or {0, 1}; 1 is crack.
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}.
        ratio (float, optional): See :func:`boundary_width`.
        pixels (int, optional): See :func:`boundary_width`.
        valid (np.ndarray | Tensor, optional): (H, W), bool or {0, 1}; false
            where a pixel is ignored: it is in no band and makes no outline.

    Returns:
        Counts: With the bands in the place of the masks; ``+`` pools.

    Raises:
        ValueError: If a mask is not 2-D, shapes differ, a judged value is
            neither 0 nor 1 or the width is out of range.
    """
    pred, target, valid = image_masks(pred, target, valid=valid)
    width = boundary_width(*target.shape, ratio=ratio, pixels=pixels)
    pred, target = (
        boundary_region(x, width=width, valid=valid) for x in (pred, target))
    tp = int(np.count_nonzero(pred & target))
    fp = int(np.count_nonzero(pred)) - tp
    fn = int(np.count_nonzero(target)) - tp
    judged = count_judged(target.shape, valid)
    return Counts(tp, fp, fn, judged - tp - fp - fn)


def boundary_iou(pred, target, *, empty, ratio=None, pixels=None,
                 valid=None) -> float:
    """Return the Boundary IoU of one image.

    The paper scores single objects and takes the smaller of mask IoU and
    Boundary IoU inside average precision; here the crack class of an image
    is the object, and the Boundary IoU stands alone.

    Args:
        pred (np.ndarray | Tensor): (H, W), bool or {0, 1}; 1 is crack.
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}.
        empty (str): ``'skip'``, ``'zero'`` or ``'one'``; what a truth
            without crack scores, see
            :mod:`mmcrack.functional.metrics.counts`.
        ratio (float, optional): See :func:`boundary_width`.
        pixels (int, optional): See :func:`boundary_width`.
        valid (np.ndarray | Tensor, optional): (H, W); false where a pixel
            is ignored.

    Returns:
        float: In [0, 1] or NaN.

    Raises:
        ValueError: As :func:`boundary_iou_counts`; if ``empty`` is no rule.
    """
    return iou(
        boundary_iou_counts(
            pred, target, ratio=ratio, pixels=pixels, valid=valid),
        empty=empty)
