"""Confusion counts of a binary mask, and the ratios made of them.

Not in the papers as formulas: CIRL (section 4.2) and CBPRN (section 4.2)
name precision, recall, F1, IoU and Dice. All are ratios of four counts of
the crack class, so each is computed from a :class:`Counts`, be it of one
image, of a whole set (the sum of the images') or an array of them.

The empty cases, everywhere the same:

* truth has cracks, nothing is predicted: precision = recall = F1 = 0;
* truth has no crack: undefined, and ``empty`` says what stands there:
  ``'skip'`` NaN; ``'zero'`` 0 (what the evaluation code behind CIRL's
  tables does); ``'one'`` 1 if nothing is predicted either, and 0 after a
  false alarm;
* no judged pixel at all: NaN under each rule.
"""

from dataclasses import dataclass

import numpy as np
import torch

from mmcrack.functional.metrics.masks import binary_masks

EMPTY_RULES = ('skip', 'zero', 'one')


@dataclass(frozen=True)
class Counts:
    """Pixels by truth and prediction; ``+`` pools them.

    Attributes:
        tp (int | np.ndarray): Crack, predicted crack.
        fp (int | np.ndarray): Background, predicted crack.
        fn (int | np.ndarray): Crack, predicted background.
        tn (int | np.ndarray): Background, predicted background.
    """

    tp: int
    fp: int
    fn: int
    tn: int

    def __add__(self, other: 'Counts') -> 'Counts':
        if not isinstance(other, Counts):
            return NotImplemented
        return Counts(self.tp + other.tp, self.fp + other.fp,
                      self.fn + other.fn, self.tn + other.tn)

    @property
    def total(self):
        """All judged pixels."""
        return self.tp + self.fp + self.fn + self.tn


def confusion_counts(pred, target, *, valid=None) -> Counts:
    """Count the pixels of one prediction against its truth.

    Args:
        pred (np.ndarray | Tensor): Any shape, bool or {0, 1}; 1 is crack.
        target (np.ndarray | Tensor): Same shape, bool or {0, 1}.
        valid (np.ndarray | Tensor, optional): Same shape, bool or {0, 1};
            pixels where it is false count nowhere.

    Returns:
        Counts: Four integers. Tensors are counted on their device.

    Raises:
        ValueError: If shapes differ or a judged value is neither 0 nor 1.
    """
    pred, target, valid = binary_masks(pred, target, valid=valid)
    total = pred.numel() if isinstance(pred, torch.Tensor) else pred.size
    both = pred & target
    if valid is not None:
        pred, target, both = pred & valid, target & valid, both & valid
    if isinstance(pred, torch.Tensor):
        sums = [both.sum(), pred.sum(), target.sum()]
        if valid is not None:
            sums.append(valid.sum())
        sums = torch.stack(sums).tolist()
    else:
        sums = [int(np.count_nonzero(x)) for x in (both, pred, target)]
        if valid is not None:
            sums.append(int(np.count_nonzero(valid)))
    tp, predicted, cracks = sums[:3]
    if valid is not None:
        total = sums[3]
    return Counts(
        tp=tp,
        fp=predicted - tp,
        fn=cracks - tp,
        tn=total - predicted - cracks + tp)


def precision(counts: Counts, *, empty: str):
    """TP / (TP + FP): the share of the predicted crack that is crack.

    Args:
        counts (Counts): Integers, or arrays of one shape.
        empty (str): ``'skip'``, ``'zero'`` or ``'one'``; see the module.

    Returns:
        float | np.ndarray: In [0, 1] or NaN, of the counts' shape.

    Raises:
        ValueError: If ``empty`` is no rule.
    """
    tp, fp, _, _ = _arrays(counts)
    return _out(_where_defined(counts, _ratio(tp, tp + fp), empty))


def recall(counts: Counts, *, empty: str):
    """TP / (TP + FN): the share of the crack that is found.

    Args:
        counts (Counts): Integers, or arrays of one shape.
        empty (str): ``'skip'``, ``'zero'`` or ``'one'``; see the module.

    Returns:
        float | np.ndarray: In [0, 1] or NaN, of the counts' shape.

    Raises:
        ValueError: If ``empty`` is no rule.
    """
    tp, _, fn, _ = _arrays(counts)
    return _out(_where_defined(counts, _ratio(tp, tp + fn), empty))


def f1(counts: Counts, *, empty: str):
    """2 P R / (P + R), the harmonic mean of precision and recall.

    Of one set of counts it is the same number as :func:`dice`.

    Args:
        counts (Counts): Integers, or arrays of one shape.
        empty (str): ``'skip'``, ``'zero'`` or ``'one'``; see the module.

    Returns:
        float | np.ndarray: In [0, 1] or NaN, of the counts' shape.

    Raises:
        ValueError: If ``empty`` is no rule.
    """
    return dice(counts, empty=empty)


