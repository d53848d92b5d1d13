"""Persistence against a union-find; the topological loss by hand."""

import sys

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from mmcrack.functional.persistence import (
    match_dots,
    persistence_pairs,
    topological_loss,
)

FOUR = [(-1, 0), (1, 0), (0, -1), (0, 1)]
EIGHT = [*FOUR, (-1, -1), (-1, 1), (1, -1), (1, 1)]


def merge_pairs(values, neighbours):
    """Components of superlevel sets by union-find: (birth, death) values."""
    root, pairs = {}, []

    def find(x):
        while root[x] != x:
            x = root[x]
        return x

    order = sorted(np.ndindex(values.shape), key=lambda x: -values[x])
    for pixel in order:
        root[pixel] = pixel
        for step in neighbours:
            other = (pixel[0] + step[0], pixel[1] + step[1])
            if other not in root:
                continue
            a, b = find(pixel), find(other)
            if a == b:
                continue
            old, young = (a, b) if values[a] >= values[b] else (b, a)
            if values[young] > values[pixel]:
                pairs.append((values[young], values[pixel]))
            root[young] = old
    return sorted(pairs)


def hole_pairs(values):
    """Loops: components of what lies below, joined with the outside."""
    padded = np.pad(-values, 1, constant_values=np.inf)
    return sorted((-death, -birth)
                  for birth, death in merge_pairs(padded, FOUR))


def value_pairs(values, dimension):
    pixels = persistence_pairs(values).finite[dimension]
    return sorted(zip(values[pixels[:, 0], pixels[:, 1]],
                      values[pixels[:, 2], pixels[:, 3]], strict=True))


def line_with_gap(right=.9, gap=.3):
    """Row 3 from column 1 to 7, broken at column 4."""
    values = np.full((7, 9), .05)
    values[3, 1:8] = .9
    values[3, 4], values[3, 5:8] = gap, right
    return values


def ring():
    values = np.full((8, 9), .05)
    values[2:6, 2:7] = .5
    values[3:5, 3:6] = .2
    return values


def loss_of(values, target, **options):
    values = torch.as_tensor(values, dtype=torch.float64)[None]
    options = dict(dict(patch_size=64, dimensions=(0, 1),
                        skip_constant=True), **options)
    return topological_loss(
        values, torch.as_tensor(target, dtype=torch.float64)[None],
        torch.ones_like(values), **options)[0].item()


@pytest.mark.parametrize('size', [(6, 6), (5, 11), (13, 4), (1, 9), (9, 1)])
@pytest.mark.parametrize('seed', range(3))
def test_pairs_are_those_of_a_union_find(size, seed):
    """On sides that differ: an index decoded the wrong way would show."""
    values = np.random.default_rng(seed).random(size)
    assert value_pairs(values, 0) == merge_pairs(values, EIGHT)
    assert value_pairs(values, 1) == hole_pairs(values)
    assert tuple(persistence_pairs(values).essential) == np.unravel_index(
        values.argmax(), size)


def test_diagonal_neighbours_are_one_crack_and_close_a_ring():
    values = np.zeros((5, 6))
    values[1, 2] = values[2, 1] = values[2, 3] = values[3, 2] = .8
    assert value_pairs(values, 0) == []
    assert value_pairs(values, 1) == [(.8, 0.)]


def test_a_line_with_a_gap():
    values = line_with_gap()
    pairs = persistence_pairs(values)
    assert pairs.finite[0].tolist() == [[3, 3, 3, 4]]
    assert pairs.finite[1].tolist() == []
    assert pairs.essential.tolist() == [3, 7]
    # The truth is one line: the pair vanishes, the line should be sure.
    assert loss_of(values, line_with_gap(gap=.9) > .5) == pytest.approx(
        .6**2 / 2 + .1**2)
    # Two lines: the pair should be perfect.
    assert loss_of(values, values > .5) == pytest.approx(
        .1**2 + .3**2 + .1**2)


def test_the_gradient_closes_the_gap():
    values = torch.tensor(line_with_gap())[None].requires_grad_()
    target = torch.tensor(line_with_gap(gap=.9) > .5).double()[None]
    total, _ = topological_loss(
        values, target, torch.ones_like(target), patch_size=64,
        dimensions=(0, ), skip_constant=True)
    total.backward()
    slopes = values.grad[0]
    assert slopes[3, 4].item() == pytest.approx(-.6)
    assert slopes[3, 3].item() == pytest.approx(.6)
    assert slopes[3, 7].item() == pytest.approx(-.2)
    assert slopes.count_nonzero() == 3


def test_two_cracks_that_should_stay_two():
    values = line_with_gap(right=.7, gap=.4)
    truth = line_with_gap(gap=.1) > .5
    dots = match_dots(values, truth.astype(float), dimensions=(0, ))
    assert dots.pixels.tolist() == [[3, 7, 3, 4]]
    assert dots.kept.tolist() == [True]
    assert values[tuple(dots.essential[0])] == .9
    assert loss_of(values, truth) == pytest.approx(
        (1 - .7)**2 + .4**2 + .1**2)


