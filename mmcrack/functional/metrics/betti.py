"""Betti errors: components and holes too many or too few.

As TopoNet (Hu et al., NeurIPS 2019) reports them: b0 is the number of
8-connected components of crack, b1 the number of holes, 4-connected pieces of
background that do not touch the border; the error is the absolute
difference, over the whole image or as a mean over windows.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from mmcrack.functional.metrics.masks import bounding_box, image_masks


@dataclass(frozen=True)
class BettiErrors:
    """Sums of absolute differences; ``+`` pools windows and images.

    Attributes:
        b0 (int): Summed error of the number of components.
        b1 (int): Summed error of the number of holes.
        windows (int): Windows (images without ``window``) in the sums.
    """

    b0: int
    b1: int
    windows: int

    def __add__(self, other: 'BettiErrors') -> 'BettiErrors':
        if not isinstance(other, BettiErrors):
            return NotImplemented
        return BettiErrors(self.b0 + other.b0, self.b1 + other.b1,
                           self.windows + other.windows)


def betti_numbers(mask: np.ndarray) -> tuple:
    """Return the numbers of components and of holes of a mask.

    Example: a ring gives (1, 1); two pixels that touch at a corner (1, 0).

    Args:
        mask (np.ndarray): Bool, (H, W).

    Returns:
        tuple[int, int]: b0 and b1.
    """
    box = bounding_box(mask, margin=0)
    if box is None:
        return 0, 0
    inside = mask[box].astype(np.uint8)
    components, _ = cv2.connectedComponents(inside, connectivity=8)
    outside = cv2.copyMakeBorder(
        1 - inside, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    pieces, _ = cv2.connectedComponents(outside, connectivity=4)
    # OpenCV counts what is 0 as one more; around all holes is one piece.
    return components - 1, pieces - 2


def betti_errors(pred, target, *, window=None, valid=None) -> BettiErrors:
    """Compare the Betti numbers of one image.

    Args:
        pred (np.ndarray | Tensor): (H, W), bool or {0, 1}; 1 is crack.
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}.
        window (int, optional): Cut the image into squares of this side in
            pixels (TopoNet: 65 and the like) from the upper left, smaller
            at the right and the lower edge, and sum their errors; None: the
            whole image. A hole that a window cuts is no hole there.
        valid (np.ndarray | Tensor, optional): (H, W), bool or {0, 1};
            ignored pixels are background of both; windows without a judged
            pixel are not counted.

    Returns:
        BettiErrors: Sums; :func:`betti_means` makes means of them.

    Raises:
        ValueError: If a mask is not 2-D, shapes differ, a judged value is
            neither 0 nor 1 or ``window`` is no positive integer.
    """
    if window is not None and (
            isinstance(window, bool) or window < 1 or window != int(window)):
        raise ValueError('window must be the side of a square in pixels, at '
                         f'least 1, or None, got {window!r}.')
    pred, target, valid = image_masks(pred, target, valid=valid)
    height, width = target.shape
    down, right = (window, window) if window else (height, width)
    b0 = b1 = windows = 0
    for top in range(0, height, max(int(down), 1)):
        for left in range(0, width, max(int(right), 1)):
            part = np.s_[top:top + int(down), left:left + int(right)]
            if valid is not None and not valid[part].any():
                continue
            windows += 1
            mine, truth = (betti_numbers(x[part]) for x in (pred, target))
            b0 += abs(mine[0] - truth[0])
            b1 += abs(mine[1] - truth[1])
    return BettiErrors(b0, b1, windows)


def betti_means(errors: BettiErrors) -> dict:
    """Return the mean errors per window.

    Args:
        errors (BettiErrors): Of one image or a sum of them.

    Returns:
        dict[str, float]: ``Betti0`` and ``Betti1``, at least 0; NaN without
        a window. A truth without crack has the Betti numbers 0 and 0:
        nothing is undefined.
    """
    if not errors.windows:
        return {'Betti0': float('nan'), 'Betti1': float('nan')}
    return {'Betti0': errors.b0 / errors.windows,
            'Betti1': errors.b1 / errors.windows}
