import math

import numpy as np
import oracles_metrics as oracles
import pytest
from scipy import stats

from mmcrack.functional.metrics import (
    Difference,
    bootstrap_mean,
    bootstrap_ratio,
    paired_bootstrap_mean,
    paired_bootstrap_ratio,
    resampling,
)


def seeded(seed=0):
    return np.random.default_rng(seed)


def test_mean_equals_plain_draws():
    values = seeded(1).random(23)
    found = bootstrap_mean(
        values, draws=300, level=.95, generator=seeded())
    scatter = oracles.bootstrap(
        values.tolist(), [1] * 23, 300, seeded())
    assert found.estimate == pytest.approx(values.mean())
    assert found.images == 23
    assert (found.low, found.high) == pytest.approx(
        (oracles.percentile(scatter, 2.5),
         oracles.percentile(scatter, 97.5)), abs=1e-12)


def test_ratio_equals_plain_draws():
    rng = seeded(2)
    bottom = rng.integers(0, 50, 17)
    top = (bottom * rng.random(17)).astype(int)
    bottom[:3] = top[:3] = 0
    found = bootstrap_ratio(
        top, bottom, draws=300, level=.9, generator=seeded())
    scatter = oracles.bootstrap(
        top.tolist(), bottom.tolist(), 300, seeded())
    assert found.estimate == pytest.approx(top.sum() / bottom.sum())
    assert (found.low, found.high) == pytest.approx(
        (oracles.percentile(scatter, 5), oracles.percentile(scatter, 95)),
        abs=1e-12)


def test_interval_is_that_of_scipy():
    values = seeded(3).gamma(2., size=60)
    found = bootstrap_mean(
        values, draws=20_000, level=.95, generator=seeded())
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, batch=500,
        method='percentile', vectorized=True).confidence_interval
    # Two sets of draws: the ends scatter by some 0.002.
    assert (found.low, found.high) == pytest.approx(
        tuple(expected), abs=.01)


def test_interval_covers_the_truth_as_often_as_it_says():
    rng = seeded(4)
    inside = 0
    for _ in range(400):
        values = rng.random(60)
        found = bootstrap_mean(values, draws=200, level=.9, generator=rng)
        inside += found.low <= .5 <= found.high
    # 360 expected; three standard deviations of such a count are 18.
    assert 335 <= inside <= 380


def test_many_images_are_drawn_in_parts(monkeypatch):
    values = seeded(5).random(11)
    whole = bootstrap_mean(
        values, draws=100, level=.95, generator=seeded())
    monkeypatch.setattr(resampling, '_DRAWS', 77)
    assert bootstrap_mean(
        values, draws=100, level=.95, generator=seeded()) == whole


def test_undefined_images_are_left_out():
    found = bootstrap_mean([.5, math.nan, .5], draws=9, level=.95,
                           generator=seeded())
    assert (found.estimate, found.low, found.high, found.images) == (
        .5, .5, .5, 2)
    nothing = bootstrap_mean([math.nan], draws=9, level=.95,
                             generator=seeded())
    assert nothing.images == 0
    assert math.isnan(nothing.estimate)
    assert math.isnan(nothing.high)


def test_pairs_are_drawn_together():
    # A second run that is better by 0.1 on each image, however images
    # differ: the difference does not scatter.
    first = seeded(6).random(40) * .8
    found = paired_bootstrap_mean(
        first, first + .1, draws=500, level=.95, generator=seeded())
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (.1, .1, .1))
    assert (found.p_value, found.better, found.worse) == (1 / 500, 40, 0)


def test_paired_mean_is_the_bootstrap_of_the_differences():
    rng = seeded(7)
    first, second = rng.random((2, 30))
    first[4] = second[9] = math.nan
    both = ~np.isnan(first + second)
    found = paired_bootstrap_mean(
        first, second, draws=400, level=.95, generator=seeded())
    gains = bootstrap_mean((second - first)[both], draws=400, level=.95,
                           generator=seeded())
    assert (found.estimate, found.low, found.high, found.images) == (
        pytest.approx((gains.estimate, gains.low, gains.high, 28)))
    assert found.better == (second > first).sum()
    assert found.better + found.worse == 28


def test_p_value_is_that_of_the_normal_law():
    rng = seeded(8)
    first = rng.random(200)
    gains = rng.normal(0, 1, 200)
    # Exactly two standard errors above 0.
    gains += 2 * gains.std() / math.sqrt(200) - gains.mean()
    found = paired_bootstrap_mean(
        first, first + gains, draws=20_000, level=.95, generator=seeded())
    assert found.p_value == pytest.approx(2 * stats.norm.sf(2), abs=.01)


def test_equal_runs_do_not_differ():
    values = seeded(9).random(20)
    assert paired_bootstrap_mean(
        values, values, draws=50, level=.95,
        generator=seeded()) == Difference(0, 0, 0, 1, 20, 0, 0)


def test_paired_ratio_equals_plain_draws():
    rng = seeded(10)
    bottom = rng.integers(1, 50, (2, 15))
    top = (bottom * rng.random((2, 15))).astype(int)
    found = paired_bootstrap_ratio(
        top[0], bottom[0], top[1], bottom[1], draws=300, level=.95,
        generator=seeded())
    one, two = (oracles.bootstrap(
        top[i].tolist(), bottom[i].tolist(), 300, seeded())
        for i in (0, 1))
    scatter = [b - a for a, b in zip(one, two, strict=True)]
    assert found.estimate == pytest.approx(
        top[1].sum() / bottom[1].sum() - top[0].sum() / bottom[0].sum())
    assert (found.low, found.high) == pytest.approx(
        (oracles.percentile(scatter, 2.5),
         oracles.percentile(scatter, 97.5)), abs=1e-12)
    gains = top[1] / bottom[1] - top[0] / bottom[0]
    assert (found.better, found.worse) == (
        (gains > 0).sum(), (gains < 0).sum())


@pytest.mark.parametrize(('option', 'error', 'message'), [
    ({'draws': 0}, ValueError, 'draws must be an integer of at least 1'),
    ({'level': 95}, ValueError, r'level must be in \(0, 1\)'),
    ({'generator': 0}, TypeError, 'must be a numpy.random.Generator'),
])
def test_wrong_options_are_named(option, error, message):
    given = {'draws': 9, 'level': .95, 'generator': seeded()}
    with pytest.raises(error, match=message):
        bootstrap_mean([1., 2.], **{**given, **option})


def test_runs_of_other_lengths_are_named():
    with pytest.raises(ValueError, match=r'the same images .* \(2,\), \(3,'):
        paired_bootstrap_mean([1, 2], [1, 2, 3], draws=9, level=.95,
                              generator=seeded())
