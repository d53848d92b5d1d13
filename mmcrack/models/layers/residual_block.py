"""Residual blocks of a U-Net in nnU-Net's manner."""

import torch
from mmcv.cnn import ConvModule
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut, as in ResNet-D.

    He et al. 2019 ("Bag of Tricks"), in the order of nnU-Net's residual
    encoder: convolution, normalisation, activation, convolution,
    normalisation, sum, activation. A stride sits in the first convolution;
    the shortcut then averages 2 x 2 pixels (what there is of them at the
    edge of an odd size), and a 1 x 1 convolution with a normalisation
    changes the width where it has to. The normalisation in front of the sum
    starts with weight 0.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        stride (int): 1 or 2.
        conv_cfg (dict, optional): Config of the convolutions.
        norm_cfg (dict, optional): Of the normalisations.
        act_cfg (dict): Of the activations.
    """

    def __init__(self, in_channels: int, out_channels: int, *, stride: int,
                 conv_cfg: dict | None = None, norm_cfg: dict | None,
                 act_cfg: dict) -> None:
        super().__init__()
        layers = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg)
        self.conv1 = ConvModule(
            in_channels, out_channels, 3, stride=stride, padding=1,
            act_cfg=act_cfg, **layers)
        # Its activation stands behind the sum.
        self.conv2 = ConvModule(
            out_channels, out_channels, 3, padding=1, act_cfg=act_cfg,
            **layers)
        shortcut: list[nn.Module] = []
        if stride > 1:
            shortcut.append(nn.AvgPool2d(
                stride, ceil_mode=True, count_include_pad=False))
        if in_channels != out_channels:
            shortcut.append(ConvModule(
                in_channels, out_channels, 1, act_cfg=None, **layers))
        self.shortcut = nn.Sequential(*shortcut)
        if self.conv2.with_norm:
            # As in nnU-Net: a block starts as its shortcut.
            nn.init.zeros_(self.conv2.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return the output.

        Args:
            x (Tensor): Float, (N, ``in_channels``, H, W).

        Returns:
            Tensor: Float, (N, ``out_channels``, ceil(H / ``stride``),
            ceil(W / ``stride``)).
        """
        out = self.conv2(self.conv1(x), activate=False)
        return self.conv2.activate(out + self.shortcut(x))


class UNetStage(nn.Module):
    """Enlarge twice, put the skip behind, convolve.

    Args:
        in_channels (int): Channels of the coarse map.
        out_channels (int): Channels of the skip and of the output.
        num_convs (int): Convolutions.
        conv_cfg (dict, optional): Config of the convolutions.
        norm_cfg (dict, optional): Of the normalisations.
        act_cfg (dict): Of the activations.
    """

    def __init__(self, in_channels: int, out_channels: int, *,
                 num_convs: int, conv_cfg: dict | None = None,
                 norm_cfg: dict | None, act_cfg: dict) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(
            in_channels, out_channels, kernel_size=2, stride=2)
        self.convs = nn.Sequential(*(
            ConvModule(
                out_channels if i else 2 * out_channels, out_channels, 3,
                padding=1, conv_cfg=conv_cfg, norm_cfg=norm_cfg,
                act_cfg=act_cfg) for i in range(num_convs)))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Return the merged map.

        Args:
            x (Tensor): Float, (N, ``in_channels``, ceil(H / 2),
                ceil(W / 2)).
            skip (Tensor): Float, (N, ``out_channels``, H, W).

        Returns:
            Tensor: Float, (N, ``out_channels``, H, W).
        """
        x = self.up(x)[..., :skip.shape[-2], :skip.shape[-1]]
        return self.convs(torch.cat([x, skip], dim=1))
