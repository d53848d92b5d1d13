"""Masks of thin lines."""

import cv2
import numpy as np
import pytest
import scipy.ndimage

from mmcrack.datasets.lines import (
    check_radius,
    dilate,
    enlarge,
    read_levels,
    read_lines,
)


@pytest.mark.parametrize('radius', [1, 2, 4, 7])
def test_dilation_is_a_distance(radius):
    lines = np.eye(40, dtype=np.uint8)
    lines[:, 31] = 1
    far = scipy.ndimage.distance_transform_edt(lines == 0)
    np.testing.assert_array_equal(dilate(lines, radius=radius), far <= radius)


def test_radius_zero_keeps_the_lines():
    lines = np.eye(9, dtype=np.uint8)
    np.testing.assert_array_equal(dilate(lines, radius=0), lines)
    check_radius(0)
    with pytest.raises(ValueError, match='got -1; 0 keeps the lines'):
        check_radius(-1)


def test_each_pixel_becomes_a_square():
    mask = np.array([[1, 2, 3], [4, 5, 6]])
    found = enlarge(mask, (6, 9), name='m')
    np.testing.assert_array_equal(found, np.kron(mask, np.ones((3, 3))))
    np.testing.assert_array_equal(enlarge(mask, (2, 3), name='m'), mask)


@pytest.mark.parametrize('size', [(6, 6), (5, 8), (1, 3), (4, 9)])
def test_no_other_size_is_made_to_fit(size):
    with pytest.raises(ValueError, match='the mask m is 3x2 but its image'):
        enlarge(np.zeros((2, 3)), size, name='m')


def test_levels_of_colours(tmp_path):
    pixels = np.zeros((4, 5, 3), np.uint8)
    pixels[1, 1], pixels[2, 2] = (9, 3, 7), (0, 200, 0)
    cv2.imwrite(str(tmp_path / 'a.bmp'), pixels)
    levels = read_levels(tmp_path / 'a.bmp')
    assert (levels[1, 1], levels[2, 2], levels.sum()) == (9, 200, 209)
    size = dict(image_size=(4, 5), radius=0)
    assert read_lines(tmp_path / 'a.bmp', **size).sum() == 2
    assert read_lines(tmp_path / 'a.bmp', **size, threshold=9).sum() == 1
    with pytest.raises(ValueError, match='is 5x4 but its image is 10x8'):
        read_lines(tmp_path / 'a.bmp', (8, 10), radius=0)
    found = read_lines(tmp_path / 'a.bmp', (8, 10), radius=0, multiple=True)
    assert found.sum() == 8
