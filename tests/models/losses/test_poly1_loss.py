"""Poly-1: its defaults, its bases and its refusals."""

import pytest
import torch
from mmengine.registry import MODELS

PROB = torch.tensor([[.9, .2, .6], [.4, .8, .1]], dtype=torch.float64)
LOGITS = torch.logit(PROB)[None, None]
LABEL = torch.tensor([[[1, 0, 1], [1, 1, 0]]])


def build(kind='Poly1Loss', **options):
    return MODELS.build(dict(type=f'mmcrack.{kind}', **options))


@pytest.mark.parametrize(('options', 'value'), [
    ({}, .614020748), (dict(epsilon=2.), .880687415),
    (dict(epsilon=-1.), .080687415), (dict(epsilon=0.), .347354082)])
def test_values(options, value):
    assert build(**options)(LOGITS, LABEL).item() == pytest.approx(
        value, abs=5e-10)


def test_the_focal_loss_can_be_its_base():
    focal = build('BinaryFocalLoss')(LOGITS, LABEL)
    base = build(epsilon=0., gamma=2., alpha=.25)(LOGITS, LABEL)
    assert base.item() == pytest.approx(focal.item(), rel=1e-12)
    # alpha_t (1 - p_t)^3 on top, over six pixels.
    wrong = torch.where(LABEL[0] == 1, 1 - PROB, PROB)
    share = torch.where(LABEL[0] == 1, .25, .75)
    more = build(epsilon=1., gamma=2., alpha=.25)(LOGITS, LABEL) - focal
    assert more.item() == pytest.approx(
        (share * wrong**3).sum().item() / 6, rel=1e-6)


@pytest.mark.parametrize(('options', 'message'), [
    (dict(epsilon=-1.5), 'epsilon must be at least -1, got -1.5'),
    (dict(gamma=-1), 'gamma must be at least 0, got -1'),
    (dict(alpha=2), 'alpha must be None or between 0 and 1, got 2')])
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)
