"""Dilation and erosion with a square, against SciPy and OpenCV."""

import cv2
import numpy as np
import pytest
import scipy.ndimage
import torch

from mmcrack.functional.morphology import dilate, erode

SIZES = [(17, 23), (1, 1), (2, 9), (31, 4)]
KERNELS = [1, 3, 5, 7, 13]


def random_masks(size, generator, share=0.1):
    return torch.rand(3, *size, generator=generator) < share


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('kernel_size', KERNELS)
def test_dilation_equals_scipy_and_opencv(size, kernel_size, generator):
    masks = random_masks(size, generator)
    ours = dilate(masks, kernel_size=kernel_size).numpy()
    square = np.ones((kernel_size, kernel_size), np.uint8)
    for mask, got in zip(masks.numpy(), ours, strict=True):
        np.testing.assert_array_equal(
            got, scipy.ndimage.binary_dilation(mask, square))
        np.testing.assert_array_equal(
            got, cv2.dilate(mask.astype(np.uint8), square) > 0)


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('kernel_size', KERNELS)
def test_erosion_equals_scipy_and_opencv(size, kernel_size, generator):
    masks = random_masks(size, generator, share=0.9)
    ours = erode(masks, kernel_size=kernel_size).numpy()
    square = np.ones((kernel_size, kernel_size), np.uint8)
    for mask, got in zip(masks.numpy(), ours, strict=True):
        np.testing.assert_array_equal(
            got, scipy.ndimage.binary_erosion(mask, square, border_value=1))
        np.testing.assert_array_equal(
            got, cv2.erode(mask.astype(np.uint8), square) > 0)


def test_laws_of_morphology(generator):
    masks = random_masks((20, 30), generator)
    grown, shrunk = dilate(masks, kernel_size=5), erode(masks, kernel_size=5)
    assert bool((masks <= grown).all())
    assert bool((shrunk <= masks).all())
    twice = dilate(dilate(masks, kernel_size=3), kernel_size=3)
    assert torch.equal(twice, grown)
    assert not bool((erode(grown, kernel_size=5) < masks).any())


def test_images_of_a_batch_do_not_meet(generator):
    masks = random_masks((9, 9), generator)
    alone = torch.cat(
        [dilate(mask[None], kernel_size=5) for mask in masks])
    assert torch.equal(dilate(masks, kernel_size=5), alone)


def test_the_smallest_kernel_copies_and_nothing_stays_nothing(generator):
    masks = random_masks((5, 6), generator)
    before = masks.clone()
    copy = dilate(masks, kernel_size=1)
    copy.fill_(True)
    assert torch.equal(masks, before)
    empty = torch.zeros(0, 4, 4, dtype=torch.bool)
    assert dilate(empty, kernel_size=3).shape == (0, 4, 4)


@pytest.mark.parametrize('kernel_size', [0, 2, -3])
def test_a_kernel_without_middle_is_refused(kernel_size):
    mask = torch.zeros(1, 4, 4, dtype=torch.bool)
    with pytest.raises(
            ValueError,
            match=f'positive odd number, got {kernel_size}'):
        dilate(mask, kernel_size=kernel_size)
    with pytest.raises(ValueError, match='kernel_size must be a positive'):
        erode(mask, kernel_size=kernel_size)
