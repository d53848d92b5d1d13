"""ODS, OIS, AP and AIU from the counts of :mod:`.curves`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmcrack.functional.metrics.curves import Curve
from mmcrack.functional.metrics.tolerance import MatchCounts, match_ratios
from mmcrack.functional.metrics.undefined import harmonic_mean

OIS_KINDS = ('mean', 'aggregate')
AP_KINDS = ('step', 'bsds')


@dataclass(frozen=True)
class BestPoint:
    """Where on a curve F1 is largest.

    Attributes:
        f1 (float): In [0, 1] or NaN.
        precision (float): In [0, 1] or NaN.
        recall (float): In [0, 1] or NaN.
        threshold (float): In [0, 1] or NaN.
    """

    f1: float
    precision: float
    recall: float
    threshold: float


def ods(pooled: Curve, *, interpolate: bool = False) -> BestPoint:
    """Return the best F1 that one threshold for the whole set gives.

    Args:
        pooled (Curve): The sum of the images' curves.
        interpolate (bool): Also look at 100 points on the straight lines
            of precision and recall between neighbouring thresholds, as
            BSDS and edgesEval do.

    Returns:
        BestPoint: The lowest threshold among the best; NaN if no truth has
        a crack.
    """
    found = match_ratios(pooled.counts, empty='skip')
    thresholds = np.array(pooled.thresholds)
    precision, recall = found['Precision'], found['Recall']
    if np.isnan(precision).all():
        return BestPoint(*[float('nan')] * 4)
    if interpolate and len(thresholds) > 1:
        weight = np.linspace(0, 1, 100)
        precision, recall, thresholds = (
            (x[:-1, None] * (1 - weight) + x[1:, None] * weight).reshape(-1)
            for x in (precision, recall, thresholds))
    scores = harmonic_mean(precision, recall)
    # On a flat stretch rounding alone must not choose.
    best = int(np.argmax(scores >= scores.max() - 1e-12))
    return BestPoint(*(float(x[best]) for x in (
        scores, precision, recall, thresholds)))


def ois(curves: Sequence[Curve], *, kind: str, empty: str,
        interpolate: bool = False) -> float:
    """Return the F1 with the best threshold for each image.

    Args:
        curves (Sequence[Curve]): One for each image.
        kind (str): ``'mean'``: the mean of the images' best F1
            (CrackFormer-II); ``'aggregate'``: F1 of the sum of the counts
            at the images' best thresholds (BSDS, FPHB).
        empty (str): An image without crack in its truth is left out with
            ``'skip'``; scores 0 and, in the aggregate, brings its false
            alarms at the lowest threshold with ``'zero'`` (as in
            edgesEval); scores 1 if a threshold silences it with ``'one'``.
        interpolate (bool): As in :func:`ods`, for ``'mean'`` alone.

    Returns:
        float: In [0, 1]; NaN if no image is left.

    Raises:
        ValueError: If ``kind`` or ``empty`` is unknown.
    """
    if kind not in OIS_KINDS:
        raise ValueError(f"kind must be one of {', '.join(OIS_KINDS)}, got "
                         f'{kind!r}.')
    best, total = [], MatchCounts(0, 0, 0, 0, 0)
    for one in curves:
        scores = match_ratios(one.counts, empty=empty)['F1']
        if np.isnan(scores).all():
            continue
        k = int(np.argmax(scores))
        top = float(scores[k])
        if interpolate and one.counts.target:
            top = ods(one, interpolate=True).f1
        best.append(top)
        c = one.counts
        total += MatchCounts(
            int(c.matched_pred[k]), int(c.pred[k]),
            int(c.matched_target[k]), c.target, c.judged)
    if not best:
        return float('nan')
    if kind == 'mean':
        return float(np.mean(best))
    return match_ratios(total, empty=empty)['F1']


def average_precision(pooled: Curve, *, kind: str) -> float:
    """Return the area below the precision-recall curve.

    Args:
        pooled (Curve): Of one image, or the sum of the images'.
        kind (str): ``'step'``: each gain in recall times the precision
            there, from the highest threshold down (scikit-learn's, where
            the grid separates all probabilities); ``'bsds'``: precision
            read at recall 0, 0.01, ..., 1 on straight lines between the
            thresholds, nothing beyond their range, the sum over 100 (as in
            edgesEval, where 101 would be right).

    Returns:
        float: In [0, 1.01]; NaN if no truth has a crack.

    Raises:
        ValueError: If ``kind`` is unknown.
    """
    if kind not in AP_KINDS:
        raise ValueError(f"kind must be one of {', '.join(AP_KINDS)}, got "
                         f'{kind!r}.')
    found = match_ratios(pooled.counts, empty='skip')
    precision, recall = found['Precision'], found['Recall']
    if np.isnan(recall).all():
        return float('nan')
    if kind == 'step':
        # Thinned maps can lose recall on the way down: only gains count.
        reached = np.maximum.accumulate(np.append(0, recall[::-1]))
        return float(np.sum(np.diff(reached) * precision[::-1]))
    at, first = np.unique(recall, return_index=True)
    if at.size < 2:
        return 0.0
    read = np.interp(
        np.arange(101) / 100, at, precision[first], left=0, right=0)
    return float(read.sum() / 100)


def aiu(curves: Sequence[Curve], *, empty: str) -> float:
    """Return the mean over thresholds of the mean IoU over images.

    FPHB (Yang et al. 2020): exact pixels of the map as it is, also where
    ODS is taken with a tolerance.

    Args:
        curves (Sequence[Curve]): One for each image, protocol ``'pixel'``.
        empty (str): An image without crack in its truth is left out with
            ``'skip'``, scores 0 with ``'zero'`` (as in FPHB's code), 1
            where nothing is predicted with ``'one'``.

    Returns:
        float: In [0, 1]; NaN if no image is left.

    Raises:
        ValueError: If a curve is of another protocol or ``empty`` is no
            rule.
    """
    for one in curves:
        if one.protocol != 'pixel':
            raise ValueError("AIU is made of exact pixels: give curves of "
                             f"protocol 'pixel', got {one.protocol!r}.")
    each = [match_ratios(x.counts, empty=empty)['IoU'] for x in curves]
    each = [x for x in each if not np.isnan(x).all()]
    return float(np.mean(each)) if each else float('nan')
