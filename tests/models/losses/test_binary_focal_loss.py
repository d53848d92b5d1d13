"""Focal loss: its defaults and its refusals."""

import pytest
import torch
from mmengine.registry import MODELS

PROB = torch.tensor([[.9, .2, .6], [.4, .8, .1]], dtype=torch.float64)
LOGITS = torch.logit(PROB)[None, None]
LABEL = torch.tensor([[[1, 0, 1], [1, 1, 0]]])


def build(**options):
    return MODELS.build(dict(type='mmcrack.BinaryFocalLoss', **options))


@pytest.mark.parametrize(('options', 'value'), [
    ({}, .018813090), (dict(alpha=.5), .035962955),
    (dict(alpha=None), .071925910), (dict(gamma=0, alpha=None), .347354082),
    (dict(gamma=0, alpha=None, reduction='sum'), 2.084124490)])
def test_values(options, value):
    assert build(**options)(LOGITS, LABEL).item() == pytest.approx(
        value, abs=5e-10)


def test_easy_pixels_count_less_than_in_cross_entropy():
    """At p_t = 0.9 by a hundred, at 0.5 by four (Lin et al., section 3)."""
    for share, ratio in ((.9, .01), (.5, .25)):
        logits = torch.logit(torch.tensor([[[[share]]]]).double())
        label = torch.ones(1, 1, 1).long()
        focal, plain = (build(gamma=g, alpha=None)(logits, label).item()
                        for g in (2, 0))
        assert focal / plain == pytest.approx(ratio)


@pytest.mark.parametrize(('options', 'message'), [
    (dict(gamma=-1), 'gamma must be at least 0, got -1'),
    (dict(alpha=2), 'alpha must be None or between 0 and 1, got 2')])
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)
