import pytest
import torch
from torch import nn

from mmcrack.models.layers.sr_encoder import (
    ResidualSwinModule,
    SREncoder,
    WindowAttention,
)


def plain_attention(layer: WindowAttention, x: torch.Tensor) -> torch.Tensor:
    """Attend pixel by pixel: who shares my window, and truly lies near me."""
    batch, height, width, channels = x.shape
    window, shift = layer.window_size, layer.shift
    if max(height, width) <= window:
        shift = 0
    heads, depth = layer.num_heads, channels // layer.num_heads
    q, k, v = layer.qkv(x).chunk(3, dim=-1)
    table = layer.relative_position_bias_table
    out = torch.zeros_like(x)

    def home(y: int, x: int) -> tuple[int, int]:
        # Windows of the shifted grid; those cut by the border stay apart,
        # because floor division sends each side to another window.
        return (y - shift) // window, (x - shift) // window

    for y in range(height):
        for x_ in range(width):
            mates = [(a, b) for a in range(height) for b in range(width)
                     if home(a, b) == home(y, x_)]
            for head in range(heads):
                part = slice(head * depth, (head + 1) * depth)
                rows = torch.stack([k[:, a, b, part] for a, b in mates], 1)
                values = torch.stack([v[:, a, b, part] for a, b in mates], 1)
                bias = torch.stack([
                    table[(y - a + window - 1) * (2 * window - 1) + x_ - b +
                          window - 1, head] for a, b in mates
                ])
                score = (rows @ q[:, y, x_, part, None])[..., 0] / depth**0.5
                weight = (score + bias).softmax(-1)
                out[:, y, x_, part] = (weight[..., None] * values).sum(1)
    return layer.proj(out)


@pytest.mark.parametrize('shifted', [False, True])
@pytest.mark.parametrize('size', [(8, 8), (8, 12), (4, 4), (4, 8)])
def test_window_attention_equals_the_plain_definition(shifted, size):
    torch.manual_seed(0)
    layer = WindowAttention(6, num_heads=2, window_size=4, shifted=shifted)
    nn.init.normal_(layer.relative_position_bias_table)
    x = torch.randn(2, *size, 6)
    with torch.no_grad():
        expected = plain_attention(layer, x)
        torch.testing.assert_close(layer(x), expected, atol=1e-5, rtol=1e-5)


def test_one_image_does_not_see_another():
    torch.manual_seed(0)
    layer = WindowAttention(8, num_heads=2, window_size=4, shifted=True)
    x = torch.randn(3, 12, 8, 8)
    with torch.no_grad():
        together = layer(x)
        alone = torch.cat([layer(x[n:n + 1]) for n in range(3)])
    torch.testing.assert_close(together, alone)


@pytest.mark.parametrize('stride', [2, 4])
@pytest.mark.parametrize('size', [(64, 48), (37, 50), (20, 20), (5, 3),
                                  (1, 1)])
def test_any_size_gives_the_strided_size(stride, size):
    encoder = SREncoder(
        4,
        8,
        stride=stride,
        num_modules=1,
        num_heads=2,
        window_size=4,
        mlp_ratio=2.)
    out = encoder(torch.randn(1, 4, *size))
    expected = tuple(-(-side // stride) for side in size)
    assert out.shape[-2:] == expected
    assert out.isfinite().all()


def test_three_modules_of_two_blocks_the_second_shifted():
    encoder = SREncoder(
        4,
        8,
        stride=4,
        num_modules=3,
        num_heads=2,
        window_size=8,
        mlp_ratio=2.)
    shifts = [[b.attention.shift for b in m.blocks]
              for m in encoder.residual_modules]
    assert shifts == [[0, 4]] * 3


def test_a_residual_module_without_convolution_is_the_identity():
    module = ResidualSwinModule(
        8, num_heads=2, window_size=4, mlp_ratio=2.)
    nn.init.zeros_(module.conv.weight)
    nn.init.zeros_(module.conv.bias)
    x = torch.randn(1, 8, 8, 8)
    torch.testing.assert_close(module(x), x)


def test_a_size_seen_in_inference_mode_can_be_trained():
    """What is kept of a size must not come from inference mode."""
    encoder = SREncoder(4, 8, stride=2, num_modules=1, num_heads=2,
                        window_size=4, mlp_ratio=2.)
    x = torch.randn(1, 4, 46, 38)
    with torch.inference_mode():
        seen = encoder(x)
    out = encoder(x)
    out.sum().backward()
    torch.testing.assert_close(out.detach(), seen.clone())


def test_every_parameter_learns():
    torch.manual_seed(0)
    encoder = SREncoder(
        4,
        8,
        stride=4,
        num_modules=3,
        num_heads=2,
        window_size=4,
        mlp_ratio=2.)
    encoder(torch.randn(2, 4, 40, 56)).square().sum().backward()
    silent = [
        name for name, p in encoder.named_parameters()
        if p.grad is None or not p.grad.any()
    ]
    assert silent == []


def test_memory_of_bf16_autocast_and_wrong_arguments():
    encoder = SREncoder(
        4,
        8,
        stride=4,
        num_modules=1,
        num_heads=2,
        window_size=4,
        mlp_ratio=2.)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        out = encoder(torch.randn(1, 4, 40, 40))
    assert out.isfinite().all()
    with pytest.raises(ValueError, match='stride must be 2 or 4, got 8'):
        SREncoder(
            4,
            8,
            stride=8,
            num_modules=1,
            num_heads=2,
            window_size=4,
            mlp_ratio=2.)
    with pytest.raises(ValueError, match='num_heads must divide'):
        WindowAttention(8, num_heads=3, window_size=4, shifted=False)
