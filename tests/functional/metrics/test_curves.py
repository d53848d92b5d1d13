"""ODS, OIS, AP and AIU, and the counts that they are made of."""

import math

import numpy as np
import oracles_metrics as oracles
import pytest
import torch
from metric_masks import draw_prob, mask_pairs

from mmcrack.functional.metrics import (
    GRIDS,
    Curve,
    MatchCounts,
    aiu,
    average_precision,
    confusion_counts,
    curve,
    ods,
    ois,
)

COARSE = tuple(np.linspace(.05, .95, 10).tolist())
PROTOCOLS = ('pixel', 'tolerance2', 'bsds')


def facts_images():
    return [(np.array([[.9, .8, .3], [.6, .2, .1]]),
             np.array([[1, 1, 0], [0, 1, 0]])),
            (np.array([[.7, .4, .4], [.3, .2, .05]]),
             np.array([[1, 0, 1], [0, 0, 0]]))]


def facts_curves(grid, *, strict):
    return [curve(prob, target, protocol='pixel', thresholds=GRIDS[grid],
                  strict=strict) for prob, target in facts_images()]


def rows_of(found):
    c = found.counts
    return [(*x, c.target) for x in zip(
        c.matched_pred.tolist(), c.pred.tolist(), c.matched_target.tolist(),
        strict=True)]


def test_pinned_ods_and_ois():
    images = facts_curves('hundred', strict=True)
    pooled = images[0] + images[1]
    best = ods(pooled)
    assert best.f1 == pytest.approx(.75)
    assert best.threshold == pytest.approx(.6)
    assert (best.precision, best.recall) == (1, 3 / 5)
    at = pooled.thresholds.index(best.threshold)
    assert rows_of(pooled)[at] == (3, 3, 3, 5)
    for one in images:
        assert ods(one).f1 == pytest.approx(.8)
    assert ois(images, kind='mean', empty='skip') == pytest.approx(.8)
    assert ois(images, kind='aggregate', empty='skip') == pytest.approx(.8)
    best = [rows_of(x)[x.thresholds.index(ods(x).threshold)]
            for x in images]
    # TP, FP, FN = 4, 1, 1.
    assert tuple(map(sum, zip(*best, strict=True))) == (4, 5, 4, 5)


def test_pinned_aiu():
    images = facts_curves('bsds', strict=False)
    assert aiu(images, empty='skip') == pytest.approx(.406566, abs=1e-6)


def test_pinned_average_precision():
    pooled = sum(facts_curves('bsds', strict=False)[1:],
                 facts_curves('bsds', strict=False)[0])
    assert average_precision(pooled, kind='step') == pytest.approx(
        .833333, abs=1e-6)


def test_grids_of_the_field():
    assert len(GRIDS['hundred']) == 100
    assert GRIDS['hundred'][0] == 0
    assert GRIDS['hundred'][-1] == pytest.approx(.99)
    assert len(GRIDS['bsds']) == len(GRIDS['fphb']) == 99
    assert (GRIDS['bsds'][0], GRIDS['bsds'][-1]) == (.01, .99)


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_counts_equal_the_slow_definition(protocol):
    rng = np.random.default_rng(12)
    grid = COARSE[::2]
    pairs = mask_pairs(seed=12, largest=12)
    for trial, (_, target, valid) in enumerate(pairs):
        prob = draw_prob(rng, target)
        # Some exactly on the grid; both as float32 and as float64.
        prob[rng.random(prob.shape) < .2] = grid[2]
        if trial % 2:
            prob = prob.astype(np.float32)
        strict = trial // 2 % 2 == 1
        found = curve(prob, target, protocol=protocol, thresholds=grid,
                      strict=strict, valid=valid)
        assert rows_of(found) == oracles.curve_counts(
            prob, target, valid, protocol, grid, strict)
        judged = target.size if valid is None else valid.sum()
        assert found.counts.judged == judged


def test_bsds_matches_within_its_share_of_the_diagonal():
    # 200 x 160: diagonal 256.1, 0.0075 of it 1.92 pixels.
    target = np.zeros((200, 160), bool)
    target[50, 20:60] = True
    for shift, matched in ((1, 40), (2, 0)):
        prob = np.roll(target, shift, axis=0) * .8
        found = curve(prob, target, protocol='bsds', thresholds=[.5, .9],
                      strict=False)
        assert rows_of(found) == [
            (matched, 40, matched, 40), (0, 0, 0, 40)]
    # Thick lines are thinned first.
    prob = sum(np.roll(target, k, axis=0) for k in (-1, 0, 1)) * .8
    found = curve(prob, target, protocol='bsds', thresholds=[.5],
                  strict=False)
    (matched, pred, _, _), = rows_of(found)
    assert pred <= 40
    assert matched == pred


def test_scores_equal_the_slow_definition():
    rng = np.random.default_rng(13)
    images, slow = [], []
    for _, target, valid in mask_pairs(seed=13, largest=14):
        prob = draw_prob(rng, target)
        images.append(curve(prob, target, protocol='pixel',
                            thresholds=COARSE, strict=False, valid=valid))
        slow.append(oracles.curve_counts(
            prob, target, valid, 'pixel', COARSE, False))
    pooled = sum(images[1:], images[0])
    best, threshold = oracles.ods(slow, COARSE)
    assert ods(pooled).f1 == pytest.approx(best, abs=1e-12)
    assert ods(pooled).threshold == threshold
    for kind in ('mean', 'aggregate'):
        assert ois(images, kind=kind, empty='skip') == pytest.approx(
            oracles.ois(slow, kind), abs=1e-12)
    assert aiu(images, empty='skip') == pytest.approx(
        oracles.aiu(slow), abs=1e-12)


