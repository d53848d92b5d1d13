"""Odd masks, options and bad input of the public entry."""

import json
import math
import warnings

import numpy as np
import pytest

from mmcrack.measurement import measure_cracks, to_geojson, to_json


def ground(height=60, width=80):
    return np.zeros((height, width), np.uint8)


def drawn(*parts, height=60, width=80):
    """Mask with boxes (top, bottom, left, right) set."""
    mask = ground(height, width)
    for top, bottom, left, right in parts:
        mask[top:bottom, left:right] = 1
    return mask


def measured(mask, **options):
    """Measure without a warning, and write every row."""
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        result = measure_cracks(mask, scale=0.1, **options)
        text = json.dumps([to_json(result), to_geojson(result)],
                          allow_nan=False)
    assert text
    return result


def numbers(crack):
    return [round(v, 2) for v in (
        crack.length, crack.widths.mean, crack.widths.maximum)]


@pytest.mark.parametrize('mask', [ground(), ground(1, 1)])
def test_no_crack_is_no_row(mask):
    result = measured(mask)
    assert result.cracks == result.rows() == result.branch_rows() == []
    assert set(result.length_by_class().values()) == {0.0}


@pytest.mark.parametrize(('mask', 'expected'), [
    (drawn((30, 31, 40, 41)), [1, 1, 1]),
    (drawn((30, 32, 40, 42)), [2, 2, 2]),
    (drawn((30, 33, 40, 43)), [3, 3, 3]),
    (drawn((30, 31, 10, 60)), [50, 1, 1]),
    (drawn((10, 50, 30, 31)), [40, 1, 1]),
    (drawn((30, 32, 10, 60)), [50, 2, 2]),
    (drawn((10, 50, 10, 70)), [60, 40, 40]),
])
def test_dots_lines_and_blocks(mask, expected):
    crack, = measured(mask).cracks
    assert numbers(crack) == pytest.approx(expected, abs=0.03)
    assert crack.area == mask.sum()


def test_a_full_mask_has_a_length_and_no_width():
    crack, = measured(np.ones((60, 80), bool)).cracks
    assert crack.length == pytest.approx(80, abs=0.2)
    assert math.isnan(crack.widths.maximum)
    assert math.isnan(crack.circles.maximum)
    assert crack.at_frame
    assert crack.area == 4800


def test_a_disc_is_as_wide_as_its_circle():
    y, x = np.mgrid[:60, :80]
    mask = np.hypot(x - 40, y - 30) <= 20
    crack, = measured(mask).cracks
    assert crack.length == pytest.approx(41, abs=1)
    assert crack.widths.maximum == pytest.approx(41, abs=2)
    assert crack.circles.maximum == pytest.approx(40, abs=2.5)


def test_a_crack_through_the_picture_is_as_long_as_the_picture():
    crack, = measured(drawn((28, 33, 0, 80))).cracks
    assert numbers(crack) == pytest.approx([80, 5, 5], abs=0.15)
    assert crack.at_frame


def test_a_crack_that_leaves_aslant_is_followed_to_the_frame():
    # A band of 8 px at 45 degrees through the upper edge.
    y, x = np.mgrid[:80, :120]
    mask = (abs(x - y - 40) <= 4 * math.sqrt(2)) & (y < 50)
    crack, = measured(mask).cracks
    # From the frame's edge to y = 49.5.
    assert crack.length == pytest.approx(50 * math.sqrt(2), rel=0.06)
    assert crack.widths.median == pytest.approx(8, abs=0.35)
    assert crack.orientation == pytest.approx(135, abs=2)


def test_a_line_of_diagonal_pixels():
    mask = ground()
    np.fill_diagonal(mask[5:45, 5:45], 1)
    crack, = measured(mask).cracks
    # Forty pixels, 39 diagonal steps and half a pixel at each end.
    assert crack.length == pytest.approx(39 * math.sqrt(2) + 1, abs=0.5)
    # Its area over its length.
    assert crack.widths.mean == pytest.approx(1 / math.sqrt(2), abs=0.03)


def test_a_crossing_is_one_crack_of_four_branches():
    crack, = measured(drawn((29, 32, 0, 80), (0, 60, 39, 42))).cracks
    assert (len(crack.branches), crack.junctions, crack.ends) == (4, 1, 4)
    assert crack.length == pytest.approx(140, abs=0.5)
    # Widths are not read where two cracks meet.
    assert crack.widths.maximum == pytest.approx(3, abs=0.05)
    assert np.isnan(crack.point_widths).any()


def test_branches_carry_their_own_numbers():
    result = measured(drawn((10, 14, 5, 75), (14, 50, 38, 40)))
    rows = result.branch_rows()
    assert sorted(round(r['median_width_px'], 1) for r in rows) == [2, 4, 4]
    assert [r['crack'] for r in rows] == [1, 1, 1]
    assert sum(r['length_px'] for r in rows) == pytest.approx(
        result.cracks[0].length, abs=1e-3)
    assert sum(r['free_ends'] for r in rows) == 3


