"""Focal, Poly-1 and balanced cross entropy: pins, closed forms, gradients."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torchvision.ops import sigmoid_focal_loss

from mmcrack.functional.cross_entropy import (
    balance_weights,
    focal_loss,
    poly1_loss,
    weighted_bce,
)

PROB = torch.tensor([[.9, .2, .6], [.4, .8, .1]], dtype=torch.float64)
LOGIT = torch.logit(PROB)
TARGET = torch.tensor([[1., 0, 1], [1, 1, 0]], dtype=torch.float64)


@pytest.fixture
def batch(generator):
    logit = 4 * torch.randn(300, generator=generator, dtype=torch.float64)
    target = torch.randint(0, 2, (300, ), generator=generator).double()
    return logit, target


@pytest.mark.parametrize(('gamma', 'alpha', 'value'), [
    (2., .25, .018813090), (2., .5, .035962955), (2., None, .071925910),
    (0., None, .347354082)])
def test_focal_values(gamma, alpha, value):
    loss = focal_loss(LOGIT, TARGET, gamma=gamma, alpha=alpha)
    assert loss.mean().item() == pytest.approx(value, abs=5e-10)


def test_without_focus_it_is_cross_entropy(batch):
    logit, target = batch
    bce = F.binary_cross_entropy_with_logits(
        logit, target, reduction='none')
    torch.testing.assert_close(
        focal_loss(logit, target, gamma=0., alpha=None), bce)
    torch.testing.assert_close(
        poly1_loss(logit, target, epsilon=0., gamma=0., alpha=None), bce)
    # Half of both classes is half of everything.
    torch.testing.assert_close(
        focal_loss(logit, target, gamma=0., alpha=.5), bce / 2)


@pytest.mark.parametrize(('gamma', 'alpha'), [(2., .25), (.5, .9), (3., .5)])
def test_focal_is_torchvision_s(gamma, alpha, batch):
    logit, target = batch
    torch.testing.assert_close(
        focal_loss(logit, target, gamma=gamma, alpha=alpha),
        sigmoid_focal_loss(logit, target, alpha=alpha, gamma=gamma))


@pytest.mark.parametrize(
    ('epsilon', 'value'),
    [(1., .614020748), (2., .880687415), (-1., .080687415)])
def test_poly1_values(epsilon, value):
    loss = poly1_loss(LOGIT, TARGET, epsilon=epsilon, gamma=0., alpha=None)
    assert loss.mean().item() == pytest.approx(value, abs=5e-10)


def test_poly1_on_the_focal_loss_is_its_formula(batch):
    logit, target = batch
    prob = 1 / (1 + np.exp(-logit.numpy()))
    true = np.where(target.numpy() > 0, prob, 1 - prob)
    share = np.where(target.numpy() > 0, .3, .7)
    expected = share * (-(1 - true)**1.5 * np.log(true) + .7 *
                        (1 - true)**2.5)
    ours = poly1_loss(logit, target, epsilon=.7, gamma=1.5, alpha=.3)
    np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-9)


def test_balanced_value():
    positive, negative = balance_weights(
        TARGET, torch.ones_like(TARGET, dtype=torch.bool), neg_scale=1.1)
    assert float(positive) == pytest.approx(2 / 6)
    assert float(negative) == pytest.approx(1.1 * 4 / 6)
    loss = weighted_bce(
        LOGIT, TARGET, pos_weight=positive, neg_weight=negative)
    assert loss.mean().item() == pytest.approx(.137684965, abs=5e-10)


def test_balanced_classes_weigh_alike(batch):
    _, target = batch
    target[:200] = 0
    valid = torch.arange(300) >= 50
    positive, negative = balance_weights(target, valid, neg_scale=1.)
    crack = target[valid].sum()
    torch.testing.assert_close(
        crack * positive, (250 - crack) * negative)
    # Of what is left out nothing is counted.
    target[:50] = 1
    assert balance_weights(target, valid, neg_scale=1.) == (
        positive, negative)


def test_a_fixed_weight_is_that_of_torch(batch):
    logit, target = batch
    torch.testing.assert_close(
        weighted_bce(logit, target, pos_weight=1 / .03, neg_weight=1.),
        F.binary_cross_entropy_with_logits(
            logit, target, reduction='none',
            pos_weight=torch.tensor(1 / .03)))


@pytest.mark.parametrize('loss', [
    lambda z, y: focal_loss(z, y, gamma=.5, alpha=.25),
    lambda z, y: poly1_loss(z, y, epsilon=-1., gamma=0., alpha=None),
    lambda z, y: poly1_loss(z, y, epsilon=2., gamma=2., alpha=.25),
    lambda z, y: weighted_bce(z, y, pos_weight=3., neg_weight=.5),
])
def test_gradients_everywhere(loss, batch):
    logit, target = batch
    assert torch.autograd.gradcheck(
        lambda z: loss(z, target[:20]), logit[:20].requires_grad_())
    wild = torch.tensor([1e4, 1e4, -1e4, -1e4, 0.], requires_grad=True)
    value = loss(wild, torch.tensor([1., 0, 1, 0, 1]))
    value.sum().backward()
    assert value.isfinite().all()
    assert wild.grad.isfinite().all()
    # A wrong pixel still pulls, a right one has come to rest.
    assert wild.grad[1] > 0 > wild.grad[2]
    assert wild.grad[0] == wild.grad[3] == 0


def test_the_examples_of_the_page():
    half, one = torch.zeros(1), torch.ones(1)
    assert focal_loss(half, one, gamma=2., alpha=.25).item() == \
        pytest.approx(.25 * .25 * math.log(2))
    assert poly1_loss(half, one, epsilon=1., gamma=0., alpha=None).item() == \
        pytest.approx(math.log(2) + .5)
