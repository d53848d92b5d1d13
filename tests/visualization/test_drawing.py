"""Pixels at known places."""

import cv2
import numpy as np
import pytest

from mmcrack.visualization import drawing


def picture(height=6, width=8, value=100):
    return np.full((height, width, 3), value, np.uint8)


@pytest.mark.parametrize(('image', 'wanted'), [
    (np.array([[0, 257 * 200]], np.uint16), [0, 200]),
    (np.array([[False, True]]), [0, 255]),
    (np.array([[-1., .5, 2.]]), [0, 128, 255]),
    (np.array([[7, 9]], np.uint8)[..., None], [7, 9]),
])
def test_any_photograph_becomes_rgb(image, wanted):
    found = drawing.to_picture(image)
    assert found.dtype == np.uint8
    assert found.shape == (1, len(wanted), 3)
    for channel in range(3):
        assert found[0, :, channel].tolist() == wanted


def test_transparency_is_dropped_and_order_kept():
    image = np.array([[[1, 2, 3, 0]]], np.uint8)
    assert drawing.to_picture(image).tolist() == [[[1, 2, 3]]]


@pytest.mark.parametrize(('image', 'error', 'words'), [
    (np.zeros((2, 2, 2), np.uint8), ValueError, r'got \(2, 2, 2\)'),
    (np.zeros(3, np.uint8), ValueError, 'image must be'),
    (np.zeros((2, 2), np.int64), TypeError, 'got int64'),
])
def test_what_is_no_photograph(image, error, words):
    with pytest.raises(error, match=words):
        drawing.to_picture(image)


@pytest.mark.parametrize(('size', 'edge', 'factor'), [
    ((100, 200), None, 1), ((100, 200), 200, 1), ((100, 201), 200, 2),
    ((4000, 100), 1000, 4), ((4001, 100), 1000, 5)])
def test_reduction_factor(size, edge, factor):
    assert drawing.reduction_factor(size, edge) == factor
    if edge:
        assert -(-max(size) // factor) <= edge


def test_reduction_needs_a_positive_edge():
    with pytest.raises(ValueError, match='max_long_edge must be positive'):
        drawing.reduction_factor((2, 2), 0)


@pytest.mark.parametrize('factor', [1, 2, 3, 7, 50])
def test_reduced_masks_keep_every_crack(factor):
    """Each block against a slow loop; one pixel is enough."""
    rng = np.random.default_rng(0)
    mask = rng.random((23, 31)) < .02
    found = drawing.reduce_max(mask, factor)
    rows, columns = -(-23 // factor), -(-31 // factor)
    assert found.shape == (rows, columns)
    for i in range(rows):
        for j in range(columns):
            block = mask[i * factor:(i + 1) * factor,
                         j * factor:(j + 1) * factor]
            assert found[i, j] == block.any()


def test_reduced_pictures_are_averages():
    image = np.zeros((5, 4, 3), np.uint8)
    image[:2, :2, 0] = [[10, 20], [30, 40]]
    image[4] = 60
    found = drawing.reduce_picture(image, 2)
    assert found.shape == (3, 2, 3)
    assert found[0, 0].tolist() == [25, 0, 0]
    # The last row is filled up by itself, not by black.
    assert (found[2] == 60).all()
    np.testing.assert_array_equal(drawing.reduce_picture(image, 1), image)


def test_enlarged_pixels_are_squares():
    values = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(
        drawing.enlarge(values, 3), np.kron(values, np.ones((3, 3), int)))


@pytest.mark.parametrize(('opacity', 'wanted'), [
    (0, [100, 100, 100]), (1, [200, 0, 50]), (.25, [125, 75, 88])])
def test_paint_mixes_inside_the_mask_alone(opacity, wanted):
    before = picture()
    mask = np.zeros((6, 8), bool)
    mask[2, 5] = True
    found = drawing.paint(before, mask, (200, 0, 50), opacity=opacity)
    assert found[2, 5].tolist() == wanted
    assert (found[~mask] == 100).all()
    assert (before == 100).all()


def test_paint_wants_one_size():
    with pytest.raises(ValueError, match=r'\(6, 8\) and mask is \(8, 6\)'):
        drawing.paint(picture(), np.zeros((8, 6), bool), (0, 0, 0), opacity=1)


def test_faded_pictures_are_grey_and_darker():
    image = np.zeros((1, 2, 3), np.uint8)
    image[0, 0] = 200
    image[0, 1] = 255, 0, 0
    assert drawing.fade(image, strength=.5).tolist() == [
        [[100] * 3, [38] * 3]]  # red's luminance is 76
    assert (drawing.fade(image, strength=1) == 0).all()


def test_errors_by_kind_and_what_covers_what():
    pred, target, ignored = np.zeros((3, 2, 8), bool)
    pred[0, :4] = True  # found: a hit in columns 2 and 3 only
    target[0, 2:6] = True
    ignored[0, 3], ignored[1, 7] = True, True
    colors = drawing.paint_errors(picture(2, 8), pred, target,
                                  ignored=ignored)
    grey = round(.3 * 60 + .7 * 128)
    assert colors[0].tolist() == [
        list(drawing.FALSE_ALARM), list(drawing.FALSE_ALARM),
        list(drawing.HIT), [grey] * 3, list(drawing.MISS),
        list(drawing.MISS), [60] * 3, [60] * 3]
    assert colors[1, 7].tolist() == [grey] * 3
    # In a block of 4 a hit covers a miss, a miss a false alarm.
    small = drawing.paint_errors(picture(1, 2), pred, target, factor=4)
    assert small[0].tolist() == [list(drawing.HIT), list(drawing.MISS)]


def test_heat_picture_is_inferno_and_rises():
    prob = np.array([[0., .5, 1., np.nan, -3., 7.]])
    found = drawing.heat_picture(prob)[0].astype(int)
    level = np.array([[0, 128, 255]], np.uint8)
    known = cv2.applyColorMap(level, cv2.COLORMAP_INFERNO)[0, :, ::-1]
    np.testing.assert_array_equal(found[[0, 1, 2]], known)
    np.testing.assert_array_equal(found[3:], found[[0, 0, 2]])
    ramp = drawing.heat_picture(np.linspace(0, 1, 33)[None])[0]
    assert (np.diff(ramp.astype(int) @ [299, 587, 114]) > 0).all()


def test_a_point_colours_the_pixel_in_which_it_lies():
    points = np.array([[.5 / 8, .5 / 6], [.999, .999], [1., 0.], [.5, .5]])
    found = drawing.draw_points(picture(), points, (9, 8, 7), radius=0)
    marked = np.argwhere((found == (9, 8, 7)).all(-1))
    assert marked.tolist() == [[0, 0], [0, 7], [3, 4], [5, 7]]


def test_a_dot_has_its_radius():
    found = drawing.draw_points(
        picture(9, 9), np.array([[.5, .5]]), (1, 2, 3), radius=2)
    marked = np.argwhere((found == (1, 2, 3)).all(-1)) - 4
    assert [0, 2] in marked.tolist()
    assert [2, 2] not in marked.tolist()
    assert np.abs(marked).max() == 2


def test_no_points_and_no_list_of_points():
    none = drawing.draw_points(picture(), np.zeros((0, 2)), (0, 0, 0),
                               radius=3)
    np.testing.assert_array_equal(none, picture())
    with pytest.raises(ValueError, match=r'must be \(P, 2\), got \(2, 3\)'):
        drawing.draw_points(picture(), np.zeros((2, 3)), (0, 0, 0), radius=0)
