"""Blocks of encoders that remember where each maximum came from (SegNet).

Badrinarayanan et al. 2017: the decoder puts each value back to the pixel
that its maximum was taken from. DeepCrack (Zou et al. 2018) and CrackFormer
(Liu et al. 2021, 2023) build on it.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule, build_conv_layer
from torch import Tensor, nn

#: Width of each stage, in units of the first: VGG-16.
VGG_WIDTHS = (1, 2, 4, 8, 8)


def max_pool_with_indices(x: Tensor) -> tuple[Tensor, Tensor]:
    """Halve a map; an odd last row or column is left out.

    Args:
        x (Tensor): Float, (N, C, H, W).

    Returns:
        tuple[Tensor, Tensor]: The maxima, (N, C, H // 2, W // 2), and where
        in its plane each came from, int64 in [0, H * W).
    """
    return F.max_pool2d(x, 2, 2, return_indices=True)


def max_unpool(x: Tensor, indices: Tensor, size: Sequence[int]) -> Tensor:
    """Put each value back to where its maximum was; zeros elsewhere.

    Args:
        x (Tensor): Float, (N, C, h, w).
        indices (Tensor): Int64, of the same shape, as
            :func:`max_pool_with_indices` gives them.
        size (Sequence[int]): H and W of the map that was pooled.

    Returns:
        Tensor: (N, C, H, W).
    """
    return F.max_unpool2d(x, indices, 2, 2, output_size=list(size))


def check_size(x: Tensor, *, stages: int, name: str) -> None:
    """Raise if an image is too small to be halved ``stages`` times."""
    least = 2**stages
    if min(x.shape[-2:]) < least:
        raise ValueError(
            f'{name} halves the image {stages} times and wants at least '
            f'{least} x {least} pixels, got {x.shape[-2]} x {x.shape[-1]}: '
            'enlarge or pad the image.')


def conv_stack(in_channels: int,
               widths: Sequence[int],
               *,
               conv_cfg: dict | None = None,
               norm_cfg: dict | None = None,
               act_cfg: dict | None = None) -> nn.Sequential:
    """Return 3 x 3 convolutions of the given widths in a row.

    Args:
        in_channels (int): Channels of the input.
        widths (Sequence[int]): Output channels of each convolution.
        conv_cfg (dict, optional): Convolution.
        norm_cfg (dict, optional): Normalisation; without, there is a bias.
        act_cfg (dict, optional): Activation; None is none.

    Returns:
        nn.Sequential: (N, in_channels, H, W) to (N, widths[-1], H, W).
    """
    layers, channels = [], in_channels
    for width in widths:
        layers.append(ConvModule(
            channels, width, 3, padding=1, conv_cfg=conv_cfg,
            norm_cfg=norm_cfg, act_cfg=act_cfg))
        channels = width
    return nn.Sequential(*layers)


class ScaleFusion(nn.Module):
    """Join encoder and decoder of one scale and predict from them.

    Zou et al. 2018, "skip-layer fusion": both maps side by side, a 3 x 3
    convolution with ReLU, a 3 x 3 convolution to the logits.

    Args:
        in_channels (int): Channels of both maps together.
        channels (int): Width between the two convolutions.
        out_channels (int): Channels of the prediction.
        upsample_first (bool): Enlarge the maps to the image before the two
            convolutions (the released code); False enlarges the logits
            alone, which is many times cheaper on coarse scales.
        align_corners (bool): How to enlarge.
        conv_cfg (dict, optional): Convolution.
        norm_cfg (dict, optional): Normalisation.
        act_cfg (dict, optional): Activation.
    """

    def __init__(self,
                 in_channels: int,
                 channels: int,
                 out_channels: int,
                 *,
                 upsample_first: bool,
                 align_corners: bool,
                 conv_cfg: dict | None = None,
                 norm_cfg: dict | None = None,
                 act_cfg: dict | None = None) -> None:
        super().__init__()
        self.upsample_first = upsample_first
        self.align_corners = align_corners
        self.reduce = ConvModule(
            in_channels, channels, 3, padding=1, conv_cfg=conv_cfg,
            norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.predict = build_conv_layer(
            conv_cfg, channels, out_channels, 3, padding=1)

    def forward(self, encoder: Tensor, decoder: Tensor,
                size: Sequence[int],
                mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return what is predicted from, and the prediction.

        Args:
            encoder (Tensor): (N, C, h, w).
            decoder (Tensor): (N, D, h, w).
            size (Sequence[int]): H and W of the prediction.
            mask (Tensor, optional): (N, channels, h, w), multiplied to what
                is predicted from; with ``upsample_first`` on full size only.

        Returns:
            tuple[Tensor, Tensor]: (N, channels, h or H, w or W) and logits
            (N, out_channels, H, W).
        """
        x = torch.cat([encoder, decoder], dim=1)
        if self.upsample_first:
            x = self._resize(x, size)
        x = self.reduce(x)
        if mask is not None:
            x = x * mask
        return x, self._resize(self.predict(x), size)

    def _resize(self, x: Tensor, size: Sequence[int]) -> Tensor:
        """Resize bilinearly where the size differs."""
        if tuple(x.shape[-2:]) == tuple(size):
            return x
        return F.interpolate(x, tuple(size), mode='bilinear',
                             align_corners=self.align_corners)
