"""Boundary IoU and boundary F1."""

import math

import numpy as np
import oracles_metrics as oracles
import pytest
from metric_masks import mask_pairs, shifted_case, thin_case

from mmcrack.functional.metrics import (
    Counts,
    boundary_f1,
    boundary_f1_counts,
    boundary_iou,
    boundary_iou_counts,
    boundary_width,
    confusion_counts,
    iou,
)


def test_pinned_shift_by_a_column():
    pred, target = shifted_case()
    assert boundary_width(12, 12, ratio=.02) == 1
    counts = boundary_iou_counts(pred, target, ratio=.02)
    assert (counts.tp + counts.fp, counts.tp + counts.fn) == (20, 20)
    assert boundary_iou(pred, target, ratio=.02, empty='skip') == (
        pytest.approx(.538462, abs=1e-6))
    assert iou(confusion_counts(pred, target), empty='skip') == (
        pytest.approx(.777778, abs=1e-6))


def test_pinned_thin_crack_is_all_band():
    pred, target = thin_case()
    assert boundary_width(450, 450, ratio=.02) == 13
    assert boundary_iou(pred, target, ratio=.02, empty='skip') == (
        pytest.approx(.818182, abs=1e-6))
    assert boundary_iou(pred, target, ratio=.02, empty='skip') == iou(
        confusion_counts(pred, target), empty='skip')


def test_boundary_iou_equals_the_slow_definition():
    for trial, (pred, target, valid) in enumerate(mask_pairs()):
        width = trial // 2 % 3 + 1
        empty = ('skip', 'zero', 'one')[trial // 3 % 3]
        assert boundary_iou(
            pred, target, pixels=width, empty=empty,
            valid=valid) == pytest.approx(
                oracles.boundary_iou(pred, target, valid, width, empty),
                abs=1e-12, nan_ok=True)


@pytest.mark.parametrize('shape', ['disc', 'square'])
def test_boundary_f1_equals_the_slow_definition(shape):
    for trial, (pred, target, valid) in enumerate(mask_pairs(seed=1)):
        tau = (0, 1, 1.5, 2, 3)[trial % 5]
        a, b, judged = oracles.judged_masks(pred, target, valid)
        a, b = (oracles.outline(x, judged, 1, False) for x in (a, b))
        expected = oracles.match_ratios(
            oracles.match_counts(a, b, math.floor(tau) if shape == 'square'
                                 else tau, shape), judged.sum(), 'one')
        assert boundary_f1(
            pred, target, pixels=tau, shape=shape, empty='one',
            valid=valid) == pytest.approx(
                expected['F1'], abs=1e-12, nan_ok=True)


def test_boundary_f1_of_a_shift():
    # Outlines of 20 pixels; of each, the column that left and the one that
    # came, less their ends, lie apart.
    pred, target = shifted_case()
    counts = boundary_f1_counts(pred, target, pixels=0)
    assert (counts.pred, counts.target) == (20, 20)
    assert counts.matched_pred == counts.matched_target == 14
    assert boundary_f1(pred, target, pixels=0, empty='skip') == .7
    assert boundary_f1(pred, target, pixels=1, empty='skip') == 1


def test_a_share_of_the_diagonal_is_not_rounded_for_f1():
    target = np.zeros((30, 40), bool)
    target[10] = True
    pred = np.roll(target, 2, axis=0)
    # The diagonal is 50 pixels.
    assert boundary_f1(pred, target, ratio=.0399, empty='skip') == 0
    assert boundary_f1(pred, target, ratio=.04, empty='skip') == 1


def test_an_ignored_area_makes_no_outline():
    target = np.zeros((9, 9), bool)
    target[:, :5] = True
    valid = np.ones((9, 9), bool)
    valid[:, 5:7] = False
    counts = boundary_iou_counts(target, target, pixels=1, valid=valid)
    # Left column, and first and last row: no column beside the ignored.
    assert counts == Counts(9 + 4 + 4, 0, 0, 63 - 17)


def test_the_rounded_width_is_at_least_a_pixel():
    assert boundary_width(3, 4, ratio=.02) == 1
    assert boundary_width(4912, 7360, ratio=.02) == 177
    assert boundary_width(8, 8, pixels=5) == 5


@pytest.mark.parametrize(('option', 'message'), [
    ({}, 'one of ratio .* and pixels, got ratio=None'),
    ({'ratio': .1, 'pixels': 2}, 'one of ratio'),
    ({'ratio': 2.}, r'ratio must be in \(0, 1\)'),
    ({'pixels': 0}, 'pixels must be an integer of at least 1, got 0'),
    ({'pixels': 1.5}, 'pixels must be an integer'),
])
def test_wrong_widths_are_named(option, message):
    with pytest.raises(ValueError, match=message):
        boundary_iou(*shifted_case(), empty='skip', **option)


@pytest.mark.parametrize(('option', 'message'), [
    ({}, 'Give the tolerance as one of ratio'),
    ({'pixels': -1}, 'tau must be a distance in pixels of at least 0'),
    ({'pixels': 1, 'shape': 'plus'}, 'shape must be one of disc, square'),
])
def test_wrong_tolerances_are_named(option, message):
    with pytest.raises(ValueError, match=message):
        boundary_f1(*shifted_case(), empty='skip', **option)
