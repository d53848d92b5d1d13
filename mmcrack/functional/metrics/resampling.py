"""How sure a figure of a set is: bootstrap over images.

Efron 1979: draw as many images as the set has, with replacement, and look
how the figure scatters. Images are the unit: the pixels of one are not
independent. The intervals are percentiles of the scatter.
"""

from dataclasses import dataclass

import numpy as np

# Drawn image numbers at a time.
_DRAWS = 1 << 22


@dataclass(frozen=True)
class Interval:
    """A figure and where it would lie with other images of the kind.

    Attributes:
        estimate (float): Of the set as it is.
        low (float): Lower end.
        high (float): Upper end.
        images (int): In the estimate.
    """

    estimate: float
    low: float
    high: float
    images: int


@dataclass(frozen=True)
class Difference:
    """How much a second run is above a first on the same images.

    Attributes:
        estimate (float): Second minus first.
        low (float): Lower end of the interval.
        high (float): Upper end.
        p_value (float): Two-sided: twice the share of draws on the rarer
            side of 0 (draws at 0 count half), at least 1 / draws.
        images (int): Judged in both runs.
        better (int): Images where the second run is above the first.
        worse (int): Images where it is below.
    """

    estimate: float
    low: float
    high: float
    p_value: float
    images: int
    better: int
    worse: int


def bootstrap_mean(values, *, draws, level, generator) -> Interval:
    """Return the mean over images and its interval.

    Args:
        values (Sequence[float]): One for each image; NaN (undefined) is
            left out.
        draws (int): Resampled sets, at least 1.
        level (float): Of the interval, such as 0.95.
        generator (np.random.Generator): Random numbers.

    Returns:
        Interval: NaN throughout if no image is left.

    Raises:
        ValueError: If an option is outside its range.
        TypeError: If ``generator`` is none.
    """
    values = np.asarray(values, np.float64)
    values = values[~np.isnan(values)]
    return bootstrap_ratio(
        values, np.ones_like(values), draws=draws, level=level,
        generator=generator)


def bootstrap_ratio(numerators, denominators, *, draws, level,
                    generator) -> Interval:
    """Return a pooled ratio and its interval.

    Sum of numerators / sum of denominators: pooled F1 is 2 TP over 2 TP +
    FP + FN, with the images' counts.

    Args:
        numerators (Sequence[float]): One for each image.
        denominators (Sequence[float]): One for each image, at least 0.
        draws (int): Resampled sets, at least 1.
        level (float): Of the interval, such as 0.95.
        generator (np.random.Generator): Random numbers.

    Returns:
        Interval: NaN where the denominators are 0; draws where they are do
        not count.

    Raises:
        ValueError: If lengths differ or an option is outside its range.
        TypeError: If ``generator`` is none.
    """
    parts = _columns(numerators, denominators)
    sums = _resampled_sums(parts, draws=draws, generator=generator)
    low, high = _percentiles(_divide(sums[:, 0], sums[:, 1]), level)
    return Interval(
        float(_divide(*parts.sum(axis=0))), low, high, len(parts))


def paired_bootstrap_mean(first, second, *, draws, level,
                          generator) -> Difference:
    """Compare the means over images of two runs, each draw with one set.

    Args:
        first (Sequence[float]): One for each image.
        second (Sequence[float]): Of the same images in the same order. An
            image with NaN in either is left out of both.
        draws (int): Resampled sets, at least 1.
        level (float): Of the interval, such as 0.95.
        generator (np.random.Generator): Random numbers.

    Returns:
        Difference: Of the means; NaN throughout if no image is left.

    Raises:
        ValueError: If lengths differ or an option is outside its range.
        TypeError: If ``generator`` is none.
    """
    parts = _columns(first, second)
    parts = parts[~np.isnan(parts).any(axis=1)]
    sums = _resampled_sums(parts, draws=draws, generator=generator)
    count = max(len(parts), 1)
    return _difference((sums[:, 1] - sums[:, 0]) / count,
                       parts[:, 1] - parts[:, 0], level,
                       estimate=None)


