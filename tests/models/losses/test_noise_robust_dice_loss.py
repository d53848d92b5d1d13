"""Noise-robust Dice: defaults, batches without a crack, refusals."""

import pytest
import torch
from mmengine.registry import MODELS

PROB = torch.tensor([[.9, .2, .6], [.4, .8, .1]], dtype=torch.float64)
LOGITS = torch.logit(PROB)[None, None]
LABEL = torch.tensor([[[1, 0, 1], [1, 1, 0]]])


def build(**options):
    return MODELS.build(dict(type='mmcrack.NoiseRobustDiceLoss', **options))


@pytest.mark.parametrize(('options', 'value'), [
    ({}, .159446779), (dict(gamma=1), .265780289),
    (dict(gamma=2), .102989862), (dict(denominator='linear'), .137124262),
    (dict(gamma=1, denominator='linear'), .228571102),
    (dict(gamma=2, denominator='linear'), .088571302)])
def test_values(options, value):
    assert build(**options)(LOGITS, LABEL).item() == pytest.approx(
        value, abs=5e-10)


@pytest.mark.parametrize(('options', 'value'), [
    ({}, .37783), (dict(empty='squared'), 2.5185),
    (dict(denominator='linear'), .37783)])
def test_a_batch_without_a_crack(options, value):
    prob = torch.tensor([.1, .2, .05, 1e-12], dtype=torch.float64)
    logits = torch.logit(prob).reshape(1, 1, 2, 2).requires_grad_()
    loss = build(**options)(logits, torch.zeros(1, 2, 2).long())
    assert loss.item() == pytest.approx(value, rel=1e-4)
    loss.backward()
    # The squared form would have cracks grow: its slope is negative.
    assert (logits.grad[0, 0, 0] > 0).all() == (value < 1)


def test_an_empty_image_beside_another_is_background():
    """One sum: both images use the squared denominator."""
    logits = torch.cat([LOGITS, LOGITS])
    label = torch.cat([LABEL, 0 * LABEL])
    p, y = PROB.repeat(2, 1), torch.cat([LABEL, 0 * LABEL]).flatten(0, 1)
    expected = ((p - y).abs()**1.5).sum() / (
        (p**2).sum() + (y**2).sum() + 1e-5)
    assert build()(logits, label).item() == pytest.approx(expected.item())


@pytest.mark.parametrize(('options', 'message'), [
    (dict(gamma=.5), 'gamma must be between 1 and 2, got 0.5'),
    (dict(gamma=3), 'gamma must be between 1 and 2, got 3'),
    (dict(denominator='cubic'), "denominator must be one of .*'cubic'"),
    (dict(empty='skip'), "empty must be one of .*'skip'"),
    (dict(eps=0.), 'eps must be above 0')])
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)
