"""Soft clDice: its two parts, ignored pixels, refusals."""

import pytest
import torch
from mmengine.registry import MODELS


def build(**options):
    return MODELS.build(dict(type='mmcrack.SoftClDiceLoss', **options))


@pytest.fixture
def bar():
    """Rows 3 to 5, columns 1 to 10; the prediction has a thin place."""
    label = torch.zeros(1, 9, 12, dtype=torch.long)
    label[:, 3:6, 1:11] = 1
    prob = label.double()
    prob[:, :, 5] *= .2
    return torch.logit(prob, eps=1e-14)[:, None], label


@pytest.mark.parametrize(('iterations', 'value'), [(0, 0.), (1, .046512),
                                                   (10, .046512)])
def test_values_of_the_skeleton_s_part(iterations, value, bar):
    loss = build(alpha=1., iterations=iterations)(*bar)
    assert loss.item() == pytest.approx(value, abs=1e-6)


def test_the_rest_is_soft_dice(bar):
    """27.6 of 30 pixels are found: (55.2 + 1) / (57.6 + 1)."""
    dice = 1 - 56.2 / 58.6
    assert build(alpha=0.)(*bar).item() == pytest.approx(dice)
    assert build()(*bar).item() == pytest.approx(
        dice / 2 + .046512 / 2, abs=1e-6)


def test_soft_dice_value():
    prob = torch.tensor([[.9, .2, .6], [.4, .8, .1]], dtype=torch.float64)
    loss = build(alpha=0.)(torch.logit(prob)[None, None],
                           torch.tensor([[[1, 0, 1], [1, 1, 0]]]))
    assert loss.item() == pytest.approx(.2)


def test_an_image_twice_is_nearly_the_image_once(bar):
    logits, label = bar
    once = build(smooth=1e-9)(logits, label)
    twice = build(smooth=1e-9)(
        torch.cat([logits, logits]), torch.cat([label, label]))
    assert twice.item() == pytest.approx(once.item(), rel=1e-6)


def test_the_thin_place_is_pulled_up(bar):
    logits, label = bar
    logits = logits.clone().requires_grad_()
    build(alpha=1., iterations=2)(logits, label).backward()
    assert logits.grad.argmin() == 4 * 12 + 5
    assert logits.grad.min() < 0


@pytest.mark.parametrize(('options', 'message'), [
    (dict(alpha=2.), 'alpha must be between 0 and 1'),
    (dict(iterations=-1), 'iterations must be at least 0'),
    (dict(smooth=0.), 'smooth above 0')])
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)
