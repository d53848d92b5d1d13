"""Edges along profiles, and how certain they are."""

import numpy as np
import pytest
from scipy.special import ndtr

from mmcrack.measurement import measure_cracks
from mmcrack.measurement.branches import average_along
from mmcrack.measurement.edges import EdgeDistance, edge_points
from mmcrack.measurement.sampling import Field, frame_distance


def soft_bar(width, left, right, *, rows=41, columns=70, middle=20.2):
    """Level bar whose two edges are off by normal errors."""
    y = np.arange(rows)[:, None]
    upper = ndtr((y - (middle - width / 2)) / left)
    lower = ndtr(((middle + width / 2) - y) / right)
    return np.repeat((upper * lower).astype(np.float32), columns, 1)


@pytest.mark.parametrize(('left', 'right'), [(0.8, 0.8), (1.0, 0.5)])
def test_the_spread_of_a_width_is_that_of_its_two_edges(left, right):
    value = soft_bar(12.4, left, right)
    crack, = measure_cracks(value >= 0.5, value).cracks
    # Linear interpolation between pixels adds a little.
    expected = np.hypot(left, right)
    assert crack.widths.std == pytest.approx(expected, rel=0.08)
    assert crack.widths.maximum_std == pytest.approx(expected, rel=0.1)
    assert crack.widths.mean == pytest.approx(12.4, abs=0.03)


def test_an_unsure_middle_makes_a_width_no_surer():
    """Networks are often surer of a wide crack's sides than of its middle."""
    y = np.arange(41)[:, None] - 20.2
    value = soft_bar(12.4, 0.8, 0.8) * (1 - 0.3 * np.exp(-y**2 / 2))
    crack, = measure_cracks(value >= 0.5, value).cracks
    assert crack.widths.std == pytest.approx(np.hypot(0.8, 0.8), rel=0.08)
    assert crack.widths.maximum_std == pytest.approx(
        np.hypot(0.8, 0.8), rel=0.1)


@pytest.mark.parametrize('sure', [1, 0.95, 0.75])
def test_doubt_inside_a_wide_crack_does_not_narrow_it(sure):
    """Networks put wide cracks at 0.75 to 0.8, not at 1."""
    value = soft_bar(12.4, 0.8, 0.8) * np.float32(sure)
    crack, = measure_cracks(value >= 0.5, value).cracks
    assert crack.widths.mean == pytest.approx(12.4, abs=0.05)
    assert crack.widths.std == pytest.approx(np.hypot(0.8, 0.8), rel=0.08)


@pytest.mark.parametrize('width', [2, 3, 4, 5, 6, 7, 9, 12])
def test_blurred_bars_of_all_widths_are_read_alike(width):
    """From the hairline, where blur fills the middle, to where it cannot."""
    y = np.arange(41)[:, None] - 20.2
    value = np.repeat((ndtr((y + width / 2) / 0.8) - ndtr(
        (y - width / 2) / 0.8)).astype(np.float32), 70, 1)
    crack, = measure_cracks(value >= 0.5, value).cracks
    assert crack.widths.mean == pytest.approx(width, abs=0.06)


def test_a_sharper_map_is_more_certain():
    spreads = []
    for sigma in (0.5, 0.8, 1.1):
        value = soft_bar(12.4, sigma, sigma)
        spreads.append(
            measure_cracks(value >= 0.5, value).cracks[0].widths.std)
    assert spreads == sorted(spreads)


def test_a_mask_says_nothing_about_its_certainty():
    mask = soft_bar(8, 0.5, 0.5) >= 0.5
    crack, = measure_cracks(mask).cracks
    assert np.isnan(crack.widths.std)
    assert measure_cracks(mask).rows()[0]['width_std_px'] is None


