"""Precision, recall and F1 with a tolerance.

Used for cracks since CrackTree (Zou et al. 2012) and CrackForest (Shi et al.
2016), with 2 or 5 pixels: a predicted pixel is right if the truth is within
``tau``, and a true one is found if the prediction is. Many predicted pixels
may lean on one true pixel (the one-to-one matching of BSDS is stricter:
:mod:`mmcrack.functional.metrics.curves`). The papers seldom say what "within"
means; here it is a disc (Euclidean distance) or a square, by choice.
"""

from dataclasses import dataclass

import numpy as np

from mmcrack.functional.metrics.masks import count_judged, image_masks
from mmcrack.functional.metrics.near import check_reach, near
from mmcrack.functional.metrics.undefined import (
    harmonic_mean,
    ratio,
    where_defined,
)


@dataclass(frozen=True)
class MatchCounts:
    """Pixels of two masks and how many have a partner; ``+`` pools them.

    Attributes:
        matched_pred (int | np.ndarray): Predicted pixels with a partner in
            the truth.
        pred (int | np.ndarray): Predicted pixels.
        matched_target (int | np.ndarray): True pixels with a partner in the
            prediction.
        target (int | np.ndarray): True pixels.
        judged (int | np.ndarray): Pixels of the image that are not ignored.
    """

    matched_pred: int
    pred: int
    matched_target: int
    target: int
    judged: int

    def __add__(self, other: 'MatchCounts') -> 'MatchCounts':
        if not isinstance(other, MatchCounts):
            return NotImplemented
        return MatchCounts(
            self.matched_pred + other.matched_pred, self.pred + other.pred,
            self.matched_target + other.matched_target,
            self.target + other.target, self.judged + other.judged)


def match_ratios(counts: MatchCounts, *, empty: str) -> dict:
    """Precision, recall, F1 and IoU of matched pixels.

    The IoU is matched true pixels / (true pixels + predicted pixels without
    a partner), as OmniCrack30k counts it.

    Example: 5 of 9 predicted and 5 of 9 true pixels matched gives 5/9, 5/9,
    5/9 and 5/13.

    Args:
        counts (MatchCounts): Integers, or arrays of one shape.
        empty (str): ``'skip'``, ``'zero'`` or ``'one'``; see
            :mod:`mmcrack.functional.metrics.undefined`.

    Returns:
        dict[str, float | np.ndarray]: ``Precision, Recall, F1, IoU``, each
        in [0, 1] or NaN.

    Raises:
        ValueError: If ``empty`` is no rule.
    """
    precision = ratio(counts.matched_pred, counts.pred)
    recall = ratio(counts.matched_target, counts.target)
    false = np.asarray(counts.pred) - counts.matched_pred
    values = {
        'Precision': precision,
        'Recall': recall,
        'F1': harmonic_mean(precision, recall),
        'IoU': ratio(counts.matched_target, counts.target + false),
    }
    return {
        name: where_defined(
            value, target=counts.target, pred=counts.pred,
            judged=counts.judged, empty=empty)
        for name, value in values.items()
    }


def match_within(pred: np.ndarray, target: np.ndarray, *, tau: float,
                 shape: str, judged: int) -> MatchCounts:
    """Count the pixels of two sets that lie near the other set.

    Args:
        pred (np.ndarray): Bool, (H, W).
        target (np.ndarray): Bool, (H, W).
        tau (float): In pixels, at least 0.
        shape (str): ``'disc'`` or ``'square'``.
        judged (int): Pixels that are not ignored.

    Returns:
        MatchCounts: Integers.
    """
    return MatchCounts(*(int(x) for x in (
        np.count_nonzero(pred & near(target, tau=tau, shape=shape)),
        np.count_nonzero(pred),
        np.count_nonzero(target & near(pred, tau=tau, shape=shape)),
        np.count_nonzero(target), judged)))


def tolerance_counts(pred, target, *, tau, shape='disc',
                     valid=None) -> MatchCounts:
    """Count matched pixels of one image.

    Args:
        pred (np.ndarray | Tensor): (H, W), bool or {0, 1}; 1 is crack.
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}.
        tau (float): Tolerance in pixels, at least 0; 0 are exact pixels.
        shape (str): ``'disc'``, Euclidean distance of at most ``tau``;
            ``'square'``, at most ``tau`` in rows and in columns.
        valid (np.ndarray | Tensor, optional): (H, W), bool or {0, 1}; false
            where a pixel is ignored: it counts nowhere and is no partner.

    Returns:
        MatchCounts: Five integers.

    Raises:
        ValueError: If a mask is not 2-D, shapes differ, a judged value is
            neither 0 nor 1, ``tau`` is negative or ``shape`` unknown.
    """
    check_reach(tau=tau, shape=shape)
    pred, target, valid = image_masks(pred, target, valid=valid)
    return match_within(
        pred, target, tau=tau, shape=shape,
        judged=count_judged(target.shape, valid))


def tolerance_f1(pred, target, *, tau, empty, shape='disc',
                 valid=None) -> float:
    """Return the F1 with tolerance of one image.

    Args:
        pred (np.ndarray | Tensor): (H, W), bool or {0, 1}; 1 is crack.
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}.
        tau (float): See :func:`tolerance_counts`.
        empty (str): See :func:`match_ratios`.
        shape (str): See :func:`tolerance_counts`.
        valid (np.ndarray | Tensor, optional): See
            :func:`tolerance_counts`.

    Returns:
        float: In [0, 1] or NaN.

    Raises:
        ValueError: As :func:`tolerance_counts`; if ``empty`` is no rule.
    """
    counts = tolerance_counts(
        pred, target, tau=tau, shape=shape, valid=valid)
    return match_ratios(counts, empty=empty)['F1']
