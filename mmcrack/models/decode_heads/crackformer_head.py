"""CrackFormer-II's fusion of scales under scaling attention."""

from collections.abc import Sequence
from typing import Any

import torch
from mmcv.cnn import build_conv_layer
from torch import Tensor, nn

from mmcrack.models.decode_heads.side_output_head import (
    Outputs,
    SideOutputHead,
)
from mmcrack.models.layers.crackformer import ScalingAttention
from mmcrack.models.layers.segnet import ScaleFusion
from mmcrack.registry import MODELS


@MODELS.register_module()
class CrackFormerHead(SideOutputHead):
    """Predict from every scale under a mask, and from all predictions.

    Liu et al. 2023 (CrackFormer-II). On each scale a mask
    (:class:`ScalingAttention`) is made from the sum of what the scale's
    blocks put out; encoder's and decoder's last maps are joined, reduced,
    multiplied by the mask, predicted from, and the logits enlarged; a 1 x 1
    convolution over the logits of all scales gives the prediction that
    counts. The scales' logits are the group 'side', deepest first, as in the
    released code.

    ``CIRLHead`` gets the finest scale's masked map: the five maps of logits
    would be too few channels to find neighbours by.

    Args:
        in_channels (Sequence[int]): Channels of the encoder's maps, finest
            first, of the decoder's, and of the sums: what
            ``mmcrack.CrackFormer`` returns.
        channels (int): Width of each scale's fusion and mask.
        dropout_ratio (float): Dropout of whole maps before the last
            convolution; the released code has none.
        **kwargs: Arguments of :class:`SideOutputHead`.

    Raises:
        ValueError: If the three parts have not as many maps.
    """

    def __init__(self,
                 in_channels: Sequence[int] = (64, 128, 256, 512, 512,
                                               64, 64, 128, 256, 512,
                                               64, 128, 256, 512, 512),
                 channels: int = 64,
                 *,
                 dropout_ratio: float = 0.,
                 **kwargs: Any) -> None:
        super().__init__(
            in_channels, channels, dropout_ratio=dropout_ratio, **kwargs)
        if len(in_channels) % 3:
            raise ValueError(
                'in_channels must be as many numbers for the encoder, the '
                f'decoder and the sums, got {len(in_channels)} in all.')
        scales = len(in_channels) // 3
        self.fusions = nn.ModuleList(
            ScaleFusion(
                encoder + decoder, channels, self.out_channels,
                upsample_first=False, align_corners=self.align_corners,
                conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg,
                act_cfg=self.act_cfg)
            for encoder, decoder in zip(
                in_channels[:scales], in_channels[scales:2 * scales],
                strict=True))
        self.attentions = nn.ModuleList(
            ScalingAttention(width, channels)
            for width in in_channels[2 * scales:])
        self.conv_seg = build_conv_layer(
            self.conv_cfg, scales * self.out_channels, self.out_channels, 1)

    def outputs(self, inputs: Sequence[Tensor]) -> Outputs:
        """Run the head.

        Args:
            inputs (Sequence[Tensor]): Encoder's and decoder's maps and sums.

        Returns:
            tuple: The finest scale's masked map (N, ``channels``, H, W),
            logits (N, ``out_channels``, H, W), and 'side': those of each
            scale, deepest first, of the same size.
        """
        maps = self._transform_inputs(inputs)
        scales = len(self.fusions)
        size, sides = maps[0].shape[-2:], []
        for level in reversed(range(scales)):
            mask = self.attentions[level](maps[2 * scales + level])
            features, side = self.fusions[level](
                maps[level], maps[scales + level], size, mask)
            sides.append(side)
        logits = self.cls_seg(torch.cat(sides, dim=1))
        return features, logits, dict(side=sides)
