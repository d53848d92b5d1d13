"""JTFN's blocks against NumPy loops."""

import itertools

import jtfn_oracle
import pytest
import torch
from torch import nn

from mmcrack.models.layers.jtfn import (
    EncoderStage,
    FeatureInteraction,
    GatedAttentionUnit,
)

LAYER = dict(conv_cfg=None, norm_cfg=dict(type='BN'),
             act_cfg=dict(type='ReLU', inplace=True))
VARIANTS = list(itertools.product(
    ('released', 'cbam'), ('separate', 'joint'), ('dilated', 'double')))


def settled(module):
    """Float64, with a norm that does something, as after a training."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.weight, 1, .2)
            nn.init.normal_(part.bias, 0, .2)
            part.running_mean.normal_(0, .2)
            part.running_var.uniform_(.5, 2)
    return module.double().eval()


def arrays(module):
    return {k: v.numpy() for k, v in module.state_dict().items()}


def gate(channels, variant=VARIANTS[0]):
    names = ('attention', 'mask_form', 'refine')
    return GatedAttentionUnit(
        channels, align_corners=True, **LAYER,
        **dict(zip(names, variant, strict=True)))


@pytest.mark.parametrize('variant', VARIANTS)
@pytest.mark.parametrize('size', [(4, 5), (1, 1), (8, 9)])
def test_gate_equals_the_oracle(variant, size):
    unit = settled(gate(18, variant))
    x = torch.randn(2, 18, *size, dtype=torch.float64)
    y = torch.rand(2, 1, 8, 9, dtype=torch.float64)
    got = unit(x, y).detach()
    for n in range(2):
        expected = jtfn_oracle.gate(
            x[n].numpy(), y[n, 0].numpy(), arrays(unit), *variant)
        torch.testing.assert_close(got[n], torch.from_numpy(expected))


@pytest.mark.parametrize('bottom', [False, True])
@pytest.mark.parametrize('size', [(6, 8), (7, 8), (6, 9), (7, 9)])
def test_interaction_equals_the_oracle(bottom, size):
    stage = settled(FeatureInteraction(5, 3, bottom_conv=bottom, **LAYER))
    s, b = torch.randn(2, 1, 5, 3, 4, dtype=torch.float64)
    skip = torch.randn(1, 3, *size, dtype=torch.float64)
    got = stage(s, b, skip)
    expected = jtfn_oracle.interact(
        s[0].numpy(), b[0].numpy(), skip[0].numpy(), arrays(stage))
    for one, other in zip(got, expected, strict=True):
        torch.testing.assert_close(one[0].detach(), torch.from_numpy(other))


def test_the_gate_sees_only_what_is_not_found_yet():
    unit = settled(gate(4))
    x = torch.randn(1, 4, 6, 6, dtype=torch.float64)
    nothing = unit.mask(torch.zeros_like(x))
    found = torch.ones(1, 1, 6, 6, dtype=torch.float64)
    expected = nothing * x + (1 - nothing) * unit.refine(x)
    torch.testing.assert_close(unit(x, found), expected)
    # And all of x where nothing is found; the refinement then is constant.
    mask = unit.mask(x)
    expected = mask * x + (1 - mask) * unit.refine(torch.zeros_like(x))
    torch.testing.assert_close(unit(x, 0 * found), expected)


def test_a_residual_stage_adds_before_its_norm():
    stage = settled(EncoderStage(2, 3, pool=True, residual=True, **LAYER))
    x = torch.randn(1, 2, 5, 6, dtype=torch.float64)
    p = arrays(stage)
    pooled = x[0, :, :4].unflatten(1, (2, 2)).unflatten(3, (3, 2)).amax(
        (2, 4)).numpy()
    inner = jtfn_oracle.layer(pooled, p, 'first')
    expected = jtfn_oracle.norm_relu(
        inner + jtfn_oracle.conv(inner, p['second.weight']), p, 'last.0')
    torch.testing.assert_close(
        stage(x)[0].detach(), torch.from_numpy(expected))


@pytest.mark.parametrize(('index', 'name'), [
    (0, 'attention'), (1, 'mask_form'), (2, 'refine')])
def test_an_unknown_variant_is_refused(index, name):
    variant = list(VARIANTS[0])
    variant[index] = 'paper'
    with pytest.raises(ValueError, match=f"{name} must be one of .*'paper'"):
        gate(4, variant)
