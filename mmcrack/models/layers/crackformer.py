"""Blocks of CrackFormer-II (Liu et al. 2023)."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def group_norm(channels: int) -> nn.GroupNorm:
    """Return group normalisation with groups of four channels."""
    return nn.GroupNorm(max(1, channels // 4), channels)


def conv_norm(in_channels: int, out_channels: int,
              bias: bool = False) -> nn.Sequential:
    """Return a 1 x 1 convolution and group normalisation."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 1, bias=bias),
        group_norm(out_channels))


class LambdaAttention(nn.Module):
    """Attention through linear functions ("lambdas") of each query.

    Bello 2021 as CrackFormer-II's local self-attention uses it. Keys are
    normalised by softmax over all positions of the map, so the content part
    depends on the whole map; the positional part sees ``window`` x
    ``window`` pixels around each. For query q at n, summing over k::

        out[n] = sum_k q[n, k] * (content[k] + position[n, k])
        content[k] = sum_m softmax_m(key[m, k]) * value[m]
        position[n, k] = sum_d embedding[k, d] * value[n + d]

    No matrix of all pairs of positions is built.

    Args:
        channels (int): Channels of the input and of the result.
        num_heads (int): Heads; each has its own queries, while keys and
            values are shared. Must divide ``channels``.
        key_channels (int): Key depth.
        window (int): Side of the positional window in pixels, odd.

    Raises:
        ValueError: If ``num_heads`` does not divide ``channels``.
    """

    def __init__(self, channels: int, *, num_heads: int = 4,
                 key_channels: int = 16, window: int = 7) -> None:
        super().__init__()
        if channels % num_heads:
            raise ValueError(f'num_heads must divide channels={channels}, '
                             f'got {num_heads}.')
        self.num_heads = num_heads
        self.key_channels = key_channels
        self.queries = conv_norm(channels, num_heads * key_channels)
        self.keys = conv_norm(channels, key_channels)
        self.values = conv_norm(channels, channels // num_heads)
        self.embedding = nn.Parameter(
            torch.randn(key_channels, 1, window, window))

    def _load_from_state_dict(self, state_dict: dict, prefix: str,
                              *args: Any) -> None:
        """Take the released code's weights of a 3D convolution, too."""
        weight = state_dict.get(f'{prefix}embedding')
        if weight is not None and weight.dim() == 5:
            state_dict[f'{prefix}embedding'] = weight.squeeze(2)
        super()._load_from_state_dict(state_dict, prefix, *args)

    def forward(self, x: Tensor) -> Tensor:
        """Attend.

        Args:
            x (Tensor): (N, channels, H, W).

        Returns:
            Tensor: Of the same shape; head by head.
        """
        batch, _, height, width = x.shape
        queries = self.queries(x).reshape(
            batch, self.num_heads, self.key_channels, -1)
        keys = self.keys(x).flatten(2).softmax(dim=-1)
        values = self.values(x)
        content = torch.einsum('bkn,bvn->bkv', keys, values.flatten(2))
        out = torch.einsum('bhkn,bkv->bhvn', queries, content)
        position = F.conv2d(
            values.reshape(-1, 1, height, width), self.embedding,
            padding=self.embedding.shape[-1] // 2)
        position = position.reshape(
            batch, -1, self.key_channels, height * width)
        # Head by head: one product over all would be a matrix product of
        # tiny matrices at each position, three times as slow on a CPU.
        out = out + torch.stack(
            [(queries[:, head, None] * position).sum(2)
             for head in range(self.num_heads)], dim=1)
        return out.reshape(batch, -1, height, width)


class ConvMLP(nn.Module):
    """Two 1 x 1 convolutions around a grouped 3 x 3 one, normalised.

    Args:
        channels (int): Channels of the input and of the result; a quarter
            of them are inside.
        dropout_ratio (float): Dropout after the activation and at the end.
    """

    def __init__(self, channels: int, dropout_ratio: float) -> None:
        super().__init__()
        hidden = channels // 4
        self.layers = nn.Sequential(
            conv_norm(channels, hidden, bias=True),
            nn.Conv2d(hidden, hidden, 3, padding=1,
                      groups=max(1, hidden // 4)),
            group_norm(hidden),
            nn.GELU(),
            nn.Dropout(dropout_ratio),
            conv_norm(hidden, channels, bias=True),
            nn.Dropout(dropout_ratio))

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, channels, H, W) for the same."""
        return self.layers(x)


class AttentionBlock(nn.Module):
    """One "Trans-EB": a residual bottleneck around lambda attention.

    A 1 x 1 convolution to a quarter of the wider side, normalised, GELU;
    attention and MLP, each added to its input; GELU; a 1 x 1 convolution,
    normalised, GELU; plus the input (through a normalised 1 x 1 convolution
    where the width changes); GELU.

    The released code also builds a normalisation after the attention that it
    never calls; it is left out here, as it would get no gradient.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the result.
        num_heads (int): Heads of the attention.
        key_channels (int): Its key depth.
        window (int): Its positional window.
        dropout_ratio (float): Dropout of the MLP.
    """

    def __init__(self, in_channels: int, out_channels: int, *,
                 num_heads: int, key_channels: int, window: int,
                 dropout_ratio: float) -> None:
        super().__init__()
        hidden = max(in_channels, out_channels) // 4
        self.reduce = conv_norm(in_channels, hidden)
        self.attention = LambdaAttention(
            hidden, num_heads=num_heads, key_channels=key_channels,
            window=window)
        self.mlp = ConvMLP(hidden, dropout_ratio)
        self.expand = conv_norm(hidden, out_channels)
        self.shortcut = nn.Identity()
        if in_channels != out_channels:
            self.shortcut = conv_norm(in_channels, out_channels, bias=True)
        for module in (*self.attention.modules(), *self.mlp.modules()):
            if isinstance(module, nn.Conv2d):
                _init_by_fan_out(module)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, out_channels, H, W) for (N, in_channels, H, W)."""
        out = F.gelu(self.reduce(x))
        out = out + self.attention(out)
        out = F.gelu(out + self.mlp(out))
        out = F.gelu(self.expand(out))
        return F.gelu(out + self.shortcut(x))


def _init_by_fan_out(conv: nn.Conv2d) -> None:
    """Draw weights as the released code does inside attention and MLP."""
    fan_out = (conv.kernel_size[0] * conv.kernel_size[1]
               * conv.out_channels // conv.groups)
    nn.init.normal_(conv.weight, std=(2 / fan_out)**.5)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)


class ScalingAttention(nn.Module):
    """A mask in (0, 1) from what the blocks of one scale made.

    Args:
        in_channels (int): Channels of the maps.
        channels (int): Channels of the mask.
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.GELU(),
            nn.Conv2d(in_channels, channels, 3, padding=1),
            group_norm(channels),
            nn.Conv2d(channels, channels, 3, padding=1),
            group_norm(channels),
            nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        """Return the mask.

        Args:
            x (Tensor): The sum of the maps, (N, in_channels, H, W).

        Returns:
            Tensor: (N, channels, H, W), in (0, 1).
        """
        return self.layers(x)


def released_name(name: str) -> str | None:
    """Return our name of a parameter of the released checkpoint.

    Args:
        name (str): Key of the released state dict ('down3.nn1.conv...').

    Returns:
        str | None: Key in a segmentor with ``mmcrack.CrackFormer`` and
        ``mmcrack.CrackFormerHead``; None for what has no counterpart: the
        normalisation that is never called. Third blocks of stages 3 to 5
        keep a name; a backbone with ``released_quirk`` has none for them.
    """
    if '.conv.bn2.' in name:
        return None
    part, _, rest = name.partition('.')
    index = int(part[-1]) - 1 if part[-1].isdigit() else 0
    if part == 'final':
        return f'decode_head.conv_seg.{rest}'
    if part.startswith('fuse'):
        rest = _replaced(rest, (('nn.conv.', 'reduce.conv.'),
                                ('conv.', 'predict.')))
        return f'decode_head.fusions.{index}.{rest}'
    if part.startswith('LABlock'):
        kind, place, tail = rest.split('.')
        at = int(place) + (1 if kind == 'W_1' else 3)
        return f'decode_head.attentions.{index}.layers.{at}.{tail}'
    block, _, rest = rest.partition('.')
    number = int(block[-1]) - 1
    side = 'encoder' if part.startswith('down') else 'decoder'
    if part == 'down1' and number == 0:
        return f'backbone.stem.{rest}'
    if part == 'down1':
        number = 0
    return f'backbone.{side}.{index}.{number}.{_released_block(rest)}'


_BLOCK_NAMES: Sequence[tuple[str, str]] = (
    ('conv.conv2.0.attn.', 'attention.'),
    ('conv.conv2.0.mlp.fc1.', 'mlp.layers.0.0.'),
    ('conv.conv2.0.mlp.gn1.', 'mlp.layers.0.1.'),
    ('conv.conv2.0.mlp.dwconv.dwconv.', 'mlp.layers.1.'),
    ('conv.conv2.0.mlp.gn2.', 'mlp.layers.2.'),
    ('conv.conv2.0.mlp.fc2.', 'mlp.layers.5.0.'),
    ('conv.conv2.0.mlp.gn3.', 'mlp.layers.5.1.'),
    ('conv.conv1.', 'reduce.0.'),
    ('conv.bn1.', 'reduce.1.'),
    ('conv.conv3.', 'expand.0.'),
    ('conv.bn3.', 'expand.1.'),
    ('conv.shortcut.', 'shortcut.'),
)


def _replaced(name: str, table: Sequence[tuple[str, str]]) -> str:
    """Replace the first of the beginnings that fits."""
    for old, new in table:
        if name.startswith(old):
            return new + name.removeprefix(old)
    raise ValueError(f'No parameter of CrackFormer-II is named so: {name!r}.')


def _released_block(name: str) -> str:
    """Return our name of a parameter inside a block."""
    return _replaced(name, _BLOCK_NAMES)
