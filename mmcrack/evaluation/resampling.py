"""Bootstrap over the images of a set, of all figures at once.

Not in the papers. Images are drawn with replacement and every figure is
made anew of their rows, so that figures that are neither a mean nor a ratio
(ODS, AP, ECE) have intervals too; for those that are it gives what
:mod:`mmcrack.functional.metrics.resampling` gives. Crops of one photograph
are not independent: the intervals are too narrow then.
"""

from collections.abc import Sequence

import numpy as np

from mmcrack.evaluation.scores.base import NUMBER
from mmcrack.evaluation.scores.suite import Suite, columns_of, take


def figure_intervals(suite: Suite, rows: Sequence[dict], *, seed: int,
                     resamples: int, level: float) -> dict:
    """Return a percentile interval of each figure.

    Args:
        suite (Suite): What was taken.
        rows (Sequence[dict]): Of the images.
        seed (int): Of the draws.
        resamples (int): How many sets are drawn.
        level (float): Of the interval, such as 0.95.

    Returns:
        dict[str, tuple[float, float]]: Low and high by name; NaN with fewer
        than two images.
    """
    columns = columns_of(rows)
    names = [f.name for f in suite.figures if f.kind != NUMBER]
    draws = []
    for indices in _draws(len(rows), seed=seed, resamples=resamples):
        found = suite.summarise_columns(take(columns, indices))
        draws.append([found[name] for name in names])
    return dict(zip(names, _bounds(draws, len(names), level), strict=True))


def compare_figures(suite: Suite, first: Sequence[dict],
                    second: Sequence[dict], *, seed: int, resamples: int,
                    level: float) -> dict:
    """Compare two sets of predictions of the same images, figure by figure.

    The same images are drawn of both, so that what is hard for both falls
    out of the difference.

    Args:
        suite (Suite): What was taken.
        first (Sequence[dict]): Rows of the first.
        second (Sequence[dict]): Rows of the second, in the same order.
        seed (int): Of the draws.
        resamples (int): How many sets are drawn.
        level (float): Of the interval, such as 0.95.

    Returns:
        dict[str, dict]: By name ``first, second, difference`` (second less
        first), ``low, high`` of the difference and ``p``, twice the share
        of draws on the rarer side of 0 (those at 0 count half), at most 1
        and at least 1 / draws.
    """
    names = [f.name for f in suite.figures if f.kind != NUMBER]
    one, two = columns_of(first), columns_of(second)
    draws = []
    for indices in _draws(len(first), seed=seed, resamples=resamples):
        a, b = (suite.summarise_columns(take(x, indices))
                for x in (one, two))
        draws.append([b[name] - a[name] for name in names])
    a, b = suite.summarise(first), suite.summarise(second)
    bounds = _bounds(draws, len(names), level)
    table = np.array(draws, np.float64).reshape(-1, len(names))
    return {
        name: dict(first=a[name], second=b[name],
                   difference=b[name] - a[name], low=low, high=high,
                   p=_two_sided(table[:, i]))
        for i, (name, (low, high)) in enumerate(
            zip(names, bounds, strict=True))}


def _draws(count: int, *, seed: int, resamples: int):
    """Indices of each drawn set; none where there is nothing to draw."""
    if count < 2:
        return
    generator = np.random.default_rng(seed)
    for _ in range(resamples):
        yield generator.integers(0, count, count)


def _bounds(draws: list, count: int, level: float) -> list:
    """Percentile interval of each column of draws, NaN left out."""
    if not draws:
        return [(float('nan'), float('nan'))] * count
    tail = (1 - level) / 2
    out = []
    for values in np.array(draws, np.float64).T:
        values = values[~np.isnan(values)]
        out.append(tuple(np.quantile(values, [tail, 1 - tail]).tolist())
                   if values.size else (float('nan'), float('nan')))
    return out


def _two_sided(values: np.ndarray) -> float:
    """Twice the share of draws on the rarer side of 0."""
    values = values[~np.isnan(values)]
    if not values.size:
        return float('nan')
    rarer = min(np.mean(values < 0), np.mean(values > 0))
    rarer += np.mean(values == 0) / 2
    return float(min(1.0, max(2 * rarer, 1 / values.size)))
