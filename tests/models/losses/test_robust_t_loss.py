"""Robust T-Loss: values, its parameter in the optimiser, dimensions."""

import math

import numpy as np
import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS
from scipy.stats import multivariate_t

PROB = torch.tensor([[.9, .2, .6], [.4, .8, .1]], dtype=torch.float64)
LOGITS = torch.logit(PROB)[None, None]
LABEL = torch.tensor([[[1, 0, 1], [1, 1, 0]]])


def build(**options):
    return MODELS.build(dict(type='mmcrack.RobustTLoss', **options))


@pytest.mark.parametrize(('options', 'value'), [
    ({}, .825494466), (dict(normalize=False), 4.952966798),
    (dict(log_nu=0., normalize=False), 4.494072520)])
def test_values(options, value):
    assert build(**options)(LOGITS, LABEL).item() == pytest.approx(
        value, abs=5e-10)


def test_value_of_a_large_image():
    """1311 wrong pixels of 256 x 256; float32 logits, as in training."""
    label = torch.zeros(65536, dtype=torch.long)
    label[:1311] = 1
    loss = build(normalize=False)(
        torch.full((1, 1, 256, 256), -1e4), label.reshape(1, 256, 256))
    assert loss.item() == pytest.approx(-35124.310209, rel=1e-7)


def test_dimensions_are_the_pixels_that_count(generator):
    """The mean over images of densities, each of its own dimension."""
    logits = torch.randn(3, 1, 4, 5, generator=generator).double()
    label = torch.randint(0, 2, (3, 4, 5), generator=generator)
    label[0, :3] = 255
    label[1] = 255
    expected = []
    for i in (0, 2):
        valid = label[i] != 255
        prob = logits[i, 0][valid].sigmoid().numpy()
        density = multivariate_t(prob, np.eye(len(prob)), df=math.exp(.4))
        expected.append(
            -density.logpdf(label[i][valid].numpy()) / len(prob))
    assert build(log_nu=.4).double()(logits, label).item() == pytest.approx(
        np.mean(expected), rel=1e-6)


def test_weights_are_dimensions():
    """A pixel of weight 2 is two pixels."""
    weight = torch.ones(1, 2, 3)
    weight[0, 0, 0] = 2
    twice = torch.cat([LOGITS, LOGITS], dim=2)
    label = torch.cat([LABEL, torch.full_like(LABEL, 255)], dim=1)
    label[0, 2, 0] = 1
    loss = build()
    assert loss(LOGITS, LABEL, weight=weight).item() == pytest.approx(
        loss(twice, label).item(), rel=1e-12)


def test_gradients_of_the_parameter():
    loss = build().double()
    assert torch.autograd.gradcheck(
        lambda z, n: torch.func.functional_call(
            loss, dict(log_nu=n), (z, LABEL)),
        (LOGITS.clone().requires_grad_(),
         torch.tensor(.3, dtype=torch.float64, requires_grad=True)))


def test_the_head_s_optimiser_trains_it_without_decay():
    """With the options that the docstring gives."""
    head = MODELS.build(dict(
        type='mmseg.FCNHead', in_channels=2, channels=2, num_classes=2,
        num_convs=0, concat_input=False, dropout_ratio=0.,
        loss_decode=dict(type='mmcrack.RobustTLoss')))
    wrapper = build_optim_wrapper(head, dict(
        type='OptimWrapper', optimizer=dict(
            type='SGD', lr=.1, weight_decay=.5),
        paramwise_cfg=dict(custom_keys={'log_nu': dict(decay_mult=0.)})))
    parameter = head.loss_decode.log_nu
    decay = {id(p): group['weight_decay']
             for group in wrapper.param_groups for p in group['params']}
    assert decay[id(parameter)] == 0
    assert decay[id(head.conv_seg.weight)] == .5
    loss = head.loss_decode(torch.zeros(1, 2, 4, 4),
                            torch.zeros(1, 4, 4).long())
    loss.backward()
    slope = parameter.grad.item()
    wrapper.step()
    assert slope != 0
    assert parameter.item() == pytest.approx(1 - .1 * slope)


def test_the_fitted_degrees_of_freedom_are_those_of_the_most_likely():
    """Descent finds the least loss that a search over nu finds."""
    generator = torch.Generator().manual_seed(3)
    logits = 3 * torch.randn(6, 1, 3, 3, generator=generator).double()
    label = (logits[:, 0] + torch.randn(
        6, 3, 3, generator=generator) > 0).long()
    loss = build().double()
    optimiser = torch.optim.Adam(loss.parameters(), lr=.05)
    for _ in range(300):
        optimiser.zero_grad()
        value = loss(logits, label)
        value.backward()
        optimiser.step()
    grid = [build(log_nu=x).double()(logits, label).item()
            for x in np.linspace(-3, 8, 200)]
    assert value.item() == pytest.approx(min(grid), abs=1e-3)
