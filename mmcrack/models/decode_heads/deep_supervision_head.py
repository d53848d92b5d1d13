"""A classifier on each of several scales of a U-Net."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from mmcrack.models.decode_heads.side_output_head import (
    Outputs,
    SideOutputHead,
)
from mmcrack.registry import MODELS


@MODELS.register_module()
class DeepSupervisionHead(SideOutputHead):
    """Classify several feature maps, predict with the first.

    Isensee et al., "nnU-Net", Nature Methods 2021: a 1 x 1 convolution on
    each scale of the decoder; when predicting, only the first is run. The
    further predictions are the group 'side' of ``loss_side``, in the order
    of ``in_index`` and each at its own size.

    Args:
        in_channels (Sequence[int]): Channels of the maps, that of the
            prediction that counts first.
        in_index (Sequence[int], optional): Which of the backbone's maps they
            are; None takes the first ones.
        **kwargs: Arguments of ``SideOutputHead``, such as ``loss_decode``
            and ``loss_side``.

    Raises:
        ValueError: If there is no map, or another number of indices.
    """

    def __init__(self, in_channels: Sequence[int], *,
                 in_index: Sequence[int] | None = None,
                 **kwargs: Any) -> None:
        if in_index is None:
            in_index = range(len(in_channels))
        if not in_channels or len(in_index) != len(in_channels):
            raise ValueError(
                'in_channels and in_index must name the same maps, got '
                f'{in_channels} and {list(in_index)}.')
        kwargs.setdefault('dropout_ratio', 0.)
        # MMSegmentation's std of 0.01 starts with no signal at all scales.
        kwargs.setdefault('init_cfg', None)
        super().__init__(list(in_channels), in_channels[0],
                         in_index=list(in_index), **kwargs)
        self.side_convs = nn.ModuleList(
            nn.Conv2d(channels, self.out_channels, 1)
            for channels in in_channels[1:])

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the logits that count, without running the others.

        Args:
            inputs (Sequence[Tensor]): All feature maps of the backbone.

        Returns:
            Tensor: (N, ``out_channels``, h, w).
        """
        return self.cls_seg(self._transform_inputs(inputs)[0])

    def outputs(self, inputs: Sequence[Tensor]) -> Outputs:
        """Classify all maps.

        Args:
            inputs (Sequence[Tensor]): All feature maps of the backbone.

        Returns:
            tuple[Tensor, Tensor, Mapping[str, Sequence[Tensor]]]: The first
            map, its logits, and those of the other maps under 'side'.
        """
        features, *rest = self._transform_inputs(inputs)
        sides = [conv(x) for conv, x in zip(self.side_convs, rest,
                                            strict=True)]
        return features, self.cls_seg(features), (
            {'side': sides} if sides else {})
