"""Blocks of RefineNet (Lin et al. 2017, section 3)."""

from collections.abc import Sequence

import torch.nn.functional as F
from mmcv.cnn import ConvModule
from torch import Tensor, nn


def _conv(in_channels: int, out_channels: int, layers: dict,
          bias: bool = False) -> ConvModule:
    """Return a 3 x 3 convolution without activation."""
    return ConvModule(
        in_channels, out_channels, 3, padding=1,
        bias=bias and not layers.get('norm_cfg'), act_cfg=None, **layers)


class ResidualConvUnit(nn.Module):
    """ReLU, 3 x 3 convolution, twice, plus the input (RCU).

    The input is added as it came: an activation in place, as in some public
    ports, would add its positive part only.

    Args:
        channels (int): Channels.
        layers (dict): ``conv_cfg`` and ``norm_cfg`` of the convolutions.
    """

    def __init__(self, channels: int, layers: dict) -> None:
        super().__init__()
        self.conv1 = _conv(channels, channels, layers, bias=True)
        self.conv2 = _conv(channels, channels, layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, channels, H, W) for the same."""
        return x + self.conv2(F.relu(self.conv1(F.relu(x))))


class ChainedResidualPooling(nn.Module):
    """ReLU, then a chain of 5 x 5 maxima and convolutions, all added (CRP).

    ``x0 = relu(x)``, ``x_i = conv_i(max_pool(x_{i-1}))``; the result is
    ``x0 + x1 + ... + xn``.

    Args:
        channels (int): Channels.
        num_pools (int): n.
        layers (dict): ``conv_cfg`` and ``norm_cfg`` of the convolutions.
    """

    def __init__(self, channels: int, num_pools: int, layers: dict) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            _conv(channels, channels, layers) for _ in range(num_pools))

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, channels, H, W) for the same."""
        total = path = F.relu(x)
        for conv in self.convs:
            path = conv(F.max_pool2d(path, 5, stride=1, padding=2))
            total = total + path
        return total


class RefineBlock(nn.Module):
    """Refine a map by the one of the next finer stage.

    Residual units on each input; a 3 x 3 convolution on each, the coarser
    enlarged to the finer and both added (multi-resolution fusion; nothing to
    do for a single input); chained residual pooling; residual units.

    Args:
        in_channels (Sequence[int]): Channels of the inputs, finest first.
        channels (int): Channels of the result; with one input its channels.
        num_rcu (Sequence[int]): Residual units on each input.
        num_pools (int): Pools of the chain.
        num_output_rcu (int): Residual units at the end.
        align_corners (bool): How to enlarge.
        layers (dict): ``conv_cfg`` and ``norm_cfg`` of the convolutions.
    """

    def __init__(self, in_channels: Sequence[int], channels: int, *,
                 num_rcu: Sequence[int], num_pools: int, num_output_rcu: int,
                 align_corners: bool, layers: dict) -> None:
        super().__init__()
        self.align_corners = align_corners
        self.inputs = nn.ModuleList(
            units(width, count, layers)
            for width, count in zip(in_channels, num_rcu, strict=True))
        self.fusion = None
        if len(in_channels) > 1:
            self.fusion = nn.ModuleList(
                _conv(width, channels, layers) for width in in_channels)
        self.pooling = ChainedResidualPooling(channels, num_pools, layers)
        self.output = units(channels, num_output_rcu, layers)

    def forward(self, *maps: Tensor) -> Tensor:
        """Refine.

        Args:
            *maps (Tensor): (N, C, h, w) each, finest first.

        Returns:
            Tensor: (N, channels, H, W), of the finest map's size.
        """
        maps = tuple(
            unit(x) for unit, x in zip(self.inputs, maps, strict=True))
        x = maps[0]
        if self.fusion is not None:
            size = x.shape[-2:]
            x = sum(self._resize(conv(y), size)
                    for conv, y in zip(self.fusion, maps, strict=True))
        return self.output(self.pooling(x))

    def _resize(self, x: Tensor, size: Sequence[int]) -> Tensor:
        """Resize bilinearly where the size differs."""
        if x.shape[-2:] == size:
            return x
        return F.interpolate(x, size, mode='bilinear',
                             align_corners=self.align_corners)


def units(channels: int, count: int, layers: dict) -> nn.Sequential:
    """Return ``count`` residual units in a row."""
    return nn.Sequential(
        *(ResidualConvUnit(channels, layers) for _ in range(count)))
