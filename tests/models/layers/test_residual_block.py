"""Residual blocks against plain torch."""

import pytest
import torch
import torch.nn.functional as F

from mmcrack.models.layers.residual_block import ResidualBlock, UNetStage

LAYERS = dict(norm_cfg=dict(type='IN', affine=True),
              act_cfg=dict(type='LeakyReLU', negative_slope=.01))


def shaken(module):
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=.5)
    return module


def plain(x, layer, stride=1, padding=1):
    x = F.conv2d(x, layer.conv.weight, None, stride, padding)
    return F.instance_norm(x, weight=layer.norm.weight, bias=layer.norm.bias)


def leak(x):
    return torch.where(x > 0, x, .01 * x)


@pytest.mark.parametrize(('width', 'stride'), [(4, 1), (6, 1), (6, 2),
                                               (4, 2)])
def test_the_order_of_operations(generator, width, stride):
    block = shaken(ResidualBlock(4, width, stride=stride, **LAYERS))
    x = torch.randn(2, 4, 8, 6, generator=generator)
    out = leak(plain(x, block.conv1, stride))
    out = plain(out, block.conv2)
    shortcut = F.avg_pool2d(x, stride)
    if width != 4:
        shortcut = plain(shortcut, block.shortcut[-1], padding=0)
    assert torch.allclose(block(x), leak(out + shortcut), atol=1e-5)
    assert not any('conv.bias' in name for name, _ in
                   block.named_parameters())


def test_a_block_starts_as_its_shortcut(generator):
    block = ResidualBlock(4, 4, stride=2, **LAYERS)
    x = torch.randn(1, 4, 8, 8, generator=generator)
    assert torch.allclose(block(x), leak(F.avg_pool2d(x, 2)), atol=1e-6)


def test_the_shortcut_of_an_odd_size_averages_what_is_there():
    block = ResidualBlock(4, 4, stride=2, **LAYERS)
    x = torch.full((1, 4, 5, 7), 3.)
    assert torch.equal(block.shortcut(x), torch.full((1, 4, 3, 4), 3.))
    assert block(x).shape == (1, 4, 3, 4)


def test_the_way_back_merges_in_order_and_cuts_to_the_skip(generator):
    stage = shaken(UNetStage(6, 4, num_convs=2, **LAYERS))
    x = torch.randn(2, 6, 3, 4, generator=generator)
    skip = torch.randn(2, 4, 5, 8, generator=generator)
    up = F.conv_transpose2d(x, stage.up.weight, stage.up.bias, stride=2)
    out = torch.cat([up[..., :5, :], skip], 1)
    for layer in stage.convs:
        out = leak(plain(out, layer))
    assert torch.allclose(stage(x, skip), out, atol=1e-5)
