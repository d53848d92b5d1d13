"""Bars and rings whose widths and lengths are known exactly."""

import math

import numpy as np
import pytest
from measured_shapes import arc, bar

from mmcrack.measurement import measure_cracks

ANGLES = (0, 10, 22.5, 45, 67.5, 90, 120, 135, 160)


def only(measurements):
    """The one crack that there must be, in one piece."""
    crack, = measurements.cracks
    assert len(crack.branches) == 1
    return crack


@pytest.mark.parametrize('width', [1, 1.5, 3.5, 9.75, 20.5])
@pytest.mark.parametrize('degrees', ANGLES)
def test_a_bar_with_soft_edges_keeps_width_length_and_direction(
        width, degrees):
    cover = bar(width, 80, degrees)
    crack = only(measure_cracks(cover >= 0.5, cover))
    assert crack.widths.mean == pytest.approx(width, abs=0.1)
    assert crack.widths.median == pytest.approx(width, abs=0.1)
    # Below 1.5 px the pixels of a bar's corners miss the threshold.
    least = 2.5 if width < 1.5 else 1.0
    assert crack.length == pytest.approx(80, abs=least)
    assert (crack.orientation - degrees + 90) % 180 - 90 == pytest.approx(
        0, abs=1)
    assert crack.straightness > 0.98
    assert crack.ends == 2


@pytest.mark.parametrize('width', [1.5, 3.5, 9.75, 20.5])
@pytest.mark.parametrize('degrees', ANGLES)
def test_the_width_of_a_mask_is_its_area_over_its_length(width, degrees):
    # The pixels of a tilted mask carry no more than that: along a row 3.5
    # px are drawn as 3 or 4.
    mask = bar(width, 80, degrees) >= 0.5
    crack = only(measure_cracks(mask))
    assert crack.widths.mean == pytest.approx(mask.sum() / 80, abs=0.12)
    assert crack.length == pytest.approx(80, abs=1.6)
    assert crack.area == mask.sum()


def test_sub_pixel_widths_of_masks_average_to_the_truth():
    errors, circles = [], []
    for index, width in enumerate(np.arange(1.3, 8, 0.35)):
        mask = bar(width, 80, 7 + 19 * index) >= 0.5
        crack = only(measure_cracks(mask))
        errors.append(crack.widths.mean - width)
        circles.append(crack.circles.median - width)
    assert np.abs(errors).mean() < 0.06
    assert np.abs(circles).mean() < 0.5


@pytest.mark.parametrize('degrees', [0, 30, 40, 80])
def test_a_probability_knows_what_pixels_do_not(degrees):
    # 3.00, 3.25, 3.50 and 3.75 px: the same pixels or one row more. (Not
    # at 45 degrees, where the samples of the rendering are 0.09 px apart.)
    widths = [3.0, 3.25, 3.5, 3.75]
    found = []
    for width in widths:
        cover = bar(width, 60, degrees)
        found.append(only(measure_cracks(cover >= 0.5, cover)).widths.mean)
    np.testing.assert_allclose(found, widths, atol=0.08)


def test_both_readings_of_a_sharp_edge_agree():
    cover = bar(6.3, 60, 25)
    mean, level = (
        only(measure_cracks(cover >= 0.5, cover, edges=edges)).widths.mean
        for edges in ('mean', 'level'))
    assert mean == pytest.approx(6.3, abs=0.05)
    assert level == pytest.approx(mean, abs=0.1)


@pytest.mark.parametrize('width', [1.5, 3.4, 9.7])
def test_a_ring_is_closed_and_as_long_as_its_circle(width):
    cover = arc(width, 30, 360)
    crack = only(measure_cracks(cover >= 0.5, cover))
    assert crack.branches[0].closed
    assert (crack.ends, crack.junctions) == (0, 0)
    assert crack.length == pytest.approx(2 * math.pi * 30, rel=0.003)
    assert crack.widths.mean == pytest.approx(width, abs=0.03)
    assert crack.widths.maximum == pytest.approx(width, abs=0.25)


@pytest.mark.parametrize('width', [1.5, 3.4])
@pytest.mark.parametrize('source', ['mask', 'probability'])
def test_a_curved_bar_is_as_long_as_its_arc(width, source):
    cover = arc(width, 40, 200)
    crack = only(measure_cracks(
        cover >= 0.5, cover if source == 'probability' else None))
    assert crack.length == pytest.approx(math.radians(200) * 40, rel=0.01)
    assert crack.widths.mean == pytest.approx(width, abs=0.1)


def test_a_wedge_is_widest_at_its_wide_end():
    x, y = np.meshgrid(np.arange(120), np.arange(40))
    mask = (abs(y - 19.5) <= 1 + 0.1 * (x - 10)) & (x >= 10) & (x < 110)
    crack = only(measure_cracks(mask))
    # Half width 1 + 0.1 x from 1 to 11: mean width 12, at the end 22.
    assert crack.widths.mean == pytest.approx(12, abs=0.3)
    assert crack.widths.maximum == pytest.approx(21.8, abs=0.5)
    assert crack.widths.place[0] == pytest.approx(109, abs=2)
    assert crack.widths.place[1] == pytest.approx(19.5, abs=0.3)


def test_turning_and_mirroring_the_mask_changes_no_number():
    mask = np.zeros((60, 70), np.uint8)
    mask[10:14, 5:60] = 1
    mask[14:40, 30:33] = 1
    crack, = measure_cracks(mask).cracks
    for other in (mask[:, ::-1], mask[::-1], mask.T):
        same, = measure_cracks(other).cracks
        assert same.length == pytest.approx(crack.length, rel=0.01)
        assert same.widths.mean == pytest.approx(
            crack.widths.mean, abs=0.03)
        assert same.junctions == crack.junctions == 1
