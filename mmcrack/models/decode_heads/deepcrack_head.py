"""DeepCrack's fusion of encoder and decoder (Zou et al. 2018)."""

from collections.abc import Sequence
from typing import Any

import torch
from mmcv.cnn import build_conv_layer
from torch import Tensor, nn

from mmcrack.models.decode_heads.side_output_head import (
    Outputs,
    SideOutputHead,
)
from mmcrack.models.layers.segnet import ScaleFusion
from mmcrack.registry import MODELS


@MODELS.register_module()
class DeepCrackHead(SideOutputHead):
    """Predict from every scale, and from the predictions of all scales.

    Zou et al. 2018: on each scale the encoder's and the decoder's map
    are joined (:class:`ScaleFusion`); a 3 x 3 convolution over the maps of
    all scales gives the prediction that counts. The maps of the scales are
    the group 'side', deepest first, as in the released code.

    ``CIRLHead`` gets the finest scale's fused map before its logits: the
    five maps of logits would be too few channels to find neighbours by.

    Args:
        in_channels (Sequence[int]): Channels of the encoder's maps, finest
            first, then of the decoder's: what ``mmcrack.SegNet`` returns.
        channels (int): Width of each scale's fusion.
        upsample_first (bool): Enlarge before the fusion's convolutions (the
            released code); False enlarges logits, at a fraction of the cost.
        dropout_ratio (float): Dropout of whole maps before the last
            convolution; the released code has none.
        **kwargs: Arguments of :class:`SideOutputHead`.

    Raises:
        ValueError: If encoder and decoder have not as many maps.
    """

    def __init__(self,
                 in_channels: Sequence[int] = (64, 128, 256, 512, 512,
                                               64, 64, 128, 256, 512),
                 channels: int = 64,
                 *,
                 upsample_first: bool = True,
                 dropout_ratio: float = 0.,
                 **kwargs: Any) -> None:
        super().__init__(
            in_channels, channels, dropout_ratio=dropout_ratio, **kwargs)
        if len(in_channels) % 2:
            raise ValueError(
                'in_channels must be as many numbers for the encoder as for '
                f'the decoder, got {len(in_channels)}.')
        scales = len(in_channels) // 2
        self.fusions = nn.ModuleList(
            ScaleFusion(
                encoder + decoder, channels, self.out_channels,
                upsample_first=upsample_first,
                align_corners=self.align_corners,
                conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg,
                act_cfg=self.act_cfg)
            for encoder, decoder in zip(
                in_channels[:scales], in_channels[scales:], strict=True))
        self.conv_seg = build_conv_layer(
            self.conv_cfg, scales * self.out_channels, self.out_channels, 3,
            padding=1)

    def outputs(self, inputs: Sequence[Tensor]) -> Outputs:
        """Run the head.

        Args:
            inputs (Sequence[Tensor]): Encoder's, then decoder's maps.

        Returns:
            tuple: The finest scale's fused map (N, ``channels``, H, W),
            logits (N, ``out_channels``, H, W), and 'side': those of each
            scale, deepest first, of the same size.
        """
        maps = self._transform_inputs(inputs)
        scales = len(self.fusions)
        size, sides = maps[0].shape[-2:], []
        for level in reversed(range(scales)):
            features, side = self.fusions[level](
                maps[level], maps[scales + level], size)
            sides.append(side)
        logits = self.cls_seg(torch.cat(sides, dim=1))
        return features, logits, dict(side=sides)
