"""Thinning and one-to-one matching of the BSDS protocol."""

import cv2
import numpy as np
import oracles_metrics as oracles
from metric_masks import mask_pairs
from scipy.spatial import KDTree
from skimage.morphology import thin as library_thin

from mmcrack.functional.metrics.matching import match_one_to_one, thin


def test_thinning_is_that_of_scikit_image():
    for pred, target, _ in mask_pairs(seed=6, largest=24):
        for mask in (pred > 0, target > 0):
            assert (thin(mask) == library_thin(mask)).all()


def test_thinning_of_smooth_shapes_is_that_of_scikit_image():
    rng = np.random.default_rng(0)
    for size in (20, 60, 120):
        for _ in range(10):
            field = cv2.GaussianBlur(rng.random((size, size)), (0, 0), 3)
            mask = field > np.quantile(field, rng.random())
            assert (thin(mask) == library_thin(mask)).all()


def pairs_of(a, b, distance):
    return match_one_to_one(
        np.array(a).reshape(-1, 2), KDTree(np.array(b).reshape(-1, 2)),
        distance=distance)


def test_a_pixel_has_one_partner():
    # A tolerance would match all three.
    assert pairs_of([(0, 0), (0, 1), (0, 2)], [(0, 1)], 1) == 1


def test_the_nearest_partner_is_not_always_the_best():
    # (0, 1) is nearer to (0, 2), the only partner of (0, 3).
    assert pairs_of([(0, 1), (0, 3)], [(0, -1), (0, 2)], 2) == 2


def test_distances_count_to_the_full_reach():
    assert pairs_of([(0, 0)], [(3, 4)], 5) == 1
    assert pairs_of([(0, 0)], [(3, 4)], 4.999) == 0
    assert pairs_of([], [(3, 4)], 5) == pairs_of([(3, 4)], [], 5) == 0


def test_matching_is_the_largest():
    rng = np.random.default_rng(1)
    for trial in range(200):
        # Every third: many more to choose from than true pixels.
        count = rng.integers(0, 40, 2) if trial % 3 else (
            rng.integers(20, 36), rng.integers(1, 16))
        side = int(rng.integers(6, 20))
        a, b = (rng.permutation(side * side)[:n] for n in count)
        a, b = (np.stack(np.divmod(x, side), axis=1) for x in (a, b))
        distance = (1, 1.5, 2, 3.3)[trial % 4]
        assert pairs_of(a, b, distance) == oracles.largest_matching(
            a.tolist(), b.tolist(), distance)


def test_dense_and_lonely_pixels_end_in_time():
    # More pixels than partners, each with hundreds to choose from: what
    # makes some solvers search in vain again and again.
    square = np.argwhere(np.ones((60, 60), bool))
    line = np.argwhere(np.ones((1, 60), bool)) + (30, 0)
    assert pairs_of(square, line, 20) == 60
    assert pairs_of(line, square, 20) == 60
