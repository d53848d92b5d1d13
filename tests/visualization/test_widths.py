"""Drawn widths."""

import numpy as np
import pytest

from mmcrack.measurement import measure_cracks
from mmcrack.visualization.widths import (
    CLASS_COLORS,
    UNKNOWN_CLASS,
    WidthMark,
    class_color,
    draw_lines,
    draw_marks,
    width_closeup,
    width_marks,
    width_picture,
    width_text,
)


def scene():
    """A grey picture and a mask with cracks of 6 and 2 px."""
    mask = np.zeros((200, 300), np.uint8)
    mask[60:66, 20:280] = 1
    mask[150:152, 20:200] = 1
    return np.full((200, 300, 3), 90, np.uint8), mask


def test_numbers_are_written_with_their_unit():
    assert width_text(7.24, None) == '7.2 px'
    assert width_text(7.0, 0.05) == '0.35 mm'
    assert width_text(100, 0.25) == '25.0 mm'


def test_the_widest_crack_comes_first():
    marks = width_marks(measure_cracks(scene()[1]).cracks, 0.1, most=None)
    assert [m.text for m in marks] == ['0.60 mm', '0.20 mm']
    assert len(width_marks(measure_cracks(scene()[1]).cracks, 0.1,
                           most=1)) == 1


def test_lines_have_the_colour_of_their_class():
    image, mask = scene()
    drawn = width_picture(image, measure_cracks(mask, scale=0.1), most=0,
                          max_long_edge=None)
    # 0.6 mm is above 0.3, 0.2 mm still in the class to 0.2.
    row = drawn[62:64, 100].max(0)
    assert row.tolist() == pytest.approx(CLASS_COLORS[3], abs=60)
    thin = drawn[150:152, 100]
    assert abs(thin.astype(int) - CLASS_COLORS[1]).sum(1).min() < 250
    assert (drawn[100:140] == 90).all()
    assert (image == 90).all()


def test_without_a_scale_there_is_one_colour():
    image, mask = scene()
    drawn = width_picture(image, measure_cracks(mask), most=0,
                          max_long_edge=None).astype(int)
    changed = drawn[(drawn != 90).any(2)]
    # Mixtures of grey and one colour.
    mixed = (changed - 90) / (np.array(UNKNOWN_CLASS) - 90)
    assert np.ptp(mixed, axis=1).max() < 0.05


def test_arms_point_at_the_two_edges():
    image = np.full((100, 100, 3), 90, np.uint8)
    mark = WidthMark((50.0, 50.0), (0.0, 1.0), 20.0, '20 px')
    drawn = draw_marks(image, [mark], zoom=1)
    column = (drawn[:, 50] > 200).all(1)
    # Edges at 40 and 60; inside nothing is drawn.
    assert column[40]
    assert column[60]
    assert not (drawn[45:56, 50] != 90).any()


def test_numbers_never_cover_each_other_and_outside_is_left_out():
    image = np.full((100, 100, 3), 90, np.uint8)
    mark = WidthMark((50.0, 50.0), (0.0, 1.0), 20.0, '20 px')
    once = draw_marks(image, [mark], zoom=1)
    twice = draw_marks(image, [mark, mark._replace(text='21 px')], zoom=1)
    np.testing.assert_array_equal(once, twice)
    away = draw_marks(image, [mark._replace(place=(150.0, 50.0))], zoom=1)
    np.testing.assert_array_equal(away, image)


def test_a_reduced_picture_has_its_lines_at_the_reduced_place():
    image, mask = scene()
    drawn = width_picture(image, measure_cracks(mask), most=None,
                          max_long_edge=100)
    assert drawn.shape == (67, 100, 3)
    rows = np.flatnonzero((drawn[:, 20] != 90).any(1))
    # (62.5 + 0.5) / 3 = 21 is the edge between rows 20 and 21.
    assert set(rows) >= {20, 21}


def test_a_closeup_shows_the_widest_place():
    image, mask = scene()
    crack = measure_cracks(mask).cracks[0]
    drawn = width_closeup(image, crack, None, side=40, zoom=4)
    assert drawn.shape[0] == 160
    assert (drawn == 255).all(2).any()
    assert not (draw_lines(drawn, [], UNKNOWN_CLASS, zoom=4) != drawn).any()


def test_class_colours_run_from_first_to_last():
    assert class_color(0, 4) == CLASS_COLORS[0]
    assert class_color(3, 4) == CLASS_COLORS[3]
    assert class_color(1, 2) == CLASS_COLORS[3]
    assert class_color(0, 1) == CLASS_COLORS[0]


def test_sizes_must_agree():
    image, mask = scene()
    with pytest.raises(ValueError, match='must have one size'):
        width_picture(image[1:], measure_cracks(mask), most=None,
                      max_long_edge=None)
