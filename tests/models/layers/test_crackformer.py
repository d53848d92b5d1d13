import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from mmcrack.models.layers.crackformer import (
    AttentionBlock,
    ConvMLP,
    LambdaAttention,
    ScalingAttention,
)


def loop_over_positions(layer, x):
    """The docstring's formula, one position, head and channel at a time."""
    n, c, height, width = x.shape
    queries, keys, values = layer.queries(x), layer.keys(x), layer.values(x)
    depth, heads = layer.key_channels, layer.num_heads
    queries = queries.view(n, heads, depth, height, width)
    weights = keys.exp() / keys.exp().sum(dim=(2, 3), keepdim=True)
    reach = layer.embedding.shape[-1] // 2
    out = torch.zeros(n, heads, c // heads, height, width)
    for b in range(n):
        for k in range(depth):
            for v in range(c // heads):
                content = (weights[b, k] * values[b, v]).sum()
                for i in range(height):
                    for j in range(width):
                        position = 0.
                        for y in range(max(0, i - reach),
                                       min(height, i + reach + 1)):
                            for z in range(max(0, j - reach),
                                           min(width, j + reach + 1)):
                                position = position + layer.embedding[
                                    k, 0, y - i + reach,
                                    z - j + reach] * values[b, v, y, z]
                        out[b, :, v, i, j] += queries[b, :, k, i, j] * (
                            content + position)
    return out.reshape(n, c, height, width)


def as_released(layer, x):
    """The released code's products: a 3D convolution over value maps."""
    n, c, height, width = x.shape
    size = height * width
    queries = layer.queries(x).view(
        n, layer.num_heads, layer.key_channels, size)
    keys = layer.keys(x).flatten(2).softmax(-1)
    values = layer.values(x)
    content = torch.einsum('bkn,bvn->bkv', keys, values.flatten(2))
    content = torch.einsum('bhkn,bkv->bhvn', queries, content)
    reach = layer.embedding.shape[-1] // 2
    position = F.conv3d(
        values[:, None], layer.embedding[:, None], padding=(0, reach, reach))
    position = torch.einsum(
        'bhkn,bkvn->bhvn', queries, position.flatten(3))
    return (content + position).reshape(n, c, height, width)


def test_lambda_attention_is_a_sum_over_positions():
    layer = LambdaAttention(8, num_heads=4, key_channels=3, window=5)
    x = torch.randn(2, 8, 4, 6)
    with torch.no_grad():
        expected = loop_over_positions(layer, x)
        assert torch.allclose(layer(x), expected, atol=1e-4)


def test_it_equals_the_released_3d_convolution():
    layer = LambdaAttention(32)
    x = torch.randn(2, 32, 9, 11)
    result, expected = layer(x), as_released(layer, x)
    assert torch.allclose(result, expected, atol=1e-4)
    direction = torch.randn_like(result)
    gradients = [torch.autograd.grad((y * direction).sum(),
                                     list(layer.parameters()))
                 for y in (result, expected)]
    for one, two in zip(*gradients, strict=True):
        assert torch.allclose(one, two, atol=1e-2, rtol=1e-4)


def test_bf16_rounds_no_more_than_the_3d_convolution():
    layer, x = LambdaAttention(16), torch.randn(2, 16, 32, 32)
    with torch.no_grad():
        exact = layer(x)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            errors = [(y.float() - exact).norm() / exact.norm()
                      for y in (layer(x), as_released(layer, x))]
    assert errors[0] < min(.01, 1.2 * errors[1])


def lambda_flops(layer, x):
    """Operations of the released products: not those of 1 x 1 layers."""
    values, pixels = x.shape[1] // layer.num_heads, x[:, 0].numel()
    per_key = layer.embedding[0].numel() + 1 + 2 * layer.num_heads
    return 2 * layer.key_channels * values * per_key * pixels


def test_operations_of_the_released_products():
    layer = LambdaAttention(32)
    x = torch.randn(2, 32, 9, 11)
    with FlopCounterMode(display=False) as counter:
        as_released(layer, x)
    convs = 2 * 32 * (64 + 16 + 8) * 2 * 99
    assert counter.get_total_flops() == convs + lambda_flops(layer, x)


def test_keys_compete_over_the_whole_map():
    """More of the same map: the content part of each pixel stays."""
    layer = LambdaAttention(8, num_heads=2, key_channels=4, window=3)
    torch.nn.init.zeros_(layer.embedding)
    x = torch.randn(1, 8, 5, 6)
    doubled = layer(torch.cat([x, x], dim=3))
    assert torch.allclose(doubled[..., :6], layer(x), atol=1e-5)
    assert torch.allclose(doubled[..., 6:], layer(x), atol=1e-5)


def test_it_loads_weights_of_a_3d_convolution():
    state = LambdaAttention(8).state_dict()
    state['embedding'] = state['embedding'][:, None] + 1
    layer = LambdaAttention(8)
    layer.load_state_dict(state)
    assert torch.equal(layer.embedding, state['embedding'][:, 0])


def normalised(x, norm):
    return F.group_norm(x, norm.num_groups, norm.weight, norm.bias)


def test_order_inside_a_block():
    block = AttentionBlock(16, 32, num_heads=4, key_channels=16, window=7,
                           dropout_ratio=0.)
    x = torch.randn(2, 16, 6, 7)
    conv, norm = block.reduce
    assert (conv.out_channels, conv.bias, norm.num_groups) == (8, None, 2)
    inner = F.gelu(normalised(conv(x), norm))
    inner = inner + block.attention(inner)
    inner = F.gelu(inner + block.mlp(inner))
    conv, norm = block.expand
    out = F.gelu(normalised(conv(inner), norm))
    conv, norm = block.shortcut
    expected = F.gelu(out + normalised(conv(x), norm))
    assert torch.allclose(block(x), expected, atol=1e-5)


def test_order_inside_the_mlp():
    mlp = ConvMLP(32, dropout_ratio=.3).eval()
    x = torch.randn(2, 32, 6, 7)
    (first, norm1), grouped, norm2, _, _, (last, norm3), _ = mlp.layers
    assert (grouped.in_channels, grouped.groups) == (8, 2)
    inner = normalised(grouped(normalised(first(x), norm1)), norm2)
    expected = normalised(last(F.gelu(inner)), norm3)
    assert torch.allclose(mlp(x), expected, atol=1e-5)


def test_scaling_attention():
    module = ScalingAttention(8, 4)
    x = torch.randn(2, 8, 6, 7)
    _, first, norm1, second, norm2, _ = module.layers
    inner = normalised(first(F.gelu(x)), norm1)
    expected = normalised(second(inner), norm2).sigmoid()
    assert torch.allclose(module(x), expected, atol=1e-6)