def test_noise_is_removed():
    values = line_with_gap(gap=.9)
    values[6, 0] = .35
    assert loss_of(values, values > .5) == pytest.approx(
        .3**2 / 2 + .1**2)
    empty = np.zeros_like(values)
    # On background alone nothing should be born, whatever is largest.
    assert loss_of(values, empty, skip_constant=False) == pytest.approx(.045)
    assert loss_of(values, empty) == 0


def test_a_ring_is_kept_or_opened():
    values = ring()
    pixels = persistence_pairs(values).finite[1]
    assert values[pixels[0, 0], pixels[0, 1]] == .5
    assert values[pixels[0, 2], pixels[0, 3]] == .2
    solid = np.pad(np.ones((4, 5)), ((2, 2), (2, 2)))
    assert loss_of(values, values == .5, dimensions=(1, )) == pytest.approx(
        .5**2 + .2**2)
    assert loss_of(values, solid, dimensions=(1, )) == pytest.approx(
        .3**2 / 2)
    assert loss_of(values, solid, dimensions=(0, 1)) == pytest.approx(
        .3**2 / 2 + .5**2)


def test_a_perfect_prediction_costs_nothing():
    truth = (ring() == .5).astype(float)
    truth[0, :2] = 1
    assert loss_of(truth, truth) == 0


@pytest.mark.parametrize('cracks', [1, 2, 3])
def test_it_is_the_squared_distance_of_the_diagrams(cracks):
    """Against the best of all matches, for dots that are not faint."""
    values, truth = np.full((2 * 5 + 1, 12), .05), np.zeros((11, 12))
    heights = (.95, .9, .85, .3, .2)
    for i, height in enumerate(heights):
        values[2 * i + 1, 1:11] = height
        truth[2 * i + 1, 1:11] = i < cracks
    found = [(1 - b, 1 - d) for b, d in value_pairs(values, 0)]
    wanted = [(0., 1.)] * (cracks - 1)
    # Each dot meets a dot of the truth or its own place on the diagonal.
    costs = np.full((len(found), len(wanted) + len(found)), 1e9)
    for i, (b, d) in enumerate(found):
        for j in range(len(wanted)):
            # What the truth's dot would cost without a partner is saved.
            costs[i, j] = b**2 + (1 - d)**2 - .5
        costs[i, len(wanted) + i] = (d - b)**2 / 2
    best = costs[linear_sum_assignment(costs)].sum() + .5 * len(wanted)
    assert loss_of(values, truth) == pytest.approx(best + .05**2)


def test_patches_add_up(generator):
    prob = torch.rand(2, 13, 10, generator=generator, dtype=torch.float64)
    target = (torch.rand(2, 13, 10, generator=generator) < .4).double()
    total, patches = topological_loss(
        prob, target, torch.ones_like(prob), patch_size=6,
        dimensions=(0, 1), skip_constant=True)
    assert patches == 2 * 3 * 2
    alone = sum(
        loss_of(prob[n, i:i + 6, j:j + 6], target[n, i:i + 6, j:j + 6])
        for n in range(2) for i in (0, 6, 12) for j in (0, 6))
    assert total.item() == pytest.approx(alone)


def test_a_constant_prediction_has_nothing_to_learn():
    assert loss_of(np.full((7, 9), .5), line_with_gap() > .5) == 0


def test_gradients(generator):
    # Different values, far enough apart for the pairs to stay.
    prob = (torch.randperm(63, generator=generator).double() + 1) / 64
    prob = prob.reshape(1, 7, 9).requires_grad_()
    target = torch.tensor(ring()[:7] == .5).double()[None]
    weight = torch.rand(1, 7, 9, generator=generator, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda p: topological_loss(
            p, target, weight, patch_size=5,
            dimensions=(0, 1), skip_constant=True)[0], prob)


def test_a_critical_pixel_counts_by_its_weight():
    values = torch.tensor(line_with_gap())[None]
    weight = torch.ones_like(values)
    weight[0, 3, 4], weight[0, 3, 7] = 0, 3
    total, _ = topological_loss(
        values, (torch.tensor(line_with_gap(gap=.9)) > .5).double()[None],
        weight, patch_size=64, dimensions=(0, 1), skip_constant=True)
    # The pair's birth weighs 1, its death 0.
    assert total.item() == pytest.approx(.6**2 / 2 / 2 + 3 * .1**2)


def test_small_probabilities_keep_their_order():
    """1 - p would be 1 for all of them in float32."""
    values = np.full((3, 5), 1e-12, np.float32)
    values[1, 1], values[1, 3] = 3e-10, 2e-10
    assert [b for b, _ in value_pairs(values, 0)] == [np.float32(2e-10)]


def test_without_gudhi_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, 'gudhi', None)
    with pytest.raises(ImportError, match='python -m pip install gudhi'):
        persistence_pairs(ring())
