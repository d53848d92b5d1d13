import torch
import torch.nn.functional as F

from mmcrack.models.layers.refinenet import (
    ChainedResidualPooling,
    RefineBlock,
    ResidualConvUnit,
)

BN = dict(norm_cfg=dict(type='BN'))


def test_a_residual_unit_keeps_its_input_as_it_was():
    unit = ResidualConvUnit(4, {})
    x = torch.randn(2, 4, 5, 6)
    before = x.clone()
    torch.nn.init.zeros_(unit.conv2.conv.weight)
    # An activation in place would leave relu(x).
    assert torch.equal(unit(x), before)
    assert torch.equal(x, before)


def test_order_inside_a_residual_unit():
    unit = ResidualConvUnit(4, {})
    x = torch.randn(2, 4, 5, 6)
    first, second = unit.conv1.conv, unit.conv2.conv
    assert first.bias is not None
    assert second.bias is None
    inner = F.conv2d(x.relu(), first.weight, first.bias, padding=1).relu()
    expected = x + F.conv2d(inner, second.weight, padding=1)
    assert torch.allclose(unit(x), expected, atol=1e-6)


def test_no_bias_in_front_of_a_normalisation():
    unit = ResidualConvUnit(4, BN)
    assert unit.conv1.conv.bias is None


def test_chained_pooling_by_hand():
    """Convolutions that scale by 2 and 3 on a single bright pixel."""
    pooling = ChainedResidualPooling(1, 2, {})
    with torch.no_grad():
        for conv, factor in zip(pooling.convs, (2., 3.), strict=True):
            conv.conv.weight.zero_()
            conv.conv.weight[0, 0, 1, 1] = factor
    x = torch.full((1, 1, 15, 15), -1.)
    x[0, 0, 7, 7] = 1.
    out = pooling(x)[0, 0]
    expected = torch.zeros(15, 15)
    expected[3:12, 3:12] += 6  # the second pool, of the first's output
    expected[5:10, 5:10] += 2
    expected[7, 7] += 1  # relu(x)
    assert torch.equal(out, expected)


def test_a_block_fuses_by_a_sum_on_the_finer_size():
    block = RefineBlock(
        [4, 6], 4, num_rcu=(2, 2), num_pools=3, num_output_rcu=1,
        align_corners=True, layers={})
    fine, coarse = torch.randn(2, 4, 9, 11), torch.randn(2, 6, 5, 6)
    one, two = block.inputs[0](fine), block.inputs[1](coarse)
    one = F.conv2d(one, block.fusion[0].conv.weight, padding=1)
    two = F.conv2d(two, block.fusion[1].conv.weight, padding=1)
    two = F.interpolate(two, (9, 11), mode='bilinear', align_corners=True)
    expected = block.output(block.pooling(one + two))
    assert torch.allclose(block(fine, coarse), expected, atol=1e-5)


def test_a_block_without_parts_is_a_rectifier():
    block = RefineBlock(
        [4], 4, num_rcu=(0, ), num_pools=0, num_output_rcu=0,
        align_corners=True, layers={})
    x = torch.randn(2, 4, 5, 6)
    assert torch.equal(block(x), x.relu())
    assert not list(block.parameters())
