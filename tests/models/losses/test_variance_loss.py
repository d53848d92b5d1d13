"""Shells of the variance losses: reductions, ignored pixels, refusals."""

import math

import pytest
import torch
from mmengine.registry import MODELS

from mmcrack.functional.aseg import aseg_loss
from mmcrack.functional.kl_variance import kl_variance_loss


def build(kind, **options):
    return MODELS.build(dict(type=f'mmcrack.{kind}', **options))


@pytest.fixture
def batch(generator):
    prob = torch.rand(2, 4, 5, generator=generator)
    log_var = torch.randn(2, 4, 5, generator=generator)
    label = torch.randint(0, 2, (2, 4, 5), generator=generator)
    label[0, 1, :3] = 255
    label[1, 3, 2] = 255
    return prob, label, log_var


@pytest.mark.parametrize(('error', 'log_var', 'value'), [
    (.3, 0., .045), (.3, -2., -.667492476), (2., 1., 1.051819162)])
def test_kl_values(error, log_var, value):
    loss = kl_variance_loss(
        torch.tensor(error, dtype=torch.float64), torch.zeros(1).double(),
        torch.tensor(log_var).double())
    assert loss.item() == pytest.approx(value, abs=1e-8)


def test_kl_is_least_where_the_variance_is_the_squared_error():
    log_var = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    error = torch.tensor([.37], dtype=torch.float64)
    with torch.no_grad():
        log_var.copy_((error**2).log())
    kl_variance_loss(error, torch.zeros(1), log_var).sum().backward()
    assert log_var.grad.item() == pytest.approx(0, abs=1e-12)


def test_kl_gradients(generator):
    prob, log_var = torch.rand(
        2, 6, generator=generator, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda p, s: kl_variance_loss(p, torch.zeros(6).double(), s),
        (prob, log_var))


@pytest.mark.parametrize('weighted', [False, True])
def test_reductions(batch, weighted, generator):
    prob, label, log_var = batch
    weight = torch.rand(2, 4, 5, generator=generator) if weighted else None
    plain = aseg_loss(
        prob, (label == 1).float(), log_var, variance_offset=.3)
    plain = plain * (label != 255)
    if weighted:
        plain = plain * weight
    for reduction, wanted in (('none', 2 * plain),
                              ('sum', 2 * plain.sum() / 2),
                              ('mean', 2 * plain.sum() / 36)):
        loss = build('AsegLoss', reduction=reduction, loss_weight=2.)
        torch.testing.assert_close(
            loss(prob, label, log_var, weight=weight), wanted)


@pytest.mark.parametrize('kind', ['AsegLoss', 'KLVarianceLoss'])
def test_ignored_pixels_change_nothing_and_get_no_gradient(kind, batch):
    prob, label, log_var = batch
    loss = build(kind)
    hidden = label == 255
    wild = prob.masked_fill(hidden, 7.).requires_grad_()
    value = loss(wild, label, log_var.masked_fill(hidden, 60.))
    value.backward()
    torch.testing.assert_close(value.detach(), loss(prob, label, log_var))
    assert not wild.grad[hidden].any()
    assert wild.grad[~hidden].any()


@pytest.mark.parametrize('kind', ['AsegLoss', 'KLVarianceLoss'])
def test_no_pixel_at_all_costs_nothing(kind):
    prob = torch.rand(1, 3, 3, requires_grad=True)
    loss = build(kind)(
        prob, torch.full((1, 3, 3), 255), torch.zeros(1, 3, 3))
    loss.backward()
    assert loss.item() == 0
    assert not prob.grad.any()


def test_kl_is_bounded_on_right_pixels():
    log_var = torch.full((1, 1, 1), -50., requires_grad=True)
    loss = build('KLVarianceLoss', min_log_var=-6.)(
        torch.zeros(1, 1, 1), torch.zeros(1, 1, 1).long(), log_var)
    loss.backward()
    assert loss.item() == -3
    assert log_var.grad.item() == 0


@pytest.mark.parametrize('kind', ['AsegLoss', 'KLVarianceLoss'])
def test_as_a_plain_loss_it_says_where_it_belongs(kind):
    head = MODELS.build(dict(
        type='mmseg.FCNHead', in_channels=4, channels=4, num_classes=2,
        num_convs=0, concat_input=False,
        loss_decode=dict(type=f'mmcrack.{kind}')))
    with pytest.raises(TypeError, match='give the loss as its loss_aseg'):
        head.loss_decode(
            torch.rand(1, 2, 3, 3), torch.zeros(1, 3, 3).long(),
            weight=None, ignore_index=255)


@pytest.mark.parametrize(('options', 'message'), [
    (dict(variance_offset=0), 'variance_offset must be above 0'),
    (dict(reduction='max'), "reduction must be one of .*'max'"),
])
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        build('AsegLoss', **options)


def test_a_bounded_variance_gives_no_pixel_up():
    """Beyond the bound a wrong crack pixel still pulls as at the bound."""
    label = torch.ones(1, 1, 3, dtype=torch.long)
    prob = torch.full((1, 1, 3), .1, dtype=torch.float64).requires_grad_()
    log_var = torch.tensor([[[-1., 0., 7.]]]).double().requires_grad_()
    build('AsegLoss', max_variance=1., reduction='sum')(
        prob, label, log_var).backward()
    pull = [2 * .9 / (.3 + v) for v in (math.exp(-1), 1., 1.)]
    assert (-prob.grad).flatten().tolist() == pytest.approx(pull)
    assert log_var.grad[0, 0, 0] < 0 == log_var.grad[0, 0, 2]


def test_the_bound_must_be_positive():
    with pytest.raises(ValueError, match='max_variance must be None or abov'):
        build('AsegLoss', max_variance=0.)