def test_pinholes_are_filled_and_larger_holes_are_not():
    mask = drawn((25, 35, 10, 70))
    mask[29:31, 40:42] = 0
    crack, = measured(mask).cracks
    assert len(crack.branches) == 1
    assert crack.area == 600
    crack, = measured(mask, max_hole=3).cracks
    assert len(crack.branches) > 1
    assert crack.area == 596


def test_cracks_are_numbered_from_the_longest():
    result = measured(drawn((5, 8, 10, 40), (20, 23, 5, 75), (40, 42, 30, 40),
                            (50, 51, 10, 11)))
    assert [c.number for c in result.cracks] == [1, 2, 3, 4]
    assert [round(c.length) for c in result.cracks] == [70, 30, 10, 1]
    assert result.cracks[0].box == (5, 20, 70, 3)
    few = measured(drawn((5, 8, 10, 40), (40, 42, 30, 40), (50, 51, 10, 11)),
                   min_area=2, min_length=10.5)
    assert [round(c.length) for c in few.cracks] == [30]


def test_rows_in_millimetres_are_pixels_times_the_scale():
    mask = drawn((20, 25, 10, 60))
    pixels = measure_cracks(mask).rows()[0]
    assert 'length_mm' not in pixels
    assert pixels['width_class'] is None
    row = measure_cracks(mask, scale=0.05).rows()[0]
    for name in ('length', 'mean_width', 'max_width', 'circle_mean_width'):
        assert row[f'{name}_mm'] == pytest.approx(
            0.05 * pixels[f'{name}_px'], abs=1e-4)
    assert row['area_mm2'] == pytest.approx(250 * 0.05**2)
    assert row['width_class'] == '0.2-0.3 mm'


def test_length_by_class_adds_up_to_the_length():
    result = measure_cracks(
        drawn((10, 12, 10, 60), (30, 38, 10, 70)), scale=0.04)
    by_class = result.length_by_class()
    assert list(by_class) == [
        '<= 0.1 mm', '0.1-0.2 mm', '0.2-0.3 mm', '> 0.3 mm']
    assert sum(by_class.values()) == pytest.approx(
        0.04 * sum(c.length for c in result.cracks))
    assert by_class['<= 0.1 mm'] == pytest.approx(0.04 * 50, rel=0.02)
    assert by_class['> 0.3 mm'] == pytest.approx(0.04 * 60, rel=0.05)


def test_encodings_of_one_mask_measure_alike():
    mask = drawn((20, 25, 10, 60))
    rows = [measure_cracks(m).rows() for m in (
        mask, mask * 255, mask.astype(bool), mask.astype(np.int64),
        np.asfortranarray(mask))]
    assert all(r == rows[0] for r in rows)


def test_the_mask_is_left_as_it_was():
    mask = drawn((25, 35, 10, 70))
    mask[30, 40] = 0
    before = mask.copy()
    measure_cracks(mask)
    np.testing.assert_array_equal(mask, before)


SOUND = drawn((20, 25, 10, 60))
HALF = np.full(SOUND.shape, 0.5)


@pytest.mark.parametrize(('mask', 'options', 'error', 'words'), [
    (SOUND[None], {}, ValueError, r'one channel \(H, W\), got shape'),
    (SOUND[:0], {}, ValueError, 'got shape'),
    (SOUND * 0.5, {}, TypeError, 'threshold a probability first'),
    (SOUND * 2, {}, ValueError, r'\{0, 1\} or \{0, 255\}, got values up to'),
    (SOUND + 254, {}, ValueError, 'threshold it first'),
    (SOUND, {'probability': HALF[1:]}, ValueError, 'must have one size'),
    (SOUND, {'probability': HALF * 3}, ValueError, 'sigmoid or softmax'),
    (SOUND, {'probability': HALF * np.nan}, ValueError, r'in \[0, 1\]'),
    (SOUND, {'probability': SOUND.astype(int)}, TypeError, 'must be float'),
    (SOUND, {'scale': 0}, ValueError, 'scale must be a positive number'),
    (SOUND, {'scale': 'ten'}, ValueError, "got 'ten'"),
    (SOUND, {'width_limits': (0.2, 0.1)}, ValueError, 'positive and rise'),
    (SOUND, {'level': 1.0}, ValueError, 'level must lie between 0 and 1'),
    (SOUND, {'edges': 'soft'}, ValueError, "got 'soft'"),
    (SOUND, {'smoothing': -1}, ValueError, 'smoothing must be at least 0'),
    (SOUND, {'spur_factor': float('nan')}, ValueError, 'spur_factor must'),
])
def test_bad_input_is_named(mask, options, error, words):
    with pytest.raises(error, match=words):
        measure_cracks(mask, **options)
