"""All predictions of a recurrent network are trained, the last counts."""

import pytest
import torch
import torch.nn.functional as F

from mmcrack.models.decode_heads.steps_head import StepsHead

CE = dict(type='CrossEntropyLoss', avg_non_ignore=True)


def inputs_for(generator, channels=2, steps=3):
    maps = [torch.randn(2, c, 48, 64, generator=generator)
            for c in (5, *([channels] * steps))]
    return [x.requires_grad_() for x in maps]


def side(weights):
    return dict(side=dict(type='mmcrack.DeepSupervisionLoss', loss=CE,
                          weights=weights))


def cross_entropies(logits, label):
    return [F.cross_entropy(x, label, ignore_index=255) for x in logits]


@pytest.mark.parametrize('alpha', [.4, 1.])
def test_the_loss_of_dru(generator, samples, crack_label, alpha):
    # Sum over t of alpha^(T - t) times the cross entropy of step t.
    head = StepsHead(5, loss_decode=CE,
                     loss_side=side((alpha**2, alpha)))
    inputs, label = inputs_for(generator), crack_label()
    label[0, :9] = 255
    losses = head.loss(inputs, samples(label), {})
    one, two, three = cross_entropies(inputs[1:], label)
    total = losses['loss_ce'] + losses['side_loss_side']
    assert torch.allclose(total, three + alpha * two + alpha**2 * one,
                          atol=1e-6)


def test_the_loss_of_refinement_passes(generator, samples, crack_label):
    # Sum over k of k times the loss of pass k, over K (K + 1) / 2.
    head = StepsHead(5, loss_decode=dict(CE, loss_weight=1 / 2),
                     loss_side=side((1 / 6, 2 / 6)))
    inputs, label = inputs_for(generator), crack_label()
    losses = head.loss(inputs, samples(label), {})
    one, two, three = cross_entropies(inputs[1:], label)
    total = losses['loss_ce'] + losses['side_loss_side']
    assert torch.allclose(total, (one + 2 * two + 3 * three) / 6, atol=1e-6)


def test_the_last_step_is_the_prediction_and_nothing_is_learnt_here(
        generator):
    head = StepsHead(5, loss_decode=CE, loss_side=side((1., 1.)))
    inputs = inputs_for(generator)
    assert head(inputs) is inputs[-1]
    assert list(head.parameters()) == []
    features, logits, sides = head.features_and_logits(inputs)
    assert features is inputs[0]
    assert logits is inputs[3]
    assert [id(x) for x in sides['side']] == [id(x) for x in inputs[1:3]]


def test_one_step_needs_no_further_loss(generator, samples, crack_label):
    head = StepsHead(5, loss_decode=CE)
    inputs, label = inputs_for(generator, steps=1), crack_label()
    losses = head.loss(inputs, samples(label), {})
    assert {k for k in losses if 'loss' in k} == {'loss_ce'}


def test_logits_of_another_layout_are_refused(generator):
    head = StepsHead(5, loss_decode=CE)
    with pytest.raises(ValueError, match='logits of 2 channels'):
        head(inputs_for(generator, channels=1))
    with pytest.raises(ValueError, match='give it the same out_channels'):
        head(inputs_for(generator)[3:])
