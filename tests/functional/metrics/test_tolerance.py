import math

import numpy as np
import oracles_metrics as oracles
import pytest
from metric_masks import lines_case, mask_pairs

from mmcrack.functional.metrics import (
    MatchCounts,
    match_ratios,
    tolerance_counts,
    tolerance_f1,
)
from mmcrack.functional.metrics.near import near


@pytest.mark.parametrize(('tau', 'shape', 'expected'), [
    (0, 'disc', (0, 0, 0)),
    (1, 'disc', (0, 0, 0)),
    (1, 'square', (0, 0, 0)),
    (2, 'disc', (.555556, .555556, .555556)),
    (2, 'square', (.555556, .777778, .648148)),
    (3, 'disc', (1, 1, 1)),
    (3, 'square', (1, 1, 1)),
])
def test_pinned_lines(tau, shape, expected):
    counts = tolerance_counts(*lines_case(), tau=tau, shape=shape)
    found = match_ratios(counts, empty='skip')
    assert [found[k] for k in ('Precision', 'Recall', 'F1')] == (
        pytest.approx(expected, abs=1e-6))
    assert tolerance_f1(
        *lines_case(), tau=tau, shape=shape, empty='skip') == found['F1']


@pytest.mark.parametrize('shape', ['disc', 'square'])
def test_equals_the_slow_definition(shape):
    for trial, (pred, target, valid) in enumerate(mask_pairs(seed=2)):
        tau = (0, 1, math.sqrt(2), 2, 2.5, math.sqrt(5), 5, 40)[trial % 8]
        counts = tolerance_counts(
            pred, target, tau=tau, shape=shape, valid=valid)
        a, b, judged = oracles.judged_masks(pred, target, valid)
        expected = oracles.match_counts(a, b, tau, shape)
        assert counts == MatchCounts(*expected, judged=judged.sum())
        for empty in ('skip', 'zero', 'one'):
            assert match_ratios(counts, empty=empty) == pytest.approx(
                oracles.match_ratios(expected, judged.sum(), empty),
                abs=1e-12, nan_ok=True)


def test_a_disc_reaches_as_far_as_it_says():
    # Each squared distance up to 200^2, and the next float above and below.
    mask = np.zeros((201, 201), bool)
    mask[0, 0] = True
    y, x = np.indices(mask.shape)
    for squared in (1, 2, 5, 25, 50, 338, 10000, 20200, 40000):
        tau = math.sqrt(squared)
        for at in (tau, math.nextafter(tau, 0) - 1e-6):
            expected = x**2 + y**2 <= (squared if at == tau else squared - 1)
            assert (near(mask, tau=at, shape='disc') == expected).all()


def test_pooled_images():
    a = tolerance_counts(*lines_case(), tau=2)
    b = tolerance_counts(np.zeros((4, 4)), np.eye(4), tau=2)
    pooled = a + b
    assert pooled == MatchCounts(5, 9, 5, 13, 137)
    found = match_ratios(pooled, empty='skip')
    assert (found['Precision'], found['Recall']) == (5 / 9, 5 / 13)
    with pytest.raises(TypeError):
        a + 1


def test_many_images_at_once():
    many = MatchCounts(*np.array([[5, 9, 5, 9, 121], [0, 0, 0, 0, 9],
                                  [0, 2, 0, 0, 9], [0, 0, 0, 0, 0]]).T)
    assert match_ratios(many, empty='one')['F1'] == pytest.approx(
        [5 / 9, 1, 0, math.nan], nan_ok=True)


def test_far_away_is_not_near():
    mask = np.zeros((3, 3000), bool)
    mask[1, 0] = True
    assert near(mask, tau=999, shape='disc').sum() == 3 * 999 + 1
    assert not near(np.zeros((3, 3), bool), tau=9, shape='square').any()


@pytest.mark.parametrize('tau', [-1, math.nan, math.inf])
def test_wrong_tolerances_are_named(tau):
    with pytest.raises(ValueError, match='tau must be a distance in pixels'):
        tolerance_counts(*lines_case(), tau=tau)
