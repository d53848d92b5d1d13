"""Holistically nested predictions: DeepCrack's head (Liu et al. 2019)."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmcv.cnn import build_conv_layer
from torch import Tensor, nn

from mmcrack.functional.guided_filter import guided_filter
from mmcrack.functional.probability import crack_probability
from mmcrack.models.decode_heads.side_output_head import (
    Outputs,
    SideOutputHead,
)
from mmcrack.registry import MODELS

_WANTED = {'radius', 'eps', 'threshold'}


@MODELS.register_module()
class HEDHead(SideOutputHead):
    """Predict from each stage by 1 x 1 convolutions, and weigh those.

    Xie and Tu 2015 (HED) as in Liu et al. 2019 (DeepCrack): a 1 x 1
    convolution without bias on each stage, enlarged to the finest, and
    another over all of them for the prediction that counts. The stages'
    predictions are the group 'side', finest first.

    ``CIRLHead`` gets the stages' predictions side by side: all that the
    prediction is made from, ``len(in_channels) * out_channels`` channels.

    Args:
        in_channels (Sequence[int]): Channels of the stages, finest first.
        guided (dict, optional): Refine predictions when testing, as the
            released ``guided_filter.py`` does: the prediction, made binary
            at ``threshold`` (0.31 there), is smoothed by the guided filter
            with ``radius`` (5 pixels) and ``eps`` (1e-6, which is 0.065 in
            squared grey levels); its guide is the finest stage's
            probability. Logits of the smoothed map are returned; 0.5
            separates it.
        crack_class (int): Class index of crack.
        num_classes (int): Classes, background included.
        out_channels (int, optional): Channels of a prediction; None is
            ``num_classes``.
        dropout_ratio (float): Dropout of whole maps before the last
            convolution; the released code has none.
        **kwargs: Arguments of :class:`SideOutputHead`.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(self,
                 in_channels: Sequence[int] = (64, 128, 256, 512, 512),
                 *,
                 guided: Mapping[str, float] | None = None,
                 crack_class: int = 1,
                 num_classes: int = 2,
                 out_channels: int | None = None,
                 dropout_ratio: float = 0.,
                 **kwargs: Any) -> None:
        if out_channels is None:
            out_channels = num_classes
        fused = len(in_channels) * out_channels
        super().__init__(
            in_channels, fused, num_classes=num_classes,
            out_channels=out_channels, dropout_ratio=dropout_ratio, **kwargs)
        if guided is not None and set(guided) != _WANTED:
            raise ValueError(f'guided must have the keys {sorted(_WANTED)}, '
                             f'got {sorted(guided)}.')
        if guided is not None and num_classes != 2:
            raise ValueError('guided works with two classes, background and '
                             f'crack, got num_classes={num_classes}.')
        self.guided = guided
        self.crack_class = crack_class
        self.side_convs = nn.ModuleList(
            build_conv_layer(self.conv_cfg, c, self.out_channels, 1,
                             bias=False) for c in in_channels)
        self.conv_seg = build_conv_layer(
            self.conv_cfg, fused, self.out_channels, 1, bias=False)

    def outputs(self, inputs: Sequence[Tensor]) -> Outputs:
        """Run the head.

        Args:
            inputs (Sequence[Tensor]): The stages' maps, finest first.

        Returns:
            tuple: The stages' logits side by side (N, C, H, W), logits
            (N, ``out_channels``, H, W), and 'side': those of each stage.
        """
        maps = self._transform_inputs(inputs)
        size, sides = maps[0].shape[-2:], []
        for conv, x in zip(self.side_convs, maps, strict=True):
            side = conv(x)
            if side.shape[-2:] != size:
                side = F.interpolate(side, size, mode='bilinear',
                                     align_corners=self.align_corners)
            sides.append(side)
        stacked = torch.cat(sides, dim=1)
        return stacked, self.cls_seg(stacked), dict(side=sides)

    def predict(self, inputs: Sequence[Tensor], batch_img_metas: list[dict],
                test_cfg: dict) -> Tensor:
        """Predict, refined by the guided filter if ``guided`` is set.

        Args:
            inputs (Sequence[Tensor]): The stages' maps, finest first.
            batch_img_metas (list[dict]): As in MMSegmentation.
            test_cfg (dict): Not looked at.

        Returns:
            Tensor: Logits (N, ``out_channels``, H, W) of the image's size.
        """
        _, logits, sides = self.outputs(inputs)
        if self.guided is not None:
            logits = self._refine(logits, sides['side'][0])
        return self.predict_by_feat(logits, batch_img_metas)

    def _refine(self, logits: Tensor, finest: Tensor) -> Tensor:
        """Return logits of the filtered prediction, of the same shape."""
        prob, guide = (
            crack_probability(x.float(), crack_class=self.crack_class)
            for x in (logits, finest))
        binary = (prob > self.guided['threshold']).to(prob)
        smooth = guided_filter(
            guide[:, None], binary[:, None],
            radius=self.guided['radius'], eps=self.guided['eps'])
        crack = smooth.clamp(1e-6, 1 - 1e-6).logit()
        if self.out_channels == 1:
            return crack.to(logits)
        out = torch.zeros_like(logits)
        out[:, self.crack_class] = crack[:, 0].to(logits)
        return out
