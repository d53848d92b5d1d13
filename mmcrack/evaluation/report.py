"""The figures of scored folders as one plain document.

Not in the papers. The document holds nothing but dicts, lists, texts and
numbers, and every format (:mod:`mmcrack.evaluation.report_formats`) is made
of it alone.
"""

from collections.abc import Sequence

import numpy as np

from mmcrack.evaluation.resampling import compare_figures, figure_intervals
from mmcrack.evaluation.scores.suite import Suite, columns_of

SHOWN_IMAGES = 5
LEVEL = 95


def describe_set(suite: Suite, rows: Sequence[dict], *, intervals: bool,
                 seed: int, resamples: int) -> dict:
    """Describe one folder of predictions.

    Args:
        suite (Suite): What was taken.
        rows (Sequence[dict]): Of its images.
        intervals (bool): Whether to add bootstrap intervals.
        seed (int): Of the bootstrap.
        resamples (int): Of the bootstrap.

    Returns:
        dict: ``figures`` (a list of ``name, value, unit, kind, better,
        images`` and ``low, high`` with intervals) and ``sources``.
    """
    values = suite.summarise(rows)
    behind = suite.numbers_behind(rows)
    bounds = figure_intervals(suite, rows, seed=seed, resamples=resamples,
                              level=LEVEL / 100) if intervals else {}
    figures = []
    for figure in suite.figures:
        entry = dict(name=figure.name, value=values[figure.name],
                     unit=figure.unit, kind=figure.kind,
                     better=figure.better, images=behind[figure.name])
        if figure.name in bounds:
            entry['low'], entry['high'] = bounds[figure.name]
        figures.append(entry)
    return dict(
        figures=figures,
        sources={} if suite.source is None else suite.by_source(rows))


def describe_comparison(suite: Suite, first: Sequence[dict],
                        second: Sequence[dict], *, seed: int,
                        resamples: int) -> dict:
    """Describe what changed from one folder of predictions to another.

    Args:
        suite (Suite): What was taken of both.
        first (Sequence[dict]): Rows of the first folder.
        second (Sequence[dict]): Rows of the second, of the same images in
            the same order.
        seed (int): Of the bootstrap.
        resamples (int): Of the bootstrap.

    Returns:
        dict: ``figures``: ``name, unit, better, first, second, difference``
        (second less first), its 95 % interval ``low, high`` and ``p``, of
        those that have a better side; ``images``: for each figure of an
        image how many are ``better``, ``worse``, ``equal`` in the second
        and ``undefined``; ``by`` (and ``by_unit``), the figure whose most
        improved and most worsened images are listed under ``most_better``
        and ``most_worse``.

    Raises:
        ValueError: If the rows are not of the same images.
    """
    names = [row['image'] for row in first]
    if names != [row['image'] for row in second]:
        raise ValueError('Two sets of rows can be compared only if they are '
                         'of the same images in the same order.')
    found = compare_figures(suite, first, second, seed=seed,
                            resamples=resamples, level=LEVEL / 100)
    figures = [
        dict(name=figure.name, unit=figure.unit, better=figure.better,
             **found[figure.name])
        for figure in suite.figures
        if figure.name in found and figure.better]
    before, after = columns_of(first), columns_of(second)
    changes, images = {}, {}
    for figure in suite.figures:
        key = figure.column
        if not key or not figure.better or key in changes or not names:
            continue
        gain = figure.better * (after[key] - before[key])
        changes[key] = (gain, before[key], after[key])
        images[key] = dict(
            better=int(np.count_nonzero(gain > 0)),
            worse=int(np.count_nonzero(gain < 0)),
            equal=int(np.count_nonzero(gain == 0)),
            undefined=int(np.count_nonzero(np.isnan(gain))))
    by = 'F1' if 'F1' in changes else next(iter(changes), '')
    better, worse = _extremes(names, *changes[by]) if by else ([], [])
    units = {figure.column: figure.unit for figure in suite.figures}
    return dict(figures=figures, images=images, by=by,
                by_unit=units.get(by, ''), most_better=better,
                most_worse=worse)


def _extremes(names: Sequence[str], gain: np.ndarray, before: np.ndarray,
              after: np.ndarray) -> tuple:
    """The images that gained and lost most, each with both values."""
    order = np.argsort(-gain, kind='stable')
    order = [i for i in order if gain[i]]

    def listed(indices):
        return [dict(image=names[i], first=float(before[i]),
                     second=float(after[i])) for i in indices]

    order = [i for i in order if not np.isnan(gain[i])]
    up = [i for i in order if gain[i] > 0][:SHOWN_IMAGES]
    down = [i for i in order[::-1] if gain[i] < 0][:SHOWN_IMAGES]
    return listed(up), listed(down)
