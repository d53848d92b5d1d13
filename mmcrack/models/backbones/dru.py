"""The Recurrent U-Net with a dual-gated unit: DRU."""

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcrack.models.layers.dual_gated_unit import DoubleConv, DualGatedUnit
from mmcrack.models.layers.padding import crop_to, pad_to_multiple
from mmcrack.registry import MODELS

WIDTHS = (32, 64, 128, 256, 512)
FEEDBACK = ('logits', 'probability')
_NORM = dict(type='GN', num_groups=8)
_ACT = dict(type='ReLU')


class UpBlock(nn.Module):
    """Enlarge twice, put the skip in front, convolve twice.

    Args:
        in_channels (int): Channels of the coarse map.
        out_channels (int): Channels of the skip and of the output.
        upsample (str): 'deconv' or 'bilinear'.
        **layers: Configs of :class:`DoubleConv`.
    """

    def __init__(self, in_channels: int, out_channels: int, *,
                 upsample: str, **layers: dict | None) -> None:
        super().__init__()
        self.conv = DoubleConv(
            (in_channels if upsample == 'deconv' else
             in_channels + out_channels), out_channels, **layers)
        if upsample == 'deconv':
            self.up = nn.ConvTranspose2d(
                in_channels, out_channels, kernel_size=2, stride=2)
        else:
            self.up = nn.UpsamplingBilinear2d(scale_factor=2)

    def forward(self, skip: Tensor, x: Tensor) -> Tensor:
        """Return the merged map.

        Args:
            skip (Tensor): (N, ``out_channels``, 2 H, 2 W).
            x (Tensor): (N, ``in_channels``, H, W).

        Returns:
            Tensor: (N, ``out_channels``, 2 H, 2 W).
        """
        return self.conv(torch.cat([skip, self.up(x)], dim=1))


@MODELS.register_module()
class DRU(BaseModule):
    """A U-Net that sees its own last logits, with a state at its bottom.

    Wang, Yu, Hugonot, Fua and Salzmann, "Recurrent U-Net for
    Resource-Constrained Segmentation", ICCV 2019; widths, order and the
    decoder without a normalisation as in their released ``dru``. The network
    runs ``steps`` times. The input of each run is the image with what the
    run before put out; a dual-gated unit in place of the deepest pair of
    convolutions carries a state from run to run. Both start with ones.

    The recurrence goes through logits, so the classifier lives here and not
    in the head: use ``mmcrack.StepsHead``.

    Images of any size: the last row and column are repeated up to a multiple
    of 16, and the outputs are cut back.

    Args:
        in_channels (int): Channels of the image.
        out_channels (int): Channels of the logits: 1 (sigmoid) or the number
            of classes (softmax).
        feature_scale (int): Divides the widths 32, 64, 128, 256, 512.
        steps (int): The paper's T.
        feedback (str): What the next run sees of the last: 'logits' (the
            released ``dru``) or 'probability' (``druv2``; what the first run
            sees is then squashed too).
        initial (float): First value of the state and of what the first run
            sees as output.
        upsample (str): 'deconv' or 'bilinear', in the decoder.
        conv_cfg (dict, optional): Config of the convolutions.
        norm_cfg (dict, optional): Normalisation of encoder and unit, with at
            most as many groups as channels.
        decoder_norm_cfg (dict, optional): Of the decoder; None, as released,
            is none.
        act_cfg (dict): Config of the activations.
        init_cfg (dict | list, optional): As in MMEngine.

    Raises:
        ValueError: If an argument is unknown or out of its range.
    """

    def __init__(self,
                 in_channels: int = 3,
                 out_channels: int = 2,
                 *,
                 feature_scale: int = 1,
                 steps: int = 3,
                 feedback: str = 'logits',
                 initial: float = 1.,
                 upsample: str = 'deconv',
                 conv_cfg: dict | None = None,
                 norm_cfg: dict | None = _NORM,
                 decoder_norm_cfg: dict | None = None,
                 act_cfg: dict = _ACT,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        for name, value in (('out_channels', out_channels),
                            ('feature_scale', feature_scale),
                            ('steps', steps)):
            if value < 1:
                raise ValueError(f'{name} must be at least 1, got {value}.')
        for name, value, known in (
            ('feedback', feedback, FEEDBACK),
            ('upsample', upsample, ('deconv', 'bilinear'))):
            if value not in known:
                raise ValueError(
                    f'{name} must be one of {known}, got {value!r}.')
        widths = [width // feature_scale for width in WIDTHS]
        self.steps = steps
        self.feedback = feedback
        self.initial = initial
        layers = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        sizes = [in_channels + out_channels, *widths[:-1]]
        self.encoder = nn.ModuleList(
            DoubleConv(a, b, **layers)
            for a, b in zip(sizes[:-1], sizes[1:], strict=True))
        self.pool = nn.MaxPool2d(2)
        self.unit = DualGatedUnit(widths[-2], widths[-1], **layers)
        layers.update(norm_cfg=decoder_norm_cfg, upsample=upsample)
        self.decoder = nn.ModuleList(
            UpBlock(a, b, **layers)
            for a, b in zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.classifier = nn.Conv2d(widths[0], out_channels, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Run all steps.

        Args:
            x (Tensor): Float, (N, ``in_channels``, H, W).

        Returns:
            tuple[Tensor, ...]: What the last step classifies, (N, 32 /
            ``feature_scale``, H, W), then the logits of step 1 to T, each
            (N, ``out_channels``, H, W).
        """
        size = x.shape[-2:]
        x = pad_to_multiple(x, 16)
        n, _, height, width = x.shape
        seen = x.new_full(
            (n, self.classifier.out_channels, height, width), self.initial)
        state = x.new_full(
            (n, self.unit.candidate[1].out_channels, height // 16,
             width // 16), self.initial)
        logits = []
        for _ in range(self.steps):
            features, state = self._step(x, seen, state)
            seen = self.classifier(features)
            logits.append(crop_to(seen, size))
        return (crop_to(features, size), *logits)

    def _step(self, x: Tensor, seen: Tensor,
              state: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (N, D, H, W) and the next state."""
        if self.feedback == 'probability':
            seen = seen.sigmoid() if seen.shape[1] == 1 else seen.softmax(1)
        x = torch.cat([x, seen], dim=1)
        skips = []
        for block in self.encoder:
            skips.append(block(x))
            x = self.pool(skips[-1])
        state = self.unit(x, state)
        x = state
        for block, skip in zip(self.decoder, skips[::-1], strict=True):
            x = block(skip, x)
        return x, state
