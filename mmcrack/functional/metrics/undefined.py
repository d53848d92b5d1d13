"""What a metric says where its formula has no answer.

Not in the papers: the same rule as in
:mod:`mmcrack.functional.metrics.counts`, for metrics that count something
else than TP, FP, FN and TN:

* truth has cracks: the formula, 0 where its denominator is 0;
* truth has no crack: ``empty`` says what stands there: ``'skip'`` NaN;
  ``'zero'`` 0; ``'one'`` 1 if nothing is predicted either, and 0 after a
  false alarm;
* no judged pixel at all: NaN under each rule.
"""

import numpy as np

from mmcrack.functional.metrics.counts import check_empty_rule


def ratio(numerator, denominator) -> np.ndarray:
    """Divide; 0 where the denominator is 0.

    Args:
        numerator (float | np.ndarray): Not negative.
        denominator (float | np.ndarray): Not negative; where it is 0 the
            numerator is 0 too.

    Returns:
        np.ndarray: Float64.
    """
    denominator = np.asarray(denominator, np.float64)
    return np.asarray(numerator, np.float64) / np.where(
        denominator > 0, denominator, 1.0)


def harmonic_mean(a, b) -> np.ndarray:
    """Return 2 a b / (a + b), 0 where both are 0.

    Args:
        a (float | np.ndarray): In [0, 1].
        b (float | np.ndarray): In [0, 1].

    Returns:
        np.ndarray: Float64, in [0, 1].
    """
    a, b = np.asarray(a), np.asarray(b)
    return ratio(2 * a * b, a + b)


def where_defined(value, *, target, pred, judged, empty: str):
    """Put the rule's value where the truth has no crack.

    Args:
        value (float | np.ndarray): The formula's.
        target (int | np.ndarray): Crack pixels of the truth.
        pred (int | np.ndarray): Predicted crack pixels.
        judged (int | np.ndarray): Pixels that are not ignored.
        empty (str): ``'skip'``, ``'zero'`` or ``'one'``.

    Returns:
        float | np.ndarray: A float for single numbers, float64 for arrays.

    Raises:
        ValueError: If ``empty`` is no rule.
    """
    check_empty_rule(empty)
    target, pred, judged = (np.asarray(x) for x in (target, pred, judged))
    if empty == 'skip':
        rule = np.float64(np.nan)
    elif empty == 'zero':
        rule = np.float64(0)
    else:
        rule = (pred == 0).astype(np.float64)
    rule = np.where(judged > 0, rule, np.nan)
    out = np.where(target > 0, value, rule)
    return float(out) if out.ndim == 0 else out
