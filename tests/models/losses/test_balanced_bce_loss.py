"""Balanced and weighted cross entropy: defaults, empty images, refusals."""

import pytest
import torch
from mmengine.registry import MODELS

PROB = torch.tensor([[.9, .2, .6], [.4, .8, .1]], dtype=torch.float64)
LOGITS = torch.logit(PROB)[None, None]
LABEL = torch.tensor([[[1, 0, 1], [1, 1, 0]]])


def build(**options):
    return MODELS.build(dict(type='mmcrack.BalancedBCELoss', **options))


@pytest.mark.parametrize(('options', 'value'), [
    ({}, .137684965), (dict(pos_weight=1.), .347354082)])
def test_values(options, value):
    assert build(**options)(LOGITS, LABEL).item() == pytest.approx(
        value, abs=5e-10)


def test_scale_of_the_background():
    """HED has 1 where RCF has 1.1: a tenth of the background's share."""
    gain = build()(LOGITS, LABEL) - build(neg_scale=1.)(LOGITS, LABEL)
    background = -torch.log1p(-PROB[LABEL[0] == 0]).sum()
    assert gain.item() == pytest.approx(
        .1 * 4 / 6 * background.item() / 6, rel=1e-9)


def test_a_fixed_weight_multiplies_cracks_alone():
    more = build(pos_weight=3.)(LOGITS, LABEL) - build(pos_weight=1.)(
        LOGITS, LABEL)
    assert more.item() == pytest.approx(
        -2 * PROB[LABEL[0] == 1].log().sum().item() / 6, rel=1e-9)


def test_without_a_crack_nothing_is_learnt():
    logits = LOGITS.clone().requires_grad_()
    loss = build()(logits, 0 * LABEL)
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()
    fixed = build(pos_weight=30.)(logits, 0 * LABEL)
    assert fixed.item() == pytest.approx(
        -torch.log1p(-PROB).mean().item(), rel=1e-9)


def test_ignored_pixels_are_not_counted():
    logits = torch.cat([LOGITS, torch.zeros(1, 1, 5, 3)], dim=2)
    label = torch.cat([LABEL, torch.full((1, 5, 3), 255)], dim=1)
    assert build()(logits, label).item() == pytest.approx(
        .137684965, abs=5e-10)


@pytest.mark.parametrize('options', [
    dict(neg_scale=0.), dict(pos_weight=-1.)])
def test_bad_arguments_are_named(options):
    with pytest.raises(ValueError, match='must be above 0'):
        build(**options)
