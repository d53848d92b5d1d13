"""Centre lines: clDice, correctness and completeness, clIoU."""

import itertools

import numpy as np
import oracles_metrics as oracles
import pytest
from metric_masks import lines_case, mask_pairs
from skimage.morphology import skeletonize

from mmcrack.functional.metrics import (
    MatchCounts,
    cldice,
    cldice_counts,
    cliou,
    match_ratios,
    skeleton_counts,
    skeleton_ratios,
)
from mmcrack.functional.metrics.skeleton import skeleton


def broken_bar():
    target = np.zeros((9, 12), np.uint8)
    target[3:6, 1:11] = 1
    pred = target.copy()
    pred[:, 5] = 0
    return pred, target


def test_pinned_broken_bar():
    pred, target = broken_bar()
    line = np.argwhere(skeleton(target > 0, method='zhang')).tolist()
    assert sorted(line) == sorted([[3, 9], *([4, x] for x in range(1, 9))])
    counts = cldice_counts(pred, target)
    assert counts == MatchCounts(7, 7, 8, 9, 108)
    found = match_ratios(counts, empty='skip')
    assert [found[k] for k in ('Precision', 'Recall', 'F1')] == (
        pytest.approx((1, .888889, .941176), abs=1e-6))
    assert cldice(pred, target, empty='skip') == found['F1']


def test_pinned_lines_with_the_papers_tolerance():
    counts = skeleton_counts(*lines_case(), tau=2)
    assert skeleton_ratios(counts, empty='skip') == pytest.approx(
        {'Correctness': .555556, 'Completeness': .555556,
         'Quality': .384615}, abs=1e-6)


def test_released_tolerance_is_none():
    assert set(skeleton_ratios(
        skeleton_counts(*lines_case(), tau=0),
        empty='skip').values()) == {0.0}
    counts = skeleton_counts(*broken_bar(), tau=0)
    both = counts.matched_pred
    assert both == counts.matched_target == 6
    assert skeleton_ratios(counts, empty='skip') == {
        'Correctness': both / 7, 'Completeness': both / 9,
        'Quality': both / (7 + 9 - both)}


@pytest.mark.parametrize(('tau', 'expected'), [
    (2, .384615), (3, 1), (4, 1)])
def test_pinned_cliou(tau, expected):
    for thin in (False, True):
        assert cliou(*lines_case(), tau=tau, thin=thin,
                     empty='skip') == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize('method', ['zhang', 'lee'])
def test_a_crop_changes_no_skeleton(method):
    for _, target, _ in mask_pairs(seed=3, largest=30):
        assert (skeleton(target > 0, method=method) == (
            skeletonize(target, method=method) > 0)).all()


def test_each_crack_has_a_skeleton():
    # So that "no crack" and "no skeleton" are the same images.
    for bits in itertools.product((0, 1), repeat=9):
        mask = np.array(bits, bool).reshape(3, 3)
        for method in ('zhang', 'lee'):
            line = skeleton(mask, method=method)
            assert line.any() == mask.any()
            assert not (line & ~mask).any()


@pytest.mark.parametrize('method', ['zhang', 'lee'])
def test_cldice_equals_the_slow_definition(method):
    for trial, (pred, target, valid) in enumerate(mask_pairs(seed=4)):
        empty = ('skip', 'zero', 'one')[trial // 3 % 3]
        assert cldice(
            pred, target, method=method, empty=empty,
            valid=valid) == pytest.approx(
                oracles.cldice(pred, target, valid, method, empty),
                abs=1e-12, nan_ok=True)


def test_skeletons_with_tolerance_equal_the_slow_definition():
    for trial, (pred, target, valid) in enumerate(mask_pairs(seed=5)):
        tau = trial % 5
        a, b, judged = oracles.judged_masks(pred, target, valid)
        expected = oracles.match_counts(skeletonize(a), skeletonize(b), tau)
        counts = skeleton_counts(pred, target, tau=tau, valid=valid)
        assert counts == MatchCounts(*expected, judged=judged.sum())
        quality = oracles.divide(
            expected[0], expected[1] + expected[3] - expected[2])
        assert skeleton_ratios(
            counts, empty='one')['Quality'] == pytest.approx(
                oracles.rule(quality, expected[3], expected[1],
                             judged.sum(), 'one'), abs=1e-12, nan_ok=True)
        assert cliou(
            pred, target, tau=tau, empty='zero',
            valid=valid) == pytest.approx(
                oracles.match_ratios(expected, judged.sum(), 'zero')['IoU'],
                abs=1e-12, nan_ok=True)


def test_both_empty_and_one_empty():
    nothing, line = np.zeros((5, 5)), np.eye(5)
    assert cldice(nothing, nothing, empty='one') == 1
    assert cldice(line, nothing, empty='one') == 0
    assert cldice(nothing, line, empty='one') == 0
    assert np.isnan(cldice(nothing, nothing, empty='skip'))


def test_unknown_method_is_named():
    with pytest.raises(ValueError, match="method must be one of zhang, lee, "
                       "got 'medial'"):
        cldice(*broken_bar(), empty='skip', method='medial')
