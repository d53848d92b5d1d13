"""Regions of both papers: pins, laws, and OpenCV as the oracle."""

import math

import cv2
import numpy as np
import pytest
import torch
from oracles import opencv_boundary_band

from mmcrack.functional.regions import (
    BACKGROUND,
    BODY,
    BOUNDARY,
    ambiguous_region,
    binary_label,
    boundary_band,
    crack_regions,
    marginal_region,
    outer_boundary_label,
)


def block() -> torch.Tensor:
    """Crack of 5 x 7 pixels in an image of 15 x 15."""
    label = torch.zeros(1, 15, 15, dtype=torch.long)
    label[0, 5:10, 4:11] = 1
    return label


def line(side=15) -> torch.Tensor:
    """Crack of one pixel width and length 11 in the middle of an image."""
    label = torch.zeros(1, side, side, dtype=torch.long)
    middle = side // 2
    label[0, middle, middle - 5:middle + 6] = 1
    return label


def blobs(generator, size=(24, 31), ignored=0.05) -> torch.Tensor:
    """Random cracks of any form, with ignored pixels."""
    noise = torch.rand(2, *size, generator=generator)
    smooth = torch.nn.functional.avg_pool2d(noise, 3, 1, 1)
    label = (smooth > 0.52).long()
    hidden = torch.rand(2, *size, generator=generator) < ignored
    return label.masked_fill(hidden, 255)


def counts(regions: torch.Tensor) -> list[int]:
    return [int((regions == r).sum()) for r in (BODY, BOUNDARY, BACKGROUND)]


@pytest.mark.parametrize(('dilation', 'expected'), [
    (0, [15, 20, 190]),
    (1, [3, 60, 162]),
    (2, [0, 99, 126]),
    (3, [0, 143, 82]),
])
def test_sizes_of_the_regions_of_a_block(dilation, expected):
    assert counts(crack_regions(block(), dilation=dilation)) == expected


@pytest.mark.parametrize(('dilation', 'expected'),
                         [(0, 11), (1, 39), (2, 75), (3, 105)])
def test_band_of_a_thin_line_leaves_no_body(dilation, expected):
    assert int(boundary_band(line(), dilation=dilation).sum()) == expected
    assert counts(crack_regions(line(), dilation=dilation))[BODY] == 0


@pytest.mark.parametrize('dilation', [0, 1, 2, 3])
def test_band_of_a_thin_line_far_from_the_border(dilation):
    band = boundary_band(line(31), dilation=dilation)
    side = 2 * dilation + 1
    assert int(band.sum()) == (10 + side) * side


@pytest.mark.parametrize('dilation', [0, 1, 2, 3])
def test_width_of_the_band_along_a_straight_boundary(dilation):
    label = torch.zeros(1, 9, 40, dtype=torch.long)
    label[:, :, 20:] = 1
    band = boundary_band(label, dilation=dilation)
    # Table 1: 1, 3, 5, 7; the image's border is no boundary.
    assert band.sum(-1).unique().tolist() == [2 * dilation + 1]
    columns = torch.nonzero(band[0, 4])[:, 0].float()
    assert columns.mean() == 20


@pytest.mark.parametrize('dilation', [0, 1, 2, 3])
def test_band_equals_opencv(dilation, generator):
    labels = blobs(generator, ignored=0)
    band = boundary_band(labels, dilation=dilation)
    for label, got in zip(labels.numpy(), band.numpy(), strict=True):
        np.testing.assert_array_equal(
            got, opencv_boundary_band(label, dilation))


@pytest.mark.parametrize('turn', [
    lambda x: x.flip(-1), lambda x: x.flip(-2), lambda x: x.rot90(1, (1, 2)),
    lambda x: x.transpose(1, 2)
])
def test_band_turns_with_the_image(turn, generator):
    label = blobs(generator)
    assert torch.equal(
        boundary_band(turn(label), dilation=2),
        turn(boundary_band(label, dilation=2)))


def test_regions_are_a_partition(generator):
    label = blobs(generator)
    regions = crack_regions(label, dilation=1)
    assert torch.equal(regions == -1, label == 255)
    assert bool((label[regions == BODY] == 1).all())
    assert bool((label[regions == BACKGROUND] == 0).all())
    assert torch.equal(regions == BOUNDARY, boundary_band(label, dilation=1))


def test_what_is_ignored_makes_no_boundary():
    label = torch.zeros(1, 12, 12, dtype=torch.long)
    label[:, :6] = 1
    label[:, 6:] = 255
    assert not boundary_band(label, dilation=2).any()
    label[0, 8, 5] = 0  # background, but out of reach of the crack
    assert not boundary_band(label, dilation=2).any()
    label[0, 6, 5] = 0
    band = boundary_band(label, dilation=0)
    assert torch.nonzero(band[0]).tolist() == [[5, 4], [5, 5], [5, 6]]