def test_a_blurred_hairline_keeps_its_width_by_the_mean_edge():
    # 1.8 px behind a blur of 0.8 px: the level alone sees 1.6 px.
    y = np.arange(41)[:, None] - 20.2
    value = np.repeat((ndtr((y + 0.9) / 0.8) - ndtr((y - 0.9) / 0.8)).astype(
        np.float32), 70, 1)
    mean, level = (
        measure_cracks(value >= 0.5, value, edges=e).cracks[0].widths.mean
        for e in ('mean', 'level'))
    assert mean == pytest.approx(1.8, abs=0.05)
    assert level < 1.7


def test_eight_and_sixteen_bit_maps_measure_as_floats_do():
    value = soft_bar(7.3, 0.7, 0.7)
    widths = [measure_cracks(value >= 0.5, v).cracks[0].widths.mean
              for v in (value, np.rint(value * 255).astype(np.uint8),
                        np.rint(value * 65535).astype(np.uint16))]
    np.testing.assert_allclose(widths, widths[0], atol=0.02)


def test_a_second_crack_beside_does_not_widen_the_first():
    mask = np.zeros((40, 90), np.uint8)
    mask[10:14, 5:85] = 1
    mask[16:20, 5:85] = 1
    for crack in measure_cracks(mask).cracks:
        assert crack.widths.mean == pytest.approx(4, abs=0.01)
        assert crack.widths.maximum == pytest.approx(4, abs=0.01)
        assert crack.gap == pytest.approx(6, abs=0.01)


def test_a_map_that_does_not_belong_to_the_mask_falls_back_to_circles():
    mask = np.zeros((40, 90), np.uint8)
    mask[10:15, 5:85] = 1
    value = np.full((40, 90), 0.4, np.float32)
    crack, = measure_cracks(mask, value).cracks
    assert crack.widths.mean == crack.circles.mean == pytest.approx(5)


def test_edge_points_lie_where_the_value_crosses_the_level():
    mask = np.zeros((5, 6), np.uint8)
    mask[1:4, 2:4] = 1
    value = np.where(mask, 0.8, 0.2).astype(np.float32)
    # From 0.8 to 0.2 the level 0.65 lies at a quarter.
    points = edge_points(mask, Field(value), level=0.65)
    assert points[:, 0].min() == pytest.approx(1.75)
    assert points[:, 1].max() == pytest.approx(3.25)
    half = edge_points(mask, None, level=0.65)
    assert half.min(0).tolist() == [1.5, 0.5]
    assert half.max(0).tolist() == [3.5, 3.5]


def test_circles_ignore_the_frame():
    mask = np.ones((9, 9), np.uint8)
    mask[:, 8] = 0
    distance = EdgeDistance(edge_points(mask, None, level=0.5))
    assert distance(np.array([[4.0, 4.0], [0.0, 0.0]])).tolist() == [3.5, 7.5]
    none = EdgeDistance(edge_points(np.ones((3, 3), np.uint8), None,
                                    level=0.5))
    assert np.isinf(none(np.zeros((1, 2)))).all()


def test_sampling_is_linear_between_pixels():
    x, y = np.meshgrid(np.arange(6), np.arange(5))
    field = Field((3 * x + 2 * y).astype(np.float32), 10.0)
    places = np.array([[1.25, 2.5], [4.9, 0.1], [0.0, 4.0]])
    np.testing.assert_allclose(
        field.sample(places), (places @ [3, 2]) / 10, rtol=1e-6)
    # Outside the nearest pixel counts.
    assert field.sample(np.array([-3.0, -3.0])) == 0
    assert frame_distance(np.array([[0.0, 0.0], [-1.0, 2.0], [2.0, 2.0]]),
                          (5, 6)).tolist() == [0.5, -0.5, 2.5]


def test_an_average_bridges_no_gap_and_keeps_a_constant():
    values = np.array([2.0, 2.0, np.nan, 2.0, 2.0])
    np.testing.assert_allclose(
        average_along(values, 1.5, closed=False), values)
    ring = np.arange(6.0)
    assert average_along(ring, 1.0, closed=True).mean() == pytest.approx(2.5)
