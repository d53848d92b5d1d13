"""The distance of masks in feature maps."""

import torch

from mmcrack.functional.vgg_topology import feature_distance


def toy(x):
    """Two smooth maps, one of them smaller."""
    return [torch.tanh(x - x.roll(1, -1)), 2 * x[..., ::2, ::2]]


def pair(generator):
    prob = torch.rand(2, 4, 6, generator=generator, dtype=torch.float64)
    target = (torch.rand(2, 4, 6, generator=generator) > .6).double()
    return prob, target


def test_the_example_in_the_docstring(generator):
    prob, target = pair(generator)
    value = feature_distance(prob, target, extract=lambda x: [2 * x, x])
    expected = 5 * ((prob - target)**2).mean((1, 2))
    assert torch.allclose(value, expected, atol=1e-12)


def test_a_map_counts_by_its_mean_whatever_its_size(generator):
    prob, target = pair(generator)
    whole = feature_distance(
        prob, target, extract=lambda x: [torch.cat([x, x, x], 1)])
    assert torch.allclose(
        whole, feature_distance(prob, target, extract=lambda x: [x]))


def test_a_perfect_prediction_has_no_distance(generator):
    _, target = pair(generator)
    assert feature_distance(target, target, extract=toy).tolist() == [0, 0]


def test_pixels_without_a_truth_change_nothing(generator):
    prob, target = pair(generator)
    valid = torch.ones_like(prob, dtype=torch.bool)
    valid[:, 1] = False
    found = feature_distance(prob, target, extract=toy, valid=valid)
    other, truth = prob.clone(), target.clone()
    other[:, 1] = .123
    assert torch.equal(
        feature_distance(other, truth, extract=toy, valid=valid), found)
    nothing = feature_distance(
        prob, target, extract=toy, valid=torch.zeros_like(valid))
    assert nothing.tolist() == [0, 0]


def test_the_gradient(generator):
    prob, target = pair(generator)
    valid = torch.rand(2, 4, 6, generator=generator) > .3
    prob.requires_grad_()
    target.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda p: feature_distance(
            p, target.detach(), extract=toy, valid=valid), (prob, ))
    feature_distance(
        prob, target.detach(), extract=toy, valid=valid).sum().backward()
    assert (prob.grad[~valid] == 0).all()
    assert (prob.grad[valid] != 0).any()
