"""Local widths of bars, and counts by width on a constructed case."""

import numpy as np
import pytest

from mmcrack.functional.metrics.by_width import local_widths, width_counts


@pytest.mark.parametrize('width', range(1, 13))
@pytest.mark.parametrize('turned', [False, True])
def test_bars_have_their_width(width, turned):
    mask = np.zeros((40, 90), bool)
    mask[12:12 + width, 5:85] = True
    mask = mask.T.copy() if turned else mask
    found = local_widths(mask)
    middle = found[35:55] if turned else found[:, 35:55]
    inside = mask[35:55] if turned else mask[:, 35:55]
    assert (middle[inside] == width).all()
    # And so near it, for false alarms.
    assert np.median(middle[~inside]) == width


@pytest.mark.parametrize('width', [3, 5, 8, 12])
def test_tilted_lines_are_within_a_pixel(width):
    row, column = np.mgrid[:200, :200]
    off = np.abs(column - 2 * row + 100) / np.sqrt(5)
    mask = off <= width / 2
    found = local_widths(mask)[:, 60:140][mask[:, 60:140]]
    assert np.median(found) == pytest.approx(width, abs=1)


def test_no_crack_and_nothing_else():
    assert (local_widths(np.zeros((4, 5), bool)) == 0).all()
    assert np.isinf(local_widths(np.ones((4, 5), bool))).all()


def test_counts_of_a_narrow_and_a_wide_bar():
    target = np.zeros((60, 100), np.uint8)
    target[10, :] = 1
    target[30:37, :] = 1
    pred = np.zeros_like(target)
    pred[11, :] = 1         # beside the narrow one: near, not found
    pred[30:34, :] = 1      # four rows of seven
    pred[38, :] = 1         # two pixels off the wide one
    pred[50, :20] = 1       # far from both
    found = width_counts(pred, target, limits=[2, 5], reach=2)
    assert found.true.tolist() == [100, 0, 700]
    assert found.found.tolist() == [0, 0, 400]
    # Row 38 is two pixels from row 36, row 33 two from row 35, one from 34.
    assert found.near.tolist() == [100, 0, 700]
    assert found.wrong.tolist() == [100, 0, 100]
    assert found.elsewhere == 20
    strict = width_counts(pred, target, limits=[2, 5], reach=1)
    assert strict.near.tolist() == [100, 0, 500]
    assert strict.elsewhere == 120


def test_ignored_pixels_do_not_count():
    target = np.zeros((20, 40), np.uint8)
    target[5:8] = 1
    valid = np.ones((20, 40), bool)
    valid[:, 30:] = False
    found = width_counts(target, target, limits=[4], reach=2, valid=valid)
    assert found.true.tolist() == found.found.tolist() == [90, 0]
