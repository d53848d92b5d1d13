"""Calibration, and whether a variance knows the errors."""

import math

import numpy as np
import oracles_metrics as oracles
import pytest
import torch
from metric_masks import draw_prob, mask_pairs

from mmcrack.functional.metrics import (
    calibration_bins,
    error_histogram,
    expected_calibration_error,
    pooled_auroc,
    variance_auroc,
)


def ece(prob, target, **options):
    return expected_calibration_error(
        calibration_bins(prob, target, **options))


def test_closed_forms():
    target = np.zeros((10, 10), bool)
    target[:3] = True
    # A constant is right on average, or off by the difference.
    assert ece(np.full((10, 10), .3), target, bins=10) == pytest.approx(0)
    assert ece(np.full((10, 10), .8), target, bins=10) == pytest.approx(.5)
    # Of the class predicted: 70 of 100 right, sure by 0.8.
    assert ece(np.full((10, 10), .2), target, bins=10,
               of='predicted') == pytest.approx(.1)
    assert ece(target.astype(float), target, bins=15) == 0
    assert ece(1. - target, target, bins=15) == 1


def test_equals_the_slow_definition():
    rng = np.random.default_rng(17)
    for trial, (_, target, valid) in enumerate(mask_pairs(seed=17)):
        prob = draw_prob(rng, target)
        prob[rng.random(prob.shape) < .2] = (0., 1., .1, .3, .7)[trial % 5]
        if trial % 2:
            prob = prob.astype(np.float32)
        bins = (1, 7, 10, 15)[trial % 4]
        known = np.ones(target.shape, bool) if valid is None else valid
        pairs = [(float(p), bool(t)) for p, t in zip(
            prob[known], target[known], strict=True)]
        assert ece(prob, target, bins=bins, valid=valid) == pytest.approx(
            oracles.ece(pairs, bins), abs=1e-6, nan_ok=True)
        sure = [(max(float(p), 1 - float(p)), (p >= .5) == t)
                for p, t in pairs]
        if not trial % 2:
            assert ece(prob, target, bins=bins, of='predicted',
                       valid=valid) == pytest.approx(
                           oracles.ece(sure, bins), abs=1e-6, nan_ok=True)


def test_band_equals_the_slow_definition():
    rng = np.random.default_rng(18)
    for trial, (_, target, valid) in enumerate(
            mask_pairs(seed=18, largest=12)):
        prob = draw_prob(rng, target)
        known = np.ones(target.shape, bool) if valid is None else valid
        reach = (1, 2, 2.5)[trial % 3]
        band = oracles.contour_band(target, known, reach)
        pairs = list(zip(prob[band].tolist(), target[band].tolist(),
                         strict=True))
        assert ece(prob, target, bins=10, band=reach,
                   valid=valid) == pytest.approx(
                       oracles.ece(pairs, 10), abs=1e-9, nan_ok=True)


def test_equals_torchmetrics():
    functional = pytest.importorskip(
        'torchmetrics.functional.classification')
    rng = np.random.default_rng(19)
    for _, target, _ in mask_pairs(seed=19):
        prob = draw_prob(rng, target).astype(np.float32)
        expected = functional.binary_calibration_error(
            torch.from_numpy(prob), torch.from_numpy(target).long(),
            n_bins=15, norm='l1')
        assert ece(prob, target, bins=15) == pytest.approx(
            float(expected), abs=1e-5)


def test_pooled_bins_are_those_of_one_large_image():
    rng = np.random.default_rng(20)
    prob = rng.random((20, 30))
    target = rng.random((20, 30)) < prob**2
    parts = [calibration_bins(prob[:, part], target[:, part], bins=15)
             for part in (slice(0, 11), slice(11, 30))]
    whole = calibration_bins(prob, target, bins=15)
    assert ((parts[0] + parts[1]).pixels == whole.pixels).all()
    assert expected_calibration_error(
        parts[0] + parts[1]) == pytest.approx(
            expected_calibration_error(whole), abs=1e-12)
    with pytest.raises(ValueError, match='only with as many bins, got 15 '):
        whole + calibration_bins(prob, target, bins=10)
    with pytest.raises(TypeError):
        whole + 1