@pytest.mark.parametrize(('value', 'region'), [(0, BACKGROUND), (1, BODY),
                                               (255, -1)])
def test_images_of_one_kind_have_one_region(value, region):
    label = torch.full((2, 6, 7), value)
    assert crack_regions(label, dilation=2).unique().tolist() == [region]


def test_another_ignore_index():
    label = block()
    label[0, 0] = 7
    regions = crack_regions(label, dilation=0, ignore_index=7)
    assert bool((regions[0, 0] == -1).all())
    assert counts(regions) == [15, 20, 175]


def test_crack_against_all_other_classes():
    label = torch.tensor([[[0, 1, 2, 3, 255]]])
    binary = binary_label(label, crack_class=2, ignore_index=255)
    assert binary.tolist() == [[[0, 0, 1, 0, 255]]]
    binary = binary_label(label, crack_class=0, ignore_index=3)
    assert binary.tolist() == [[[1, 0, 0, 3, 0]]]


def test_a_negative_dilation_is_refused():
    with pytest.raises(ValueError, match='dilation must be at least 0, got'):
        boundary_band(block(), dilation=-1)


def test_thin_cracks_of_cfd_have_no_body(cfd_root):
    """In 75 of the 118 images (480 x 320) a dilation of 2 leaves none."""
    files = sorted((cfd_root / 'masks').rglob('*.png'))
    empty = 0
    for file in files:
        mask = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        label = torch.from_numpy(mask)[None].long()
        empty += not (crack_regions(label, dilation=2) == BODY).any()
    assert (empty, len(files)) == (75, 118)


# --- CIRL's margin and ambiguous region -------------------------------------


@pytest.mark.parametrize('label', [block(), line()])
def test_margins_of_known_size(label):
    assert int(marginal_region(label, kernel_size=5).sum()) == 64


@pytest.mark.parametrize('kernel_size', [1, 3, 5, 9])
def test_margin_is_opencv_dilation_without_the_crack(kernel_size, generator):
    label = blobs(generator)
    margin = marginal_region(label, kernel_size=kernel_size)
    for n in range(len(label)):
        crack = (label[n] == 1).numpy().astype(np.uint8)
        ring = cv2.dilate(
            crack, np.ones((kernel_size, kernel_size), np.uint8)) - crack
        ring[label[n].numpy() == 255] = 0
        assert np.array_equal(margin[n].numpy(), ring > 0)


@pytest.mark.parametrize('value', [0, 1, 255])
def test_no_margin_without_an_edge(value):
    label = torch.full((1, 9, 9), value)
    assert not marginal_region(label, kernel_size=5).any()


def test_ambiguous_is_margin_above_the_threshold(generator):
    margin = marginal_region(blobs(generator), kernel_size=5)
    log_var = torch.randn(margin.shape, generator=generator)
    region = ambiguous_region(log_var, margin, variance_threshold=.4)
    assert torch.equal(region, margin & (log_var.exp() > .4))
    assert region.any()
    assert not (region & ~margin).any()
    whole = ambiguous_region(log_var, margin, variance_threshold=0.)
    assert torch.equal(whole, margin)


def test_the_threshold_itself_is_not_ambiguous():
    log_var = torch.tensor([[[math.log(.4), math.log(.4) + 1e-4]]])
    region = ambiguous_region(
        log_var, torch.ones(1, 1, 2, dtype=torch.bool),
        variance_threshold=.4)
    assert region.tolist() == [[[False, True]]]


def test_the_threshold_may_differ_from_image_to_image():
    region = ambiguous_region(
        torch.zeros(2, 1, 1), torch.ones(2, 1, 1, dtype=torch.bool),
        variance_threshold=torch.tensor([.5, 2.]).view(2, 1, 1))
    assert region.flatten().tolist() == [True, False]


# --- JTFN's boundary --------------------------------------------------------


def test_outer_boundary_of_a_block():
    label = outer_boundary_label(block())
    assert int(label.sum()) == 28
    assert not label[block() == 1].any()


def test_outer_boundary_is_max_pooling_without_the_mask(generator):
    label = blobs(generator, ignored=0)
    pooled = torch.nn.functional.max_pool2d(
        label[:, None].float(), 3, 1, 1)[:, 0].long()
    assert torch.equal(outer_boundary_label(label), pooled - label)


def test_ignored_pixels_stay_out_of_the_boundary():
    label = torch.tensor([[[1, 0, 255, 0, 0, 1, 255, 0]]])
    expected = [[[0, 1, 255, 0, 1, 0, 255, 0]]]
    assert outer_boundary_label(label).tolist() == expected
    label[label == 255] = 7
    got = outer_boundary_label(label, ignore_index=7)
    assert got[got == 7].numel() == 2
