"""SegNet: VGG-16 with pooling indices and a mirrored decoder."""

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcrack.models.layers.segnet import (
    VGG_WIDTHS,
    check_size,
    conv_stack,
    max_pool_with_indices,
    max_unpool,
)
from mmcrack.registry import MODELS

_BN = dict(type='BN', requires_grad=True)
_RELU = dict(type='ReLU')


@MODELS.register_module()
class SegNet(BaseModule):
    """Encoder and decoder of DeepCrack (Zou et al. 2018).

    Five stages of 3 x 3 convolutions with the widths of VGG-16 and a 2 x 2
    maximum after each; the decoder unpools by the indices of the maxima,
    runs as many convolutions as the encoder's stage and reduces to the next
    stage's width in the last. Without the decoder it is the encoder of
    DeepCrack (Liu et al. 2019): VGG-16, taken before each pooling.

    Any image of at least 32 x 32 pixels (16 x 16 without the decoder) will
    do: an odd row or column is not pooled and gets zeros when unpooling.

    Args:
        in_channels (int): Channels of the image.
        base_channels (int): Width of the first stage.
        num_convs (Sequence[int]): Convolutions of each stage.
        with_decoder (bool): Build the decoder.
        conv_cfg (dict, optional): Convolution.
        norm_cfg (dict, optional): Normalisation. Zou's released code has
            none; the Caffe original and Liu's have batch normalisation.
        act_cfg (dict): Activation.
        init_cfg (dict | list, optional): Initialisation; None is He's.

    Raises:
        ValueError: If there are not five stages of one convolution or more.
    """

    def __init__(self,
                 in_channels: int = 3,
                 base_channels: int = 64,
                 num_convs: Sequence[int] = (2, 2, 3, 3, 3),
                 *,
                 with_decoder: bool = True,
                 conv_cfg: dict | None = None,
                 norm_cfg: dict | None = _BN,
                 act_cfg: dict = _RELU,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        if len(num_convs) != len(VGG_WIDTHS) or min(num_convs) < 1:
            raise ValueError(
                f'num_convs must be {len(VGG_WIDTHS)} numbers of at least '
                f'1, got {tuple(num_convs)}.')
        layers = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        widths = [base_channels * factor for factor in VGG_WIDTHS]
        before = [in_channels, *widths[:-1]]
        self.encoder = nn.ModuleList(
            conv_stack(low, [width] * count, **layers)
            for low, width, count in zip(
                before, widths, num_convs, strict=True))
        self.decoder = None
        if with_decoder:
            after = [widths[0], *widths[:-1]]
            self.decoder = nn.ModuleList(
                conv_stack(width, [width] * (count - 1) + [low], **layers)
                for low, width, count in zip(
                    after, widths, num_convs, strict=True))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the maps of all scales.

        Args:
            x (Tensor): Images (N, in_channels, H, W).

        Returns:
            tuple[Tensor, ...]: The encoder's maps before pooling, strides 1,
            2, 4, 8, 16, with 1, 2, 4, 8, 8 times ``base_channels``; then,
            with a decoder, its maps of the same strides, with 1, 1, 2, 4, 8
            times ``base_channels``.

        Raises:
            ValueError: If the image is too small.
        """
        pooled = len(self.encoder) - (self.decoder is None)
        check_size(x, stages=pooled, name='SegNet')
        encoded, indices = [], []
        for level, stage in enumerate(self.encoder):
            x = stage(x)
            encoded.append(x)
            if level < pooled:
                x, index = max_pool_with_indices(x)
                indices.append(index)
        if self.decoder is None:
            return tuple(encoded)
        decoded = []
        for level in reversed(range(len(encoded))):
            x = max_unpool(x, indices[level], encoded[level].shape[-2:])
            x = self.decoder[level](x)
            decoded.append(x)
        return tuple(encoded + decoded[::-1])
