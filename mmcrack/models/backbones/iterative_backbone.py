"""Any backbone, run several times on the image and its last prediction."""

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcrack.functional.probability import crack_probability
from mmcrack.models.layers.padding import crop_to, pad_to_multiple
from mmcrack.registry import MODELS


@MODELS.register_module()
class IterativeBackbone(BaseModule):
    """Refine a prediction by running one network on it again and again.

    Mosinska et al., "Beyond the Pixel-Wise Loss for Topology-Aware
    Delineation", CVPR 2018, section 3.2: the network gets the image and, as
    one channel more, its own crack probability of the pass before, zeros at
    first; all passes share their weights, and gradients flow through all of
    them. With batch normalisation all passes move the running means, in
    their order.

    The recurrence goes through logits, so the classifier lives here and not
    in the head: use ``mmcrack.StepsHead``.

    Args:
        backbone (dict): Config of any backbone whose ``in_channels`` are one
            more than those of the image.
        feature_channels (int): Channels of what is classified.
        feature_index (int): Which of the backbone's outputs that is.
        out_channels (int): Channels of the logits: 1 (sigmoid) or the number
            of classes (softmax).
        steps (int): The paper's K.
        crack_class (int): Class index of crack.
        size_divisor (int): What the backbone wants height and width to be a
            multiple of: the last row and column are repeated up to there,
            and the outputs are cut back.
        align_corners (bool): How logits are brought to the image's size
            where they are smaller.
        init_cfg (dict | list, optional): As in MMEngine.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(self,
                 backbone: dict,
                 feature_channels: int,
                 *,
                 feature_index: int = -1,
                 out_channels: int = 2,
                 steps: int = 3,
                 crack_class: int = 1,
                 size_divisor: int = 16,
                 align_corners: bool = False,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        for name, value in (('out_channels', out_channels), ('steps', steps),
                            ('size_divisor', size_divisor)):
            if value < 1:
                raise ValueError(f'{name} must be at least 1, got {value}.')
        if out_channels > 1 and not 0 <= crack_class < out_channels:
            raise ValueError(
                f'crack_class must be one of the {out_channels} classes, '
                f'got {crack_class}.')
        self.backbone = MODELS.build(backbone)
        self.classifier = nn.Conv2d(feature_channels, out_channels, 1)
        self.feature_index = feature_index
        self.steps = steps
        self.crack_class = crack_class
        self.size_divisor = size_divisor
        self.align_corners = align_corners

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Run all passes.

        Args:
            x (Tensor): Float, (N, C, H, W).

        Returns:
            tuple[Tensor, ...]: What the last pass classifies, (N,
            ``feature_channels``, h, w), then the logits of pass 1 to K, each
            (N, ``out_channels``, H, W).
        """
        size = x.shape[-2:]
        x = pad_to_multiple(x, self.size_divisor)
        seen = torch.zeros_like(x[:, :1])
        logits = []
        for _ in range(self.steps):
            outputs = self.backbone(torch.cat([x, seen], dim=1))
            features = outputs[self.feature_index]
            current = self.classifier(features)
            if current.shape[-2:] != x.shape[-2:]:
                current = F.interpolate(
                    current, x.shape[-2:], mode='bilinear',
                    align_corners=self.align_corners)
            logits.append(crop_to(current, size))
            seen = crack_probability(
                current, crack_class=self.crack_class)[:, None].to(x)
        inside = [-(-part * have // padded) for part, have, padded in zip(
            size, features.shape[-2:], x.shape[-2:], strict=True)]
        return (crop_to(features, inside), *logits)
