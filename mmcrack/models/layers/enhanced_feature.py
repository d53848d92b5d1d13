"""The enhanced crack feature map: where CBPRN's two branches meet."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from torch import Tensor, nn


class EnhancedFeature(nn.Module):
    """Fuse the edge feature with all stages of a backbone.

    CBPRN, "Methodology": the prediction head aggregates the features of the
    backbone and of the edge-guided branch. How is not in the paper. Here a
    top-down path (Lin et al. 2017: 1 x 1 laterals, bilinear upsampling,
    sums) carries the deep stages to the first; a 3 x 3 convolution fuses it
    with a reduced first stage and the edge feature.

    Args:
        in_channels (Sequence[int]): Channels of the inputs, finest first;
            with ``with_edge`` the first is the edge feature.
        channels (int): Channels of the enhanced map.
        context_channels (int): Width of the top-down path.
        detail_channels (int): Width to which the first stage is reduced.
        with_edge (bool): Whether the first input is an edge feature.
        conv_cfg (dict, optional): As in MMSegmentation.
        norm_cfg (dict, optional): As in MMSegmentation.
        act_cfg (dict, optional): As in MMSegmentation.

    Raises:
        ValueError: If ``in_channels`` holds no backbone stage.
    """

    def __init__(self, in_channels: Sequence[int], channels: int, *,
                 context_channels: int, detail_channels: int,
                 with_edge: bool, conv_cfg: dict | None,
                 norm_cfg: dict | None, act_cfg: dict | None) -> None:
        super().__init__()
        self.with_edge = with_edge
        stages = list(in_channels[1:] if with_edge else in_channels)
        if not stages:
            raise ValueError(
                'in_channels must name at least one backbone stage'
                + (' behind the edge feature' if with_edge else '')
                + f', got {list(in_channels)}.')
        self.laterals = nn.ModuleList(
            nn.Conv2d(width, context_channels, 1) for width in stages)
        cfg = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.detail = ConvModule(stages[0], detail_channels, 1, **cfg)
        width = context_channels + detail_channels
        width += in_channels[0] if with_edge else 0
        self.fuse = ConvModule(width, channels, 3, padding=1, **cfg)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Fuse.

        Args:
            inputs (Sequence[Tensor]): (N, C_i, H_i, W_i), finest first.

        Returns:
            Tensor: (N, ``channels``, H_0, W_0), at the size of the first.
        """
        stages = inputs[1:] if self.with_edge else inputs
        context = None
        for lateral, stage in zip(
                reversed(self.laterals), reversed(stages), strict=True):
            here = lateral(stage)
            if context is not None:
                here = here + _resize(context, here)
            context = here
        parts = [self.detail(stages[0]), context]
        if self.with_edge:
            parts = [inputs[0], *(_resize(p, inputs[0]) for p in parts)]
        return self.fuse(torch.cat(parts, dim=1))


def _resize(x: Tensor, like: Tensor) -> Tensor:
    """Bilinearly resize ``x`` to the height and width of ``like``."""
    if x.shape[-2:] == like.shape[-2:]:
        return x
    return F.interpolate(
        x, like.shape[-2:], mode='bilinear', align_corners=False)
