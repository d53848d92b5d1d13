"""Dice losses: pins, closed forms, the squared form's trap."""

import numpy as np
import pytest
import torch

from mmcrack.functional.dice import noise_robust_dice_loss, soft_dice_loss

PROB = torch.tensor([[.9, .2, .6], [.4, .8, .1]], dtype=torch.float64)
TARGET = torch.tensor([[1., 0, 1], [1, 1, 0]], dtype=torch.float64)
ALL = torch.ones_like(PROB)


@pytest.mark.parametrize(
    ('smooth', 'squared', 'value'),
    [(1., False, .2), (0., True, .102990033)])
def test_soft_dice_values(smooth, squared, value):
    loss = soft_dice_loss(
        PROB, TARGET, ALL, smooth=smooth, squared=squared)
    assert loss.item() == pytest.approx(value, abs=5e-10)


@pytest.mark.parametrize(('gamma', 'squared', 'linear'), [
    (1., .265780289, .228571102), (1.5, .159446779, .137124262),
    (2., .102989862, .088571302)])
def test_noise_robust_values(gamma, squared, linear):
    for value, form in ((squared, True), (linear, False)):
        loss = noise_robust_dice_loss(
            PROB, TARGET, ALL, gamma=gamma, squared=form, eps=1e-5)
        assert loss.item() == pytest.approx(value, abs=5e-10)


def test_with_gamma_2_it_is_v_net_s(generator):
    prob = torch.rand(500, generator=generator, dtype=torch.float64)
    target = (torch.rand(500, generator=generator) < .1).double()
    weight = torch.rand(500, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(
        noise_robust_dice_loss(
            prob, target, weight, gamma=2., squared=True, eps=1e-12),
        soft_dice_loss(prob, target, weight, smooth=0., squared=True))


@pytest.mark.parametrize(('gamma', 'squared', 'linear'), [
    (1., 6.6654, .99997), (1.5, 2.5185, .37783), (2., .99981, .15000)])
def test_values_without_a_crack(gamma, squared, linear):
    prob = torch.tensor([.1, .2, .05, 0.], dtype=torch.float64)
    for value, form in ((squared, True), (linear, False)):
        loss = noise_robust_dice_loss(
            prob, torch.zeros(4).double(), torch.ones(4).double(),
            gamma=gamma, squared=form, eps=1e-5)
        assert loss.item() == pytest.approx(value, rel=1e-4)


@pytest.mark.parametrize('level', [.01, .1, .5, 1.])
def test_without_a_crack_the_squared_form_falls_as_cracks_grow(level):
    prob = torch.full((400, ), level, dtype=torch.float64)
    empty, ones = torch.zeros_like(prob), torch.ones_like(prob)
    values = [noise_robust_dice_loss(
        prob, empty, ones, gamma=1.5, squared=form, eps=1e-12).item()
              for form in (True, False)]
    assert values == pytest.approx([level**-.5, level**.5])


def test_an_image_twice_is_the_image_once_and_weights_are_shares():
    args = dict(gamma=1.5, squared=True, eps=1e-12)
    once = noise_robust_dice_loss(PROB, TARGET, ALL, **args)
    twice = noise_robust_dice_loss(
        torch.stack([PROB, PROB]), torch.stack([TARGET, TARGET]),
        torch.stack([ALL, 0 * ALL]), **args)
    torch.testing.assert_close(once, twice)
    torch.testing.assert_close(
        once, noise_robust_dice_loss(PROB, TARGET, 3 * ALL, **args))


@pytest.mark.parametrize('gamma', [1., 1.5, 2.])
@pytest.mark.parametrize('squared', [True, False])
def test_gradients(gamma, squared):
    prob = PROB.clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda p: noise_robust_dice_loss(
            p, TARGET, ALL, gamma=gamma, squared=squared, eps=1e-5), prob)
    assert torch.autograd.gradcheck(
        lambda p: soft_dice_loss(
            p, TARGET, ALL, smooth=1., squared=squared), prob)


@pytest.mark.parametrize('gamma', [1., 1.5, 2.])
def test_the_gradient_is_finite_where_a_pixel_is_right(gamma):
    prob = TARGET.clone().requires_grad_()
    noise_robust_dice_loss(
        prob, TARGET, ALL, gamma=gamma, squared=True, eps=1e-5).backward()
    assert prob.grad.isfinite().all()


def test_against_numpy(generator):
    prob = torch.rand(60, generator=generator, dtype=torch.float64)
    target = (prob + .3 * torch.rand(60, generator=generator) > .7).double()
    p, y = prob.numpy(), target.numpy()
    expected = (np.abs(p - y)**1.3).sum() / (
        (p * p).sum() + (y * y).sum() + 1e-5)
    ours = noise_robust_dice_loss(
        prob, target, torch.ones(60), gamma=1.3, squared=True, eps=1e-5)
    assert ours.item() == pytest.approx(expected, rel=1e-12)
