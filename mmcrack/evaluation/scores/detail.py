"""Rows for diagrams: by crack width, and how far boundaries are off.

Not in the papers. These scores have no figure of the set: what they count
is read from the rows by :func:`width_summary` and :func:`error_summary`.
"""

from collections.abc import Sequence

import numpy as np

from mmcrack.evaluation.scores.base import Score, ScoredImage
from mmcrack.functional.metrics.boundary_error import (
    boundary_errors,
    error_histogram,
)
from mmcrack.functional.metrics.by_width import width_counts

WIDTH_KEY, ERROR_KEY = 'by_width', 'boundary_errors'
_PARTS = ('true', 'found', 'near', 'wrong')


class WidthScore(Score):
    """Counts by the true width of the crack nearby.

    Args:
        empty (str): Not used.
        limits (Sequence[float]): Rising widths in pixels between the
            classes.
        reach (float): See :func:`mmcrack.functional.metrics.by_width.
            width_counts`.

    Raises:
        ValueError: If the limits do not rise from above 0.
    """

    name = 'by_width'
    title = 'recall and false alarms by true width'

    def __init__(self, *, empty: str, limits: Sequence[float],
                 reach: float) -> None:
        super().__init__(empty=empty)
        steps = np.diff([0, *limits])
        if not len(limits) or not (steps > 0).all():
            raise ValueError('Widths must be positive and rise, such as 2 4 '
                             f'8 (in pixels), got {tuple(limits)}.')
        self.limits, self.reach = tuple(limits), reach

    def measure(self, image: ScoredImage) -> dict:
        """Count; see :meth:`Score.measure`."""
        found = width_counts(image.pred, image.target, limits=self.limits,
                             reach=self.reach, valid=image.valid)
        return {WIDTH_KEY: np.stack([getattr(found, x) for x in _PARTS]),
                f'{WIDTH_KEY}_elsewhere': found.elsewhere}


class BoundaryErrorScore(Score):
    """Histogram of signed distances to the true boundary.

    Args:
        empty (str): Not used.
        limit (int): Of the histogram, in pixels.
    """

    name = 'boundary_errors'
    title = 'signed distances of the predicted boundary'

    def __init__(self, *, empty: str, limit: int) -> None:
        super().__init__(empty=empty)
        self.limit = limit

    def measure(self, image: ScoredImage) -> dict:
        """Count; see :meth:`Score.measure`."""
        errors = boundary_errors(image.pred, image.target,
                                 valid=image.valid)
        return {ERROR_KEY: error_histogram(errors, limit=self.limit)}


def width_summary(rows: Sequence[dict], limits: Sequence[float], *,
                  seed: int, resamples: int) -> list[dict]:
    """Make figures of each class of width.

    Args:
        rows (Sequence[dict]): With the keys of :class:`WidthScore`.
        limits (Sequence[float]): Of the classes.
        seed (int): Of the bootstrap over images.
        resamples (int): How many sets are drawn.

    Returns:
        list[dict]: For each class ``name``, ``pixels`` (true ones),
        ``images`` (that have such a crack), and in percent, NaN where
        undefined, ``Recall, Recall_near, Precision, F1`` and the 95 %
        interval ``low, high`` of the recall. Precision counts the false
        alarms in reach of such a crack only.
    """
    counts = np.stack([row[WIDTH_KEY] for row in rows])
    values = _width_figures(counts.sum(0))
    generator = np.random.default_rng(seed)
    draws = [counts[:, :2][generator.integers(0, len(rows), len(rows))]
             .sum(0) for _ in range(resamples if len(rows) > 1 else 0)]
    recall = np.full((1, counts.shape[2]), np.nan)
    if draws:
        true, found = np.stack(draws, axis=1)
        recall = _share(found, true)
    out = []
    for n, name in enumerate(width_names(limits)):
        known = recall[:, n][~np.isnan(recall[:, n])]
        low, high = np.quantile(known, [0.025, 0.975]).tolist() if (
            known.size) else (float('nan'), float('nan'))
        out.append(dict(
            name=name, pixels=int(counts[:, 0, n].sum()),
            images=int(np.count_nonzero(counts[:, 0, n])),
            **{key: float(value[n]) for key, value in values.items()},
            low=low, high=high))
    return out


def width_names(limits: Sequence[float]) -> list[str]:
    """Name the classes: ``['<= 2', '2-4', ..., '> 8']``."""
    text = [f'{limit:g}' for limit in limits]
    return [f'≤ {text[0]}', *(f'{a}–{b}' for a, b in zip(
        text, text[1:], strict=False)), f'> {text[-1]}']


def _width_figures(counts: np.ndarray) -> dict:
    """Figures of summed counts, (4, K + 1), in percent."""
    true, found, near, wrong = counts
    return dict(Recall=_share(found, true), Recall_near=_share(near, true),
                Precision=_share(found, found + wrong),
                F1=_share(2 * found, found + wrong + true))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Percentage; NaN of nothing."""
    return np.where(whole > 0, 100 * part / np.maximum(whole, 1), np.nan)


def error_summary(rows: Sequence[dict]) -> dict:
    """Sum up the histograms of all images.

    Args:
        rows (Sequence[dict]): With the keys of :class:`BoundaryErrorScore`.

    Returns:
        dict: ``counts`` (list of int), ``limit``, ``pixels``; of all
        predicted boundary pixels the percentage ``within_0``, ``within_1``,
        ``within_2`` (rounded distance), ``outside`` (too wide, or false
        alarm), ``inside`` (too narrow) and ``beyond``, at the ends of the
        histogram; NaN without any.
    """
    counts = np.sum([row[ERROR_KEY] for row in rows], axis=0)
    limit = len(counts) // 2
    total = int(counts.sum())

    def share(part) -> float:
        return 100 * float(part.sum()) / total if total else float('nan')

    middle = {f'within_{k}': share(counts[limit - k:limit + k + 1])
              for k in range(3)}
    return dict(
        counts=counts.tolist(), limit=limit, pixels=total, **middle,
        outside=share(counts[limit + 1:]), inside=share(counts[:limit]),
        beyond=share(counts[[0, -1]]))
