"""A U-Net with a residual encoder, in nnU-Net's manner."""

from collections.abc import Sequence

from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcrack.models.layers.residual_block import ResidualBlock, UNetStage
from mmcrack.registry import MODELS

_NORM = dict(type='IN', affine=True)
_ACT = dict(type='LeakyReLU', negative_slope=0.01)


@MODELS.register_module()
class ResUNet(BaseModule):
    """Residual encoder, plain decoder, one feature map for each scale.

    Isensee et al., "nnU-Net", Nature Methods 2021, in the shape of nnU-Net
    v2's residual encoder (Isensee et al., "nnU-Net Revisited", MICCAI 2024):
    a convolution, then stages of residual blocks, each but the first begun
    with stride 2; on the way back a transposed convolution, the skip and
    convolutions. Convolutions in front of a normalisation have no bias,
    which it would take away again (nnU-Net keeps it).

    Images of any size with more than one pixel at the last stage: odd sizes
    are halved upwards, and the way back is cut to the skip.

    Args:
        in_channels (int): Channels of the image.
        channels (Sequence[int]): Width of each stage.
        num_blocks (Sequence[int]): Residual blocks of each stage.
        num_convs (int): Convolutions of each stage of the way back.
        conv_cfg (dict, optional): Config of the convolutions.
        norm_cfg (dict, optional): Of the normalisations.
        act_cfg (dict): Of the activations.
        init_cfg (dict | list, optional): As in MMEngine.

    Raises:
        ValueError: If the stages do not fit each other.
    """

    def __init__(self,
                 in_channels: int = 3,
                 channels: Sequence[int] = (32, 64, 128, 256, 512, 512),
                 num_blocks: Sequence[int] = (1, 3, 4, 6, 6, 6),
                 *,
                 num_convs: int = 1,
                 conv_cfg: dict | None = None,
                 norm_cfg: dict | None = _NORM,
                 act_cfg: dict = _ACT,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        if len(channels) < 2 or len(channels) != len(num_blocks) or min(
                *channels, *num_blocks, num_convs) < 1:
            raise ValueError(
                'channels and num_blocks must hold one positive number for '
                'each of at least two stages, and num_convs be positive, '
                f'got {channels}, {num_blocks} and {num_convs}.')
        layers = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        # nnU-Net's stem: no stride, no shortcut.
        self.stem = ConvModule(in_channels, channels[0], 3, padding=1,
                               **layers)
        self.stages = nn.ModuleList()
        before = channels[0]
        for stage, (width, blocks) in enumerate(
                zip(channels, num_blocks, strict=True)):
            self.stages.append(nn.Sequential(*(
                ResidualBlock(
                    width if i else before, width,
                    stride=2 if stage and not i else 1, **layers)
                for i in range(blocks))))
            before = width
        self.decoder = nn.ModuleList(
            UNetStage(below, skip, num_convs=num_convs, **layers)
            for below, skip in zip(
                channels[:0:-1], channels[-2::-1], strict=True))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the feature maps of the way back.

        Args:
            x (Tensor): Float, (N, ``in_channels``, H, W).

        Returns:
            tuple[Tensor, ...]: One map for each stage but the last, from the
            smallest to that of the image's size, as MMSegmentation's UNet
            has them: (N, ``channels[i]``, ceil(H / 2^i), ceil(W / 2^i)).

        Raises:
            ValueError: If the last stage would see a single pixel.
        """
        edge = 2**(len(self.stages) - 1)
        if max(x.shape[-2:]) <= edge:
            raise ValueError(
                f'ResUNet with {len(self.stages)} stages needs an image of '
                f'more than {edge} pixels along one side, got '
                f'{tuple(x.shape[-2:])}: one pixel is left at its last stage '
                'and cannot be normalised. Enlarge or pad the image, or give '
                'fewer channels and num_blocks.')
        x = self.stem(x)
        skips = []
        for stage in self.stages:
            x = stage(x)
            skips.append(x)
        maps = []
        for stage, skip in zip(self.decoder, skips[-2::-1], strict=True):
            x = stage(x, skip)
            maps.append(x)
        return tuple(maps)
