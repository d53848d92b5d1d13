"""DRU's recurrent unit against its equations in plain torch."""

import pytest
import torch
import torch.nn.functional as F

from mmcrack.models.layers.dual_gated_unit import DoubleConv, DualGatedUnit

NORM = dict(type='GN', num_groups=2)
ACT = dict(type='ReLU')


def plain_pair(x, pair, groups):
    """Two convolutions, each with group normalisation and ReLU."""
    for layer in pair:
        x = F.conv2d(x, layer.conv.weight, layer.conv.bias, padding=1)
        if groups:
            x = F.group_norm(x, groups, layer.gn.weight, layer.gn.bias)
        x = x.clamp(min=0)
    return x


def shaken(module):
    """Weights and biases that are not those of the start."""
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=.5)
    return module.double()


def test_the_unit_is_its_equations(generator):
    unit = shaken(DualGatedUnit(4, 8, norm_cfg=NORM, act_cfg=ACT))
    x = torch.randn(2, 4, 5, 6, generator=generator).double()
    h = torch.randn(2, 8, 5, 6, generator=generator).double()
    r = 1 / (1 + torch.exp(-plain_pair(x, unit.reset, 2)))
    u = 1 / (1 + torch.exp(-plain_pair(x, unit.update, 2)))
    candidate = torch.tanh(plain_pair(x * r, unit.candidate, 2))
    expected = h * (1 - u) + candidate * u
    assert torch.allclose(unit(x, h), expected, atol=1e-12)


def test_the_gates_do_not_see_the_state(generator):
    # h' is affine in h, with a slope 1 - u of at most 1/2 behind a ReLU.
    unit = shaken(DualGatedUnit(4, 8, norm_cfg=NORM, act_cfg=ACT))
    x = torch.randn(1, 4, 5, 6, generator=generator).double()
    zero = torch.zeros(1, 8, 5, 6, dtype=torch.float64)
    slope = unit(x, zero + 1) - unit(x, zero)
    assert torch.allclose(unit(x, zero + 3) - unit(x, zero), 3 * slope)
    assert slope.min() > 0
    assert slope.max() <= .5


@pytest.mark.parametrize(('channels', 'groups'), [(4, 4), (8, 8), (32, 8)])
def test_group_norm_has_at_most_as_many_groups_as_maps(channels, groups):
    pair = DoubleConv(3, channels, norm_cfg=dict(type='GN', num_groups=8),
                      act_cfg=ACT)
    assert [layer.gn.num_groups for layer in pair] == [groups, groups]
