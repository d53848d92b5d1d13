"""Signed distances of boundaries, by hand and against a slow search."""

import numpy as np
import pytest
from scipy.ndimage import binary_erosion, generate_binary_structure

from mmcrack.functional.metrics.boundary_error import (
    boundary_errors,
    error_histogram,
)


def bar(top, bottom, size=(20, 30)):
    mask = np.zeros(size, bool)
    mask[top:bottom] = True
    return mask


def slow(pred, target):
    cross = generate_binary_structure(2, 1)
    edges = [np.argwhere(m & ~binary_erosion(m, cross, border_value=1))
             for m in (pred, target)]
    out = []
    for point in edges[0]:
        near = np.sqrt(((edges[1] - point)**2).sum(1)).min()
        out.append(-near if target[tuple(point)] else near)
    return np.array(out)


@pytest.mark.parametrize(('pred', 'counts'), [
    (bar(8, 11), {0: 60}), (bar(7, 12), {1: 60}), (bar(5, 14), {3: 60}),
    (bar(9, 10), {-1: 30}), (bar(9, 12), {1: 30, -1: 30}),
    (bar(0, 0), {})])
def test_bars(pred, counts):
    found = error_histogram(boundary_errors(pred, bar(8, 11)), limit=5)
    wanted = np.zeros(11, int)
    for error, count in counts.items():
        wanted[error + 5] = count
    assert found.tolist() == wanted.tolist()


@pytest.mark.parametrize('seed', range(5))
def test_equals_a_slow_search(seed):
    rng = np.random.default_rng(seed)
    pred, target = (rng.random((2, 17, 23)) > .6)
    assert boundary_errors(pred, target) == pytest.approx(
        slow(pred, target), abs=1e-5)


def test_without_a_true_boundary_errors_are_endless():
    errors = boundary_errors(bar(8, 11), bar(0, 0))
    assert len(errors) == 60
    assert np.isinf(errors).all()
    assert error_histogram(errors, limit=2).tolist() == [0, 0, 0, 0, 60]


def test_ignored_pixels_and_what_lies_beside_them_have_no_boundary():
    valid = np.ones((20, 30), bool)
    valid[:, :10] = False
    errors = boundary_errors(bar(7, 12), bar(8, 11), valid=valid)
    assert errors.tolist() == [1.0] * 2 * 19


def test_halves_go_outwards():
    errors = np.array([.4, .5, -.5, 1.5, -9, np.inf])
    assert error_histogram(errors, limit=2).tolist() == [1, 1, 1, 1, 2]
