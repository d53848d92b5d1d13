"""Boundary F1: Csurka et al., BMVC 2013, "What is a good evaluation measure".

Precision, recall and F1 with a tolerance, of the outlines alone: how well
the edges of the crack are drawn, whatever lies between them.
"""

import math

from mmcrack.functional.metrics.masks import count_judged, image_masks
from mmcrack.functional.metrics.near import check_reach, surface
from mmcrack.functional.metrics.tolerance import (
    MatchCounts,
    match_ratios,
    match_within,
)


def boundary_f1_counts(pred, target, *, ratio=None, pixels=None,
                       shape='disc', valid=None) -> MatchCounts:
    """Count the outline pixels that lie near the other outline.

    An outline pixel is crack and has background above, below, left or right
    (the border of the image is background, an ignored pixel is not).

    Args:
        pred (np.ndarray | Tensor): (H, W), bool or {0, 1}; 1 is crack.
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}.
        ratio (float, optional): Tolerance as a share of the image's
            diagonal, not rounded (0.0075 in the paper).
        pixels (float, optional): Tolerance in pixels, at least 0. Exactly
            one of the two is given.
        shape (str): ``'disc'``, Euclidean distance, or ``'square'``.
        valid (np.ndarray | Tensor, optional): (H, W), bool or {0, 1}; false
            where a pixel is ignored.

    Returns:
        MatchCounts: Of the outlines; ``+`` pools, and ``match_ratios``
        makes precision, recall and F1 of it.

    Raises:
        ValueError: If a mask is not 2-D, shapes differ, a judged value is
            neither 0 nor 1, or the tolerance is not one.
    """
    pred, target, valid = image_masks(pred, target, valid=valid)
    if (ratio is None) == (pixels is None):
        raise ValueError('Give the tolerance as one of ratio (share of the '
                         f'diagonal) and pixels, got ratio={ratio!r} and '
                         f'pixels={pixels!r}.')
    tau = pixels if ratio is None else ratio * math.hypot(*target.shape)
    check_reach(tau=tau, shape=shape)
    return match_within(
        surface(pred, valid), surface(target, valid), tau=tau, shape=shape,
        judged=count_judged(target.shape, valid))


def boundary_f1(pred, target, *, empty, ratio=None, pixels=None,
                shape='disc', valid=None) -> float:
    """Return the boundary F1 of one image.

    Args:
        pred (np.ndarray | Tensor): (H, W), bool or {0, 1}; 1 is crack.
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}.
        empty (str): ``'skip'``, ``'zero'`` or ``'one'``; what a truth
            without outline scores.
        ratio (float, optional): See :func:`boundary_f1_counts`.
        pixels (float, optional): See :func:`boundary_f1_counts`.
        shape (str): See :func:`boundary_f1_counts`.
        valid (np.ndarray | Tensor, optional): See
            :func:`boundary_f1_counts`.

    Returns:
        float: In [0, 1] or NaN.

    Raises:
        ValueError: As :func:`boundary_f1_counts`; if ``empty`` is no rule.
    """
    counts = boundary_f1_counts(
        pred, target, ratio=ratio, pixels=pixels, shape=shape, valid=valid)
    return match_ratios(counts, empty=empty)['F1']
