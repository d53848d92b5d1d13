import math

import numpy as np
import oracles_metrics as oracles
import pytest
from metric_masks import mask_pairs

from mmcrack.functional.metrics import (
    BettiErrors,
    betti_errors,
    betti_means,
    betti_numbers,
)


def ring():
    mask = np.zeros((7, 7), bool)
    mask[1:6, 1:6] = True
    mask[2:5, 2:5] = False
    return mask


def test_pinned_numbers():
    assert betti_numbers(ring()) == (1, 1)
    opened = ring()
    opened[1, 3] = False
    assert betti_numbers(opened) == (1, 0)
    assert betti_numbers(np.eye(2, dtype=bool)) == (1, 0)
    bar = np.zeros((5, 9), bool)
    bar[2, 1:8] = True
    assert betti_numbers(bar) == (1, 0)
    bar[2, 4] = False
    assert betti_numbers(bar) == (2, 0)


def test_a_diagonal_leak_opens_no_hole():
    # Background meets the outside only at a corner: still a hole.
    mask = ring()
    mask[1, 1] = False
    assert betti_numbers(mask) == (1, 1)


def test_numbers_equal_labelling_and_gudhi():
    gudhi = pytest.importorskip('gudhi')
    for pred, _, _ in mask_pairs(seed=7, largest=14):
        mask = pred > 0
        assert betti_numbers(mask) == oracles.betti(mask)
        # Beyond the border is background here.
        cells = np.pad(np.where(mask, 0., 1.), 1, constant_values=1.)
        complex_ = gudhi.CubicalComplex(top_dimensional_cells=cells)
        complex_.compute_persistence()
        found = complex_.persistent_betti_numbers(0., .5)
        assert betti_numbers(mask) == tuple([*found, 0, 0][:2])


@pytest.mark.parametrize('window', [None, 2, 7, 65])
def test_errors_equal_the_slow_definition(window):
    for pred, target, valid in mask_pairs(seed=8):
        found = betti_errors(pred, target, window=window, valid=valid)
        assert found == BettiErrors(
            *oracles.betti_errors(pred, target, valid, window))


def test_pooled_means():
    opened = ring()
    opened[1, 3] = False
    one = betti_errors(opened, ring())
    assert one == BettiErrors(0, 1, 1)
    two = one + betti_errors(np.eye(3), np.zeros((3, 3)))
    assert two == BettiErrors(1, 1, 2)
    assert betti_means(two) == {'Betti0': .5, 'Betti1': .5}
    with pytest.raises(TypeError):
        one + 1


def test_nothing_judged_is_nan():
    nothing = betti_errors(ring(), ring(), valid=np.zeros((7, 7), bool))
    assert nothing.windows == 0
    assert all(map(math.isnan, betti_means(nothing).values()))


def test_windows_cut_rings():
    # Nine windows, of 3, 3 and 1 pixels a side: arcs without a hole.
    found = betti_errors(np.zeros((7, 7)), ring(), window=3)
    assert (found.b1, found.windows) == (0, 9)


@pytest.mark.parametrize('window', [0, -3, 2.5, True])
def test_wrong_windows_are_named(window):
    with pytest.raises(ValueError, match='window must be the side of a squ'):
        betti_errors(ring(), ring(), window=window)
