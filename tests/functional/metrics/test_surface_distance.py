import math

import numpy as np
import oracles_metrics as oracles
import pytest
import torch
from metric_masks import mask_pairs, shifted_case
from scipy.spatial.distance import directed_hausdorff

from mmcrack.functional.metrics import (
    assd,
    hausdorff,
    hausdorff95,
    surface_distances,
)
from mmcrack.functional.metrics.near import surface


def far_pixel_case():
    pred = np.zeros((20, 20), np.uint8)
    pred[5:8, 2:12] = 1
    target = pred.copy()
    target[15, 15] = 1
    return pred, target


def all_figures(pred, target, valid=None):
    found = surface_distances(pred, target, valid=valid)
    return [hausdorff(found), hausdorff95(found, convention='pooled'),
            hausdorff95(found, convention='directed'),
            assd(found, convention='pooled'),
            assd(found, convention='directed')]


def test_pinned_shift_by_a_column():
    found = surface_distances(*shifted_case())
    assert (found.to_target.size, found.to_pred.size) == (20, 20)
    assert all_figures(*shifted_case()) == pytest.approx([1, 1, 1, .3, .3])


def test_pinned_far_pixel():
    found = surface_distances(*far_pixel_case())
    assert (found.to_target.size, found.to_pred.size) == (22, 23)
    assert all_figures(*far_pixel_case()) == pytest.approx(
        [8.944272, 0, 0, .198762, 8.944272 / 23 / 2], abs=1e-6)


def test_equals_the_slow_definition():
    for pred, target, valid in mask_pairs(seed=9):
        found = surface_distances(pred, target, valid=valid)
        a, b = oracles.surface_distances(pred, target, valid)
        assert sorted(found.to_target) == pytest.approx(a, abs=1e-12)
        assert sorted(found.to_pred) == pytest.approx(b, abs=1e-12)
        figures = all_figures(pred, target, valid)
        if not b:
            assert all(map(math.isnan, figures))
        elif not a:
            assert set(figures) == {math.inf}
        else:
            assert figures == pytest.approx([
                max(a + b), oracles.percentile(a + b, 95),
                max(oracles.percentile(a, 95), oracles.percentile(b, 95)),
                sum(a + b) / len(a + b),
                (sum(a) / len(a) + sum(b) / len(b)) / 2], abs=1e-9)


def test_hausdorff_is_that_of_scipy():
    for pred, target, _ in mask_pairs(count=60, seed=10, largest=40):
        a, b = (np.argwhere(surface(x > 0)) for x in (pred, target))
        if len(a) and len(b):
            expected = max(directed_hausdorff(a, b)[0],
                           directed_hausdorff(b, a)[0])
            assert hausdorff(surface_distances(pred, target)) == (
                pytest.approx(expected, abs=1e-12))


def test_equals_monai():
    monai = pytest.importorskip('monai.metrics')
    used = 0
    for pred, target, _ in mask_pairs(count=60, seed=11, largest=40):
        if not pred.any() or not target.any():
            continue
        used += 1
        pair = [torch.from_numpy(x)[None, None].float()
                for x in (pred, target)]
        options = {'include_background': True}
        expected = [
            monai.compute_hausdorff_distance(*pair, **options),
            monai.compute_hausdorff_distance(
                *pair, percentile=95, **options),
            monai.compute_average_surface_distance(
                *pair, symmetric=True, **options)]
        figures = all_figures(pred, target)
        # MONAI: the larger of two percentiles, the mean of all distances.
        assert [figures[0], figures[2], figures[3]] == pytest.approx(
            [float(x) for x in expected], rel=1e-5, abs=1e-5)
    assert used > 20


def test_far_apart_on_a_large_image():
    # 7000 pixels: more than squares in float32 hold.
    pred, target = np.zeros((2, 320, 7360), bool)
    pred[10, 100] = True
    target[310, 7100] = True
    assert hausdorff(surface_distances(pred, target)) == pytest.approx(
        math.hypot(300, 7000), rel=1e-6)


def test_an_ignored_area_makes_no_outline():
    target = np.zeros((6, 9), bool)
    target[2:4, 2:] = True
    valid = np.ones((6, 9), bool)
    valid[:, 6:] = False
    assert np.argwhere(surface(target & valid, valid)).tolist() == [
        [y, x] for y in (2, 3) for x in (2, 3, 4, 5)]
    valid[:] = True
    valid[1] = valid[4] = False
    assert np.argwhere(surface(target & valid, valid)).tolist() == [
        [2, 2], [2, 8], [3, 2], [3, 8]]


@pytest.mark.parametrize('figure', [hausdorff95, assd])
def test_unknown_conventions_are_named(figure):
    found = surface_distances(*shifted_case())
    with pytest.raises(ValueError, match='convention must be one of pooled, '
                       "directed .* got 'monai'"):
        figure(found, convention='monai')
