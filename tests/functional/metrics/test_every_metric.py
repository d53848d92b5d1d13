"""Laws that hold for all metrics of one image."""

import math

import numpy as np
import pytest
import torch
from metric_masks import mask_pairs

from mmcrack.functional import metrics as m

MASKS = {
    'boundary_accuracy': m.boundary_accuracy,
    'boundary_iou': lambda *x, **k: m.boundary_iou(
        *x, pixels=2, empty='one', **k),
    'boundary_f1': lambda *x, **k: m.boundary_f1(
        *x, pixels=1, empty='one', **k),
    'tolerance_f1': lambda *x, **k: m.tolerance_f1(
        *x, tau=2, empty='one', **k),
    'cliou': lambda *x, **k: m.cliou(*x, tau=2, empty='one', **k),
    'cldice': lambda *x, **k: m.cldice(*x, empty='one', **k),
    'betti': lambda *x, **k: m.betti_means(
        m.betti_errors(*x, window=5, **k))['Betti0'],
    'hausdorff': lambda *x, **k: m.hausdorff(m.surface_distances(*x, **k)),
    'assd': lambda *x, **k: m.assd(
        m.surface_distances(*x, **k), convention='directed'),
}
# What takes probabilities, fed with masks.
SOFT = {
    'pixel': lambda *x, **k: m.ods(m.curve(
        *x, protocol='pixel', thresholds=[.5], strict=False, **k)).f1,
    'bsds': lambda *x, **k: m.ods(m.curve(
        *x, protocol='bsds', thresholds=[.5], strict=False, **k)).f1,
    'ece': lambda *x, **k: m.expected_calibration_error(
        m.calibration_bins(*x, bins=10, band=2, **k)),
}
ALL = {**MASKS, **SOFT}
BEST = {'betti': 0, 'hausdorff': 0, 'assd': 0, 'ece': 0}


@pytest.fixture(params=sorted(ALL))
def name(request):
    return request.param


def test_what_is_ignored_changes_nothing(name):
    used = 0
    for pred, target, valid in mask_pairs(count=90, seed=30):
        if valid is None:
            continue
        used += 1
        expected = ALL[name](pred, target, valid=valid)
        for junk in (0, 1):
            found = ALL[name](np.where(valid, pred, junk),
                              np.where(valid, target, 1 - junk),
                              valid=valid)
            assert found == pytest.approx(expected, nan_ok=True, abs=1e-12)
        assert ALL[name](
            pred, np.where(valid, target, 255),
            valid=valid) == pytest.approx(expected, nan_ok=True, abs=1e-12)
    assert used == 30


def test_nothing_ignored_is_no_mask(name):
    for pred, target, _ in mask_pairs(count=30, seed=31):
        assert ALL[name](
            pred, target, valid=np.ones(target.shape, bool)) == (
                pytest.approx(ALL[name](pred, target), nan_ok=True))


def test_everything_ignored_is_nan(name):
    pred, target = np.eye(6), np.eye(6)
    assert math.isnan(
        ALL[name](pred, target, valid=np.zeros((6, 6), bool)))


def test_tensors_score_as_arrays(name):
    for pred, target, valid in mask_pairs(count=12, seed=32):
        known = None if valid is None else torch.from_numpy(valid)
        found = ALL[name](torch.from_numpy(pred).float(),
                          torch.from_numpy(target).long(), valid=known)
        assert found == pytest.approx(
            ALL[name](pred, target, valid=valid), nan_ok=True)


def test_the_truth_itself_scores_best(name):
    for _, target, _ in mask_pairs(count=30, seed=33):
        found = ALL[name](target, target)
        assert math.isnan(found) or found == BEST.get(name, 1)


@pytest.mark.parametrize('name', ['boundary_iou', 'boundary_f1',
                                  'tolerance_f1', 'pixel', 'hausdorff',
                                  'assd'])
def test_symmetric_figures(name):
    for pred, target, _ in mask_pairs(count=40, seed=34):
        if pred.any() and target.any():
            assert ALL[name](pred, target) == pytest.approx(
                ALL[name](target, pred))


@pytest.mark.parametrize('name', ['boundary_iou', 'boundary_f1',
                                  'tolerance_f1', 'pixel', 'hausdorff',
                                  'assd', 'ece'])
def test_mirrored_images_score_the_same(name):
    for pred, target, valid in mask_pairs(count=40, seed=35):
        expected = ALL[name](pred, target, valid=valid)
        for turn in (np.fliplr, np.flipud, np.transpose):
            found = ALL[name](turn(pred), turn(target),
                              valid=None if valid is None else turn(valid))
            assert found == pytest.approx(expected, nan_ok=True, abs=1e-12)


def test_inputs_are_left_as_they_are(name):
    for pred, target, _ in mask_pairs(count=20, seed=36):
        masks = pred > 0, target > 0
        copies = [x.copy() for x in masks]
        ALL[name](*masks)
        assert all((a == b).all() for a, b in zip(
            masks, copies, strict=True))


@pytest.mark.parametrize('name', sorted(MASKS))
def test_wrong_masks_are_named(name):
    target = np.eye(4)
    with pytest.raises(ValueError, match='hold only 0 and 1 .* got 0.5'):
        ALL[name](target / 2, target)
    with pytest.raises(ValueError, match='target must hold .* got 255'):
        ALL[name](target, target * 255)
    with pytest.raises(ValueError, match='must have one shape'):
        ALL[name](target, np.eye(5))
    with pytest.raises(ValueError, match='one image of shape'):
        ALL[name](target[None], target[None])


@pytest.mark.parametrize('name', sorted(SOFT))
def test_wrong_probabilities_are_named(name):
    target = np.eye(4)
    with pytest.raises(ValueError, match='logits need a sigmoid'):
        ALL[name](target * 3 - 1, target)
    with pytest.raises(ValueError, match='prob must hold probabilities'):
        ALL[name](np.full((4, 4), np.nan), target)
    with pytest.raises(ValueError, match='prob and target must have one sha'):
        ALL[name](np.eye(5), target)