def test_interpolated_scores_equal_the_slow_definition():
    rng = np.random.default_rng(14)
    for _, target, _ in mask_pairs(seed=14, largest=12):
        if not target.any():
            continue
        found = curve(draw_prob(rng, target), target, protocol='bsds',
                      thresholds=COARSE, strict=False)
        rows = rows_of(found)
        precision = [oracles.divide(a, b) for a, b, _, _ in rows]
        recall = [oracles.divide(a, b) for _, _, a, b in rows]
        best, threshold = oracles.interpolated_best(
            precision, recall, COARSE)
        point = ods(found, interpolate=True)
        assert point.f1 == pytest.approx(best, abs=1e-9)
        assert point.f1 >= ods(found).f1 - 1e-12
        if best > 0:
            assert point.threshold == pytest.approx(threshold, abs=1e-9)
        expected = (oracles.bsds_ap(precision, recall)
                    if len(set(recall)) > 1 else 0)
        assert average_precision(found, kind='bsds') == pytest.approx(
            expected, abs=1e-9)


def test_steps_are_those_of_scikit_learn():
    metrics = pytest.importorskip('sklearn.metrics')
    rng = np.random.default_rng(15)
    for _, target, valid in mask_pairs(seed=15):
        prob = draw_prob(rng, target)
        known = np.ones(target.shape, bool) if valid is None else valid
        if not target[known].any():
            continue
        grid = sorted(set(prob.ravel().tolist()))
        found = curve(prob, target, protocol='pixel', thresholds=grid,
                      strict=False, valid=valid)
        assert average_precision(found, kind='step') == pytest.approx(
            metrics.average_precision_score(target[known], prob[known]),
            abs=1e-12)


def test_one_threshold_is_the_mask_metric():
    rng = np.random.default_rng(16)
    for _, target, valid in mask_pairs(seed=16):
        prob = draw_prob(rng, target)
        row, = rows_of(curve(prob, target, protocol='pixel',
                             thresholds=[.5], strict=False, valid=valid))
        counts = confusion_counts(prob >= .5, target, valid=valid)
        assert row == (counts.tp, counts.tp + counts.fp, counts.tp,
                       counts.tp + counts.fn)


def test_float32_compares_as_numpy_and_torch_do():
    # float32(0.7) lies below 0.7.
    prob = np.full((1, 1), .7, np.float32)
    assert torch.from_numpy(prob) >= .7
    found = curve(torch.from_numpy(prob), np.ones((1, 1)),
                  protocol='pixel', thresholds=[.7], strict=False)
    assert rows_of(found) == [(1, 1, 1, 1)]


def false_alarm():
    return curve(np.array([[.3, .0]]), np.zeros((1, 2)), protocol='pixel',
                 thresholds=[.25, .5], strict=False)


def one_crack():
    return curve(np.array([[.9, .3]]), np.array([[1, 0]]),
                 protocol='pixel', thresholds=[.25, .5], strict=False)


@pytest.mark.parametrize(('empty', 'mean', 'aggregate', 'area'), [
    ('skip', 1, 1, .75),
    # edgesEval takes the false alarm at the lowest threshold.
    ('zero', .5, 2 / 3, .375),
    ('one', 1, 1, .625),
])
def test_images_without_crack(empty, mean, aggregate, area):
    images = [one_crack(), false_alarm()]
    assert ois(images, kind='mean', empty=empty) == mean
    assert ois(images, kind='aggregate', empty=empty) == aggregate
    assert aiu(images, empty=empty) == area


def test_no_crack_at_all_is_nan():
    assert math.isnan(ods(false_alarm()).f1)
    assert math.isnan(average_precision(false_alarm(), kind='step'))
    assert math.isnan(ois([false_alarm()], kind='mean', empty='skip'))
    assert math.isnan(aiu([false_alarm()], empty='skip'))


def test_curves_of_different_rules_do_not_pool():
    one = one_crack()
    other = Curve('pixel', one.thresholds, True, one.counts)
    with pytest.raises(ValueError, match='Curves pool only with one'):
        one + other
    with pytest.raises(TypeError):
        one + 1
    assert (one + one).counts.target == 2


def test_aiu_wants_exact_pixels():
    wrong = Curve('bsds', (.5,), False, MatchCounts(0, 0, 0, 0, 0))
    with pytest.raises(ValueError, match="protocol 'pixel', got 'bsds'"):
        aiu([wrong], empty='skip')


@pytest.mark.parametrize(('option', 'message'), [
    ({'protocol': 'zou'}, 'protocol must be one of pixel, tolerance2, bsds'),
    ({'thresholds': []}, 'thresholds must be ascending'),
    ({'thresholds': [.5, .5]}, 'thresholds must be ascending'),
    ({'thresholds': [.5, 1.5]}, r'ascending numbers in \[0, 1\]'),
])
def test_wrong_options_are_named(option, message):
    given = {'protocol': 'pixel', 'thresholds': [.5], 'strict': False}
    with pytest.raises(ValueError, match=message):
        curve(np.zeros((2, 2)), np.zeros((2, 2)), **{**given, **option})
    with pytest.raises(ValueError, match='kind must be one of'):
        ois([one_crack()], kind='median', empty='skip')
    with pytest.raises(ValueError, match='kind must be one of'):
        average_precision(one_crack(), kind='trapezoid')
