"""clDice: Shit et al., "clDice", CVPR 2021, the metric.

The released code (``cldice_metric``) skeletonises with scikit-image and has
no answer to 0 / 0. The loss is in :mod:`mmcrack.functional.cldice`.
"""

import numpy as np

from mmcrack.functional.metrics.masks import count_judged, image_masks
from mmcrack.functional.metrics.skeleton import skeleton
from mmcrack.functional.metrics.tolerance import MatchCounts, match_ratios


def cldice_counts(pred, target, *, method='zhang',
                  valid=None) -> MatchCounts:
    """Count the skeletons' pixels that lie in the other mask.

    Args:
        pred (np.ndarray | Tensor): (H, W), bool or {0, 1}; 1 is crack.
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}.
        method (str): See :func:`skeleton`.
        valid (np.ndarray | Tensor, optional): (H, W), bool or {0, 1}; false
            where a pixel is ignored.

    Returns:
        MatchCounts: ``matched_pred`` pixels of the predicted skeleton in
        the truth, ``matched_target`` of the true one in the prediction;
        ``match_ratios`` makes topology precision, topology sensitivity
        (``'Recall'``) and clDice (``'F1'``) of them.

    Raises:
        ValueError: If a mask is not 2-D, shapes differ, a judged value is
            neither 0 nor 1 or ``method`` is unknown.
    """
    pred, target, valid = image_masks(pred, target, valid=valid)
    thin_pred, thin_target = (
        skeleton(x, method=method) for x in (pred, target))
    return MatchCounts(*(int(x) for x in (
        np.count_nonzero(thin_pred & target), np.count_nonzero(thin_pred),
        np.count_nonzero(thin_target & pred), np.count_nonzero(thin_target),
        count_judged(target.shape, valid))))


def cldice(pred, target, *, empty, method='zhang', valid=None) -> float:
    """Return the clDice of one image.

    The harmonic mean of the share of the predicted skeleton in the truth
    and the share of the true skeleton in the prediction.

    Args:
        pred (np.ndarray | Tensor): (H, W), bool or {0, 1}; 1 is crack.
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}.
        empty (str): ``'skip'``, ``'zero'`` or ``'one'``; what a truth
            without crack scores.
        method (str): See :func:`skeleton`.
        valid (np.ndarray | Tensor, optional): (H, W); false where a pixel
            is ignored.

    Returns:
        float: In [0, 1] or NaN.

    Raises:
        ValueError: As :func:`cldice_counts`; if ``empty`` is no rule.
    """
    counts = cldice_counts(pred, target, method=method, valid=valid)
    return match_ratios(counts, empty=empty)['F1']
