"""JTFN's encoder."""

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcrack.models.layers.jtfn import EncoderStage
from mmcrack.registry import MODELS

_BN = dict(type='BN')
_RELU = dict(type='ReLU', inplace=True)


@MODELS.register_module()
class JTFNEncoder(BaseModule):
    """Encoder of JTFN: two 3 x 3 convolutions at strides 1, 2, 4, 8, 16.

    Cheng et al. 2021, "Joint Topology-Preserving and Feature-Refinement
    Network for Curvilinear Structure Segmentation". The paper names VGG-16's
    first five blocks; the released code, which this follows, has VGG-16's
    widths with two convolutions at each stage and no pretrained weights.
    Convolutions in front of a norm have no bias here: the norm takes it up.

    Args:
        in_channels (int): Channels of the image.
        channels (Sequence[int]): Widths of the stages. Released: ``base64``
            is the default, ``base32`` is (32, 64, 128, 256, 512).
        residual (bool): Residual stages (released: ``resbase64``,
            ``resbase32``; not in the paper).
        conv_cfg (dict, optional): Convolution.
        norm_cfg (dict, optional): Norm.
        act_cfg (dict): Activation.
        init_cfg (dict | list, optional): As in MMEngine.

    Raises:
        ValueError: If ``channels`` names fewer than two stages.
    """

    def __init__(self,
                 in_channels: int = 3,
                 channels: Sequence[int] = (64, 128, 256, 512, 512),
                 *,
                 residual: bool = False,
                 conv_cfg: dict | None = None,
                 norm_cfg: dict | None = _BN,
                 act_cfg: dict = _RELU,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        if len(channels) < 2:
            raise ValueError('channels must name at least two stages, got '
                             f'{tuple(channels)}.')
        widths = [in_channels, *channels]
        self.stages = nn.ModuleList(
            EncoderStage(
                widths[i],
                widths[i + 1],
                pool=i > 0,
                residual=residual,
                conv_cfg=conv_cfg,
                norm_cfg=norm_cfg,
                act_cfg=act_cfg) for i in range(len(channels)))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Encode.

        Args:
            x (Tensor): Float, (N, ``in_channels``, H, W).

        Returns:
            tuple[Tensor, ...]: Stage i has (N, ``channels[i]``,
            H // 2^i, W // 2^i).

        Raises:
            ValueError: If an image is too small for the last stage.
        """
        smallest = 2**(len(self.stages) - 1)
        if min(x.shape[-2:]) < smallest:
            raise ValueError(
                f'JTFNEncoder halves {len(self.stages) - 1} times and wants '
                f'images of at least {smallest} x {smallest} pixels, got '
                f'{x.shape[-2]} x {x.shape[-1]}: pad them (size_divisor='
                f'{smallest} in the data preprocessor) or name fewer stages '
                'in channels.')
        outs = []
        for stage in self.stages:
            x = stage(x)
            outs.append(x)
        return tuple(outs)
