"""A classifier on each of several scales."""

import pytest
import torch
import torch.nn.functional as F

from mmcrack.models.decode_heads.deep_supervision_head import (
    DeepSupervisionHead,
)

CE = dict(type='CrossEntropyLoss', avg_non_ignore=True)


def build(**options):
    return DeepSupervisionHead(
        [4, 6, 8], in_index=[3, 2, 1],
        loss_decode=dict(CE, loss_weight=4 / 7),
        loss_side=dict(side=dict(
            type='mmcrack.DeepSupervisionLoss', loss=CE, resize='label',
            weights=(2 / 7, 1 / 7))), **options)


@pytest.fixture
def maps(generator):
    """From the smallest to the largest, as a U-Net's decoder gives them."""
    return [torch.randn(2, c, 48 // s, 64 // s, generator=generator)
            for c, s in ((10, 8), (8, 4), (6, 2), (4, 1))]


def test_each_scale_has_its_classifier_and_half_the_weight(
        maps, samples, crack_label):
    head, label = build(), crack_label()
    total = 0
    for x, conv, weight, step in zip(
            maps[:0:-1], [head.conv_seg, *head.side_convs], (4, 2, 1),
            (1, 2, 4), strict=True):
        logits = F.conv2d(x, conv.weight, conv.bias)
        # The label's nearest pixel, a little below and right of the middle.
        small = label[:, step // 2::step, step // 2::step]
        total = total + weight / 7 * F.cross_entropy(logits, small)
    losses = head.loss(maps, samples(label), {})
    found = losses['loss_ce'] + losses['side_loss_side']
    assert torch.allclose(found, total, atol=1e-6)


def test_only_the_first_map_is_classified_when_predicting(maps):
    head = build()
    for conv in head.side_convs:
        conv.forward = None
    logits = F.conv2d(maps[3], head.conv_seg.weight, head.conv_seg.bias)
    assert torch.equal(head(maps), logits)


def test_without_indices_the_first_maps_are_taken(maps):
    head = DeepSupervisionHead([10, 8], loss_decode=CE)
    features, logits, sides = head.features_and_logits(maps)
    assert features is maps[0]
    assert head.feature_channels == 10
    assert [x.shape[-1] for x in sides['side']] == [16]


def test_maps_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match='name the same maps'):
        DeepSupervisionHead([4, 8], in_index=[1])
    with pytest.raises(ValueError, match='name the same maps'):
        DeepSupervisionHead([])
