"""Soft skeletons against plain loops; clDice against counts."""

import numpy as np
import pytest
import torch

from mmcrack.functional.cldice import (
    cldice_loss,
    soft_dilate,
    soft_erode,
    soft_skeleton,
)


def around(image, row, column, reach):
    """Values at offsets that lie inside the image."""
    height, width = image.shape
    return [image[row + i, column + j] for i, j in reach
            if 0 <= row + i < height and 0 <= column + j < width]


CROSS = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)]
SQUARE = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]


def each(image, function, reach):
    return np.array([[function(around(image, r, c, reach))
                      for c in range(image.shape[1])]
                     for r in range(image.shape[0])])


def skeleton_by_loops(image, iterations):
    """Algorithm 1 of Shit et al., pixel by pixel."""
    def top_hat(x):
        opened = each(each(x, min, CROSS), max, SQUARE)
        return np.maximum(x - opened, 0)

    skeleton = top_hat(image)
    for _ in range(iterations):
        image = each(image, min, CROSS)
        extra = top_hat(image)
        skeleton = skeleton + np.maximum(extra - skeleton * extra, 0)
    return skeleton


@pytest.fixture
def bar():
    """Rows 3 to 5, columns 1 to 10; the prediction has a thin place."""
    target = torch.zeros(1, 9, 12, dtype=torch.float64)
    target[:, 3:6, 1:11] = 1
    prob = target.clone()
    prob[:, :, 5] *= .2
    return prob, target


@pytest.mark.parametrize('iterations', [0, 1, 3])
def test_against_loops(iterations, generator):
    image = torch.rand(2, 7, 11, generator=generator, dtype=torch.float64)
    ours = soft_skeleton(image, iterations=iterations)
    for one, plain in zip(ours, image, strict=True):
        np.testing.assert_allclose(
            one.numpy(), skeleton_by_loops(plain.numpy(), iterations),
            atol=1e-12)


def test_the_border_neither_erodes_nor_grows():
    ones = torch.ones(1, 4, 5)
    assert torch.equal(soft_erode(ones), ones)
    assert torch.equal(soft_dilate(-ones), -ones)


def test_skeleton_of_a_bar(bar):
    _, target = bar
    assert soft_skeleton(target, iterations=0).sum() == 0
    for iterations in (1, 2, 10):
        skeleton = soft_skeleton(target, iterations=iterations)
        assert torch.equal(
            skeleton[0, 4, 2:10], torch.ones(8, dtype=torch.float64))
        assert skeleton.sum() == 8


@pytest.mark.parametrize(
    ('iterations', 'size'), [(1, 0), (3, 0), (5, 0), (8, 0), (9, 36),
                             (12, 36)])
def test_a_crack_wider_than_the_erosions_reach_has_no_skeleton(
        iterations, size):
    image = torch.zeros(1, 30, 18)
    image[:, 5:25] = 1
    assert soft_skeleton(image, iterations=iterations).sum() == size


@pytest.mark.parametrize(
    ('iterations', 'value'), [(0, 0.), (1, .046512), (2, .046512)])
def test_value_of_a_bar_with_a_thin_place(iterations, value, bar):
    prob, target = bar
    loss = cldice_loss(prob, target, torch.ones_like(prob),
                       iterations=iterations, smooth=1.)
    assert loss.item() == pytest.approx(value, abs=1e-6)
    if iterations:
        skeleton = soft_skeleton(target, iterations=iterations)
        sensitivity = ((skeleton * prob).sum() + 1) / (skeleton.sum() + 1)
        assert sensitivity.item() == pytest.approx(.911111, abs=1e-6)


def test_lines_that_miss_each_other():
    """Both shares are 1 / 11: the smooth 1 of 10 pixels' sums."""
    prob, target = torch.zeros(2, 1, 9, 10, dtype=torch.float64)
    prob[:, 2], target[:, 6] = 1, 1
    loss = cldice_loss(prob, target, torch.ones_like(prob), iterations=2,
                       smooth=1.)
    assert loss.item() == pytest.approx(1 - 1 / 11)


def test_without_a_skeleton_it_is_zero_and_teaches_nothing():
    prob = torch.full((1, 8, 8), .3, dtype=torch.float64, requires_grad=True)
    loss = cldice_loss(prob, torch.zeros(1, 8, 8).double(),
                       torch.ones(1, 8, 8).double(), iterations=3, smooth=1.)
    loss.backward()
    assert loss.item() == 0
    assert not prob.grad.any()


def test_gradients(generator):
    # Different values everywhere: the minima do not change hands.
    prob = torch.randperm(42, generator=generator).double() / 42
    prob = prob.reshape(1, 6, 7).requires_grad_()
    target = torch.zeros(1, 6, 7, dtype=torch.float64)
    target[:, 2:5] = 1
    weight = torch.rand(1, 6, 7, generator=generator, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda p: cldice_loss(
            p, target, weight, iterations=2, smooth=1.), prob)