@pytest.mark.parametrize(('option', 'message'), [
    ({'bins': 0}, 'bins must be an integer of at least 1'),
    ({'bins': 5, 'of': 'background'}, 'of must be one of crack, predicted'),
    ({'bins': 5, 'band': -1}, 'tau must be a distance'),
])
def test_wrong_options_are_named(option, message):
    with pytest.raises(ValueError, match=message):
        calibration_bins(np.zeros((2, 2)), np.zeros((2, 2)), **option)


# --- variance ---------------------------------------------------------------


def test_auroc_closed_forms():
    target = np.array([[1, 1, 0, 0]])
    pred = np.array([[0, 1, 0, 0]])
    for variance, expected in (([[4, 1, 2, 3]], 1), ([[0, 1, 2, 3]], 0),
                               ([[1, 1, 1, 1]], .5), ([[2, 1, 2, 3]], .5)):
        assert variance_auroc(
            pred, target, variance=np.array(variance)) == expected
    assert math.isnan(variance_auroc(
        target, target, variance=np.zeros((1, 4))))


def test_auroc_equals_the_slow_definition_and_scikit_learn():
    metrics = pytest.importorskip('sklearn.metrics')
    rng = np.random.default_rng(21)
    for pred, target, valid in mask_pairs(seed=21):
        variance = rng.integers(0, 9, target.shape) / 8 + (pred != target)
        known = np.ones(target.shape, bool) if valid is None else valid
        wrong = (pred != target)[known]
        found = variance_auroc(
            pred, target, variance=variance, valid=valid)
        assert found == pytest.approx(
            oracles.auroc(variance[known], wrong), abs=1e-12, nan_ok=True)
        if wrong.any() and not wrong.all():
            assert found == pytest.approx(
                metrics.roc_auc_score(wrong, variance[known]), abs=1e-12)
        # An edge between all values: nothing is lost.
        histogram = error_histogram(
            pred, target, variance=variance, valid=valid,
            edges=np.arange(17) / 8)
        assert pooled_auroc(histogram) == pytest.approx(
            found, abs=1e-12, nan_ok=True)


def test_histograms_pool():
    rng = np.random.default_rng(22)
    target = rng.random((40, 60)) < .3
    pred = target ^ (rng.random((40, 60)) < .2)
    variance = np.exp(rng.normal(0, 1, (40, 60)) + (pred != target))
    edges = np.geomspace(1e-4, 1e4, 1001)
    parts = [error_histogram(pred[:, p], target[:, p], edges=edges,
                             variance=variance[:, p])
             for p in (slice(0, 25), slice(25, 60))]
    pooled = pooled_auroc(parts[0] + parts[1])
    assert pooled == pytest.approx(
        variance_auroc(pred, target, variance=variance), abs=1e-4)
    with pytest.raises(ValueError, match='pool only with the same edges'):
        parts[0] + error_histogram(
            pred, target, variance=variance, edges=edges[1:])
    with pytest.raises(TypeError):
        parts[0] + 1


def test_wrong_variances_are_named():
    masks = np.zeros((2, 2)), np.zeros((2, 2))
    with pytest.raises(ValueError, match=r'one shape, got \(2, 3\) and \(2,'):
        variance_auroc(*masks, variance=np.zeros((2, 3)))
    with pytest.raises(ValueError, match='hold numbers, got NaN'):
        variance_auroc(*masks, variance=np.full((2, 2), np.nan))
    with pytest.raises(ValueError, match='edges must be ascending'):
        error_histogram(*masks, variance=np.zeros((2, 2)), edges=[1, 1])