def iou(counts: Counts, *, empty: str):
    """TP / (TP + FP + FN) of the crack class.

    Args:
        counts (Counts): Integers, or arrays of one shape.
        empty (str): ``'skip'``, ``'zero'`` or ``'one'``; see the module.

    Returns:
        float | np.ndarray: In [0, 1] or NaN, of the counts' shape.

    Raises:
        ValueError: If ``empty`` is no rule.
    """
    tp, fp, fn, _ = _arrays(counts)
    return _out(_where_defined(counts, _ratio(tp, tp + fp + fn), empty))


def dice(counts: Counts, *, empty: str):
    """2 TP / (2 TP + FP + FN) of the crack class.

    Args:
        counts (Counts): Integers, or arrays of one shape.
        empty (str): ``'skip'``, ``'zero'`` or ``'one'``; see the module.

    Returns:
        float | np.ndarray: In [0, 1] or NaN, of the counts' shape.

    Raises:
        ValueError: If ``empty`` is no rule.
    """
    tp, fp, fn, _ = _arrays(counts)
    return _out(_where_defined(counts, _ratio(2 * tp, 2 * tp + fp + fn),
                               empty))


def mean_iou(counts: Counts, *, empty: str):
    """Mean of the IoU of crack and the IoU of background.

    A truth and prediction without background leave the crack's IoU alone;
    a truth without crack follows ``empty`` in the crack's half (under
    ``'skip'`` the whole is NaN, as the image then counts in no mean).

    Args:
        counts (Counts): Integers, or arrays of one shape.
        empty (str): ``'skip'``, ``'zero'`` or ``'one'``; see the module.

    Returns:
        float | np.ndarray: In [0, 1] or NaN, of the counts' shape.

    Raises:
        ValueError: If ``empty`` is no rule.
    """
    crack = np.asarray(iou(counts, empty=empty))
    _, fp, fn, tn = _arrays(counts)
    present = tn + fp + fn > 0
    background = _ratio(tn, tn + fp + fn)
    return _out(np.where(present, (crack + background) / 2, crack))


def ratios(counts: Counts, *, empty: str) -> dict:
    """All six ratios, under the names that the metrics print.

    Example: TP, FP, FN, TN = 2, 0, 2, 12 gives IoU 0.5, Dice 2/3,
    Precision 1, Recall 0.5, F1 2/3, mIoU (1/2 + 12/14) / 2 = 0.678571.

    Args:
        counts (Counts): Integers, or arrays of one shape.
        empty (str): ``'skip'``, ``'zero'`` or ``'one'``; see the module.

    Returns:
        dict[str, float | np.ndarray]: ``IoU, Dice, Precision, Recall, F1,
        mIoU``, each in [0, 1] or NaN.

    Raises:
        ValueError: If ``empty`` is no rule.
    """
    return {
        'IoU': iou(counts, empty=empty),
        'Dice': dice(counts, empty=empty),
        'Precision': precision(counts, empty=empty),
        'Recall': recall(counts, empty=empty),
        'F1': f1(counts, empty=empty),
        'mIoU': mean_iou(counts, empty=empty),
    }


def check_empty_rule(empty: str) -> None:
    """Refuse an ``empty`` that is no rule.

    Args:
        empty (str): ``'skip'``, ``'zero'`` or ``'one'``.

    Raises:
        ValueError: If it is none of them.
    """
    if empty not in EMPTY_RULES:
        raise ValueError(
            f"empty must be one of {', '.join(EMPTY_RULES)} (what an image "
            f'without crack in its truth scores), got {empty!r}.')


def _arrays(counts: Counts):
    """The four counts as int64 arrays."""
    return tuple(
        np.asarray(x, dtype=np.int64)
        for x in (counts.tp, counts.fp, counts.fn, counts.tn))


def _ratio(numerator, denominator):
    """Quotient, 0 where the denominator is 0."""
    return numerator / np.maximum(denominator, 1)


def _where_defined(counts: Counts, ratio, empty: str):
    """``ratio`` where the truth has cracks, the rule's value elsewhere."""
    check_empty_rule(empty)
    tp, fp, fn, tn = _arrays(counts)
    if empty == 'skip':
        undefined = np.float64(np.nan)
    elif empty == 'zero':
        undefined = np.float64(0)
    else:
        undefined = (fp == 0).astype(np.float64)
    undefined = np.where(tp + fp + fn + tn > 0, undefined, np.nan)
    return np.where(tp + fn > 0, ratio, undefined)


def _out(value):
    """A float for one set of counts, an array for many."""
    value = np.asarray(value, dtype=np.float64)
    return float(value) if value.ndim == 0 else value
