"""The super-resolution encoder of CBPRN's edge-guided branch (Figure 2)."""

from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn


# Kept for later calls, which may train: never tensors of inference mode.
@lru_cache(maxsize=16)
@torch.inference_mode(False)
def _shift_layout(height: int, width: int, window: int,
                  device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Describe the windows of a cyclically shifted map.

    After the shift by half a window, the windows of the last row and column
    hold pixels from opposite sides of the map, which must not attend to each
    other; all other windows need no mask, so only those few carry one.

    Returns:
        tuple[Tensor, Tensor, Tensor]: Indices of the windows without and
        with a mask, and the masks of the latter: float32 (number of masked
        windows, 1, window^2, window^2) of {0, -inf}.
    """
    rows = torch.zeros(height, dtype=torch.long, device=device)
    columns = torch.zeros(width, dtype=torch.long, device=device)
    for line in (rows, columns):
        line[-window:] = 1
        line[-(window // 2):] = 2
    group = rows[:, None] * 3 + columns
    windows = group.view(height // window, window, width // window, window)
    windows = windows.transpose(1, 2).reshape(-1, window * window)
    differs = windows[:, :, None] != windows[:, None, :]
    masked = differs.flatten(1).any(1)
    mask = torch.zeros(
        differs.shape, device=device).masked_fill_(differs, float('-inf'))
    return (torch.nonzero(~masked)[:, 0], torch.nonzero(masked)[:, 0],
            mask[masked][:, None])


class WindowAttention(nn.Module):
    """Multi-head self-attention inside windows, shifted or not.

    Liu et al. 2021 (Swin), section 3.2, with a learned relative position
    bias. Softmax runs in ``scaled_dot_product_attention``: the matrix of a
    window is never stored.

    Args:
        channels (int): Width of the tokens.
        num_heads (int): Heads; must divide ``channels``.
        window_size (int): Side M of a window, in tokens.
        shifted (bool): Shift the windows by M // 2 (SW-MSA).

    Raises:
        ValueError: If ``num_heads`` does not divide ``channels``.
    """

    def __init__(self, channels: int, *, num_heads: int, window_size: int,
                 shifted: bool) -> None:
        super().__init__()
        if channels % num_heads:
            raise ValueError(f'num_heads must divide channels={channels}, '
                             f'got {num_heads}.')
        self.num_heads = num_heads
        self.window_size = window_size
        self.shift = window_size // 2 if shifted else 0
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)
        span = 2 * window_size - 1
        self.relative_position_bias_table = nn.Parameter(
            torch.empty(span * span, num_heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        axis = torch.arange(window_size)
        y, x = torch.meshgrid(axis, axis, indexing='ij')
        y, x = y.flatten(), x.flatten()
        offset = ((y[:, None] - y + window_size - 1) * span
                  + (x[:, None] - x + window_size - 1))
        self.register_buffer(
            'relative_position_index', offset, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Attend inside windows.

        Args:
            x (Tensor): (N, H, W, C), H and W multiples of the window size.

        Returns:
            Tensor: (N, H, W, C).
        """
        batch, height, width, channels = x.shape
        window = self.window_size
        # One window has no neighbour to shift into.
        shift = self.shift if max(height, width) > window else 0
        if shift:
            x = x.roll((-shift, -shift), (1, 2))
        grid = (batch, height // window, window, width // window, window)
        x = x.view(*grid, channels).transpose(2, 3)
        tokens = x.reshape(-1, window * window, channels)
        qkv = self.qkv(tokens).view(
            *tokens.shape[:2], 3, self.num_heads, -1).permute(2, 0, 3, 1, 4)
        bias = self.relative_position_bias_table[self.relative_position_index]
        bias = bias.permute(2, 0, 1)[None].to(qkv.dtype)
        if shift:
            attended = self._masked(qkv, bias, batch, (height, width))
        else:
            attended = F.scaled_dot_product_attention(*qkv, attn_mask=bias)
        attended = attended.transpose(1, 2).reshape(tokens.shape)
        x = self.proj(attended)
        x = x.view(batch, height // window, width // window, window, window,
                   channels).transpose(2, 3)
        x = x.reshape(batch, height, width, channels)
        if shift:
            x = x.roll((shift, shift), (1, 2))
        return x

    def _masked(self, qkv: Tensor, bias: Tensor, batch: int,
                size: tuple[int, int]) -> Tensor:
        """Attend where the windows of the last row and column need masks."""
        free, masked, mask = _shift_layout(*size, self.window_size,
                                           qkv.device)
        num_windows = qkv.shape[1] // batch
        qkv = qkv.unflatten(1, (batch, num_windows))
        out = torch.empty_like(qkv[0])
        for index, part_bias in ((free, bias),
                                 (masked, bias + mask.to(bias))):
            if not len(index):
                continue
            part = qkv[:, :, index]
            if len(part_bias) > 1:
                part_bias = part_bias.repeat(batch, 1, 1, 1)
            result = F.scaled_dot_product_attention(
                *part.flatten(1, 2), attn_mask=part_bias)
            out[:, index] = result.unflatten(0, (batch, len(index)))
        return out.flatten(0, 1)


class SwinBlock(nn.Module):
    """One Swin block: attention and an MLP, each normalised and added.

    Args:
        channels (int): Width of the tokens.
        num_heads (int): Attention heads.
        window_size (int): Side of a window, in tokens.
        mlp_ratio (float): Width of the MLP over ``channels``.
        shifted (bool): Shifted windows (SW-MSA).
    """

    def __init__(self, channels: int, *, num_heads: int, window_size: int,
                 mlp_ratio: float, shifted: bool) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attention = WindowAttention(
            channels,
            num_heads=num_heads,
            window_size=window_size,
            shifted=shifted)
        self.norm2 = nn.LayerNorm(channels)
        hidden = int(channels * mlp_ratio)
        self.mlp = nn.Sequential(
            nn.Linear(channels, hidden), nn.GELU(),
            nn.Linear(hidden, channels))

    def forward(self, x: Tensor) -> Tensor:
        """Transform (N, H, W, C) tokens; H, W multiples of the window."""
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class ResidualSwinModule(nn.Module):
    """One residual module of CBPRN Figure 2: two Swin blocks and a conv.

    W-MSA, SW-MSA, a 3 x 3 convolution, and the input added. The convolution
    is not in the paper's text; SwinIR's residual block, which the figure
    resembles, has it.

    Args:
        channels (int): Width.
        num_heads (int): Attention heads.
        window_size (int): Side of a window, in tokens.
        mlp_ratio (float): Width of the MLPs over ``channels``.
    """

    def __init__(self, channels: int, *, num_heads: int, window_size: int,
                 mlp_ratio: float) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(SwinBlock(
            channels,
            num_heads=num_heads,
            window_size=window_size,
            mlp_ratio=mlp_ratio,
            shifted=shifted) for shifted in (False, True)))
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Transform (N, H, W, C) tokens; H, W multiples of the window."""
        y = self.blocks(x).permute(0, 3, 1, 2)
        return x + self.conv(y).permute(0, 2, 3, 1)


class SREncoder(nn.Module):
    """Encoder of super-resolution networks, without their up-sampler.

    CBPRN, "Edge-guided Branch" and Figure 2 (a): a shallow strided
    convolution, three residual modules b1-b3, a convolution, and a long
    skip. Widths are not in the paper.

    Args:
        in_channels (int): Channels of the input.
        channels (int): Width.
        stride (int): Output stride, 2 or 4: so many halvings in front.
        num_modules (int): Residual modules (the paper: 3).
        num_heads (int): Attention heads.
        window_size (int): Side of a window, in tokens.
        mlp_ratio (float): Width of the MLPs over ``channels``.

    Raises:
        ValueError: If ``stride`` is neither 2 nor 4.
    """

    def __init__(self, in_channels: int, channels: int, *, stride: int,
                 num_modules: int, num_heads: int, window_size: int,
                 mlp_ratio: float) -> None:
        super().__init__()
        if stride not in (2, 4):
            raise ValueError(f'stride must be 2 or 4, got {stride}.')
        self.window_size = window_size
        if stride == 4:
            narrow = max(1, channels // 2)
            self.shallow = nn.Sequential(
                nn.Conv2d(in_channels, narrow, 3, 2, 1), nn.GELU(),
                nn.Conv2d(narrow, channels, 3, 2, 1))
        else:
            self.shallow = nn.Conv2d(in_channels, channels, 3, 2, 1)
        self.residual_modules = nn.ModuleList(
            ResidualSwinModule(
                channels,
                num_heads=num_heads,
                window_size=window_size,
                mlp_ratio=mlp_ratio) for _ in range(num_modules))
        self.norm = nn.LayerNorm(channels)
        self.last = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Encode.

        Args:
            x (Tensor): (N, ``in_channels``, H, W), any size.

        Returns:
            Tensor: (N, ``channels``, ceil(H / stride), ceil(W / stride)).
        """
        shallow = self.shallow(x)
        size = shallow.shape[-2:]
        y = _pad_to_multiple(shallow, self.window_size, size)
        y = y.permute(0, 2, 3, 1).contiguous()
        for module in self.residual_modules:
            y = module(y)
        y = self.norm(y)[:, :size[0], :size[1]].permute(0, 3, 1, 2)
        return shallow + self.last(y)


def _pad_to_multiple(x: Tensor, multiple: int, size: Sequence[int]) -> Tensor:
    """Pad right and bottom: mirrored, or repeated where too small for it."""
    bottom, right = (-side % multiple for side in size)
    if not bottom and not right:
        return x
    mirrored = bottom < size[0] and right < size[1]
    return F.pad(
        x, (0, right, 0, bottom), mode='reflect' if mirrored else 'replicate')