def paired_bootstrap_ratio(first_numerators, first_denominators,
                           second_numerators, second_denominators, *, draws,
                           level, generator) -> Difference:
    """Compare a pooled ratio of two runs, each draw with one set.

    Args:
        first_numerators (Sequence[float]): One for each image.
        first_denominators (Sequence[float]): Likewise, at least 0.
        second_numerators (Sequence[float]): Of the same images in the same
            order.
        second_denominators (Sequence[float]): Likewise.
        draws (int): Resampled sets, at least 1.
        level (float): Of the interval, such as 0.95.
        generator (np.random.Generator): Random numbers.

    Returns:
        Difference: Of the ratios; ``better`` and ``worse`` compare the
        ratios of single images.

    Raises:
        ValueError: If lengths differ or an option is outside its range.
        TypeError: If ``generator`` is none.
    """
    parts = _columns(first_numerators, first_denominators,
                     second_numerators, second_denominators)
    sums = _resampled_sums(parts, draws=draws, generator=generator)

    def gain(x):
        """How much the second ratio is above the first."""
        return _divide(x[..., 2], x[..., 3]) - _divide(x[..., 0], x[..., 1])

    return _difference(
        gain(sums), gain(parts), level, estimate=float(gain(parts.sum(0))))


def _columns(*lists) -> np.ndarray:
    """One float64 column for each list, (images, lists)."""
    lists = [np.asarray(x, np.float64) for x in lists]
    shapes = {x.shape for x in lists}
    if len(shapes) > 1 or lists[0].ndim != 1:
        raise ValueError('Give one number for each image, the same images '
                         'in the same order in each list, got shapes '
                         f"{', '.join(str(x.shape) for x in lists)}.")
    return np.stack(lists, axis=1)


def _resampled_sums(parts: np.ndarray, *, draws: int,
                    generator) -> np.ndarray:
    """Column sums of ``draws`` resampled sets, (draws, columns)."""
    if isinstance(draws, bool) or draws != int(draws) or draws < 1:
        raise ValueError(
            f'draws must be an integer of at least 1, got {draws!r}.')
    if not isinstance(generator, np.random.Generator):
        raise TypeError('generator must be a numpy.random.Generator, such '
                        f'as numpy.random.default_rng(0), got {generator!r}.')
    images, columns = parts.shape
    sums = np.zeros((int(draws), columns))
    if not images:
        return sums
    step = max(_DRAWS // images, 1)
    for start in range(0, int(draws), step):
        count = min(step, int(draws) - start)
        drawn = generator.integers(0, images, (count, images))
        for column in range(columns):
            sums[start:start + count, column] = (
                parts[:, column][drawn].sum(axis=1))
    return sums


def _divide(numerator, denominator):
    """Quotient, NaN where the denominator is 0."""
    denominator = np.asarray(denominator)
    return np.where(denominator > 0, numerator, np.nan) / np.where(
        denominator > 0, denominator, 1)


def _percentiles(values: np.ndarray, level: float) -> tuple:
    """Both ends of the middle ``level`` of the values that are numbers."""
    if not 0 < level < 1:
        raise ValueError(
            f'level must be in (0, 1), such as 0.95, got {level!r}.')
    values = values[~np.isnan(values)]
    if not values.size:
        return float('nan'), float('nan')
    ends = np.percentile(values, [50 - 50 * level, 50 + 50 * level])
    return tuple(float(x) for x in ends)


def _difference(scatter: np.ndarray, each: np.ndarray, level: float, *,
                estimate) -> Difference:
    """Sum up the gains of the draws and of the single images."""
    low, high = _percentiles(scatter, level)
    if not len(each):
        nan = float('nan')
        return Difference(nan, nan, nan, nan, 0, 0, 0)
    if estimate is None:
        estimate = float(each.mean())
    scatter = scatter[~np.isnan(scatter)]
    p_value = float('nan')
    if scatter.size:
        tied = (scatter == 0).mean() / 2
        rarer = min((scatter < 0).mean(), (scatter > 0).mean()) + tied
        p_value = float(min(max(2 * rarer, 1 / scatter.size), 1))
    return Difference(estimate, low, high, p_value, len(each),
                      int((each > 0).sum()), int((each < 0).sum()))
