"""JTFN's gates and decoder, run several times."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmcv.cnn import build_conv_layer
from torch import Tensor, nn

from mmcrack.functional.probability import crack_probability
from mmcrack.functional.regions import binary_label, outer_boundary_label
from mmcrack.models.decode_heads.side_output_head import (
    Outputs,
    SideOutputHead,
)
from mmcrack.models.layers.jtfn import FeatureInteraction, GatedAttentionUnit
from mmcrack.registry import MODELS

INITIAL = dict(ones=1., zeros=0.)
Streams = list[tuple[Tensor, Tensor]]

_BN = dict(type='BN')
_RELU = dict(type='ReLU', inplace=True)
_SUM = dict(
    type='mmcrack.DeepSupervisionLoss',
    loss=dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True),
    align_corners=True,
    loss_name='loss_ce')
_SIDE = dict(side=_SUM, boundary=_SUM)
_INIT = dict(
    type='Xavier',
    override=[
        dict(name=name)
        for name in ('conv_seg', 'side_convs', 'boundary_convs')
    ])


def _check(in_channels: Sequence[int], channels: int, num_steps: int,
           initial: str, bottom_conv_index: int | None) -> None:
    """Raise ValueError where arguments of the head do not fit together."""
    if isinstance(in_channels, int) or len(in_channels) < 2 \
            or in_channels[0] != channels:
        raise ValueError(
            'in_channels must name the channels of at least two encoder '
            'stages, the finest first, and channels must be those of the '
            f'finest; got in_channels={in_channels}, '
            f'channels={channels}.')
    if num_steps < 1:
        raise ValueError(
            f'num_steps must be at least 1, got {num_steps}.')
    if initial not in INITIAL:
        raise ValueError(f'initial must be one of {tuple(INITIAL)}, got '
                         f'{initial!r}.')
    stages = len(in_channels) - 1
    if bottom_conv_index not in (None, *range(stages)):
        raise ValueError(
            f'bottom_conv_index must be None or one of the {stages} '
            f'decoder stages, 0 to {stages - 1}, got '
            f'{bottom_conv_index}.')


@MODELS.register_module()
class JTFNHead(SideOutputHead):
    """Decoder of JTFN: mask and boundary, fed back T times.

    Cheng et al. 2021. In each step every encoder feature passes a gate
    (GAU) that sees the crack probability y of the step before; a decoder of
    two streams (FIM) gives one mask and one boundary at strides 8, 4, 2 and
    1. The encoder runs once, all weights are shared by the steps. The mask
    of stride 1 after the last step is the prediction. All other masks are
    the group 'side' (step by step, finest first), all boundaries the group
    'boundary'; the truth of a boundary is the outer rim of the crack.

    Paper and released code differ; **the defaults are the released code's**,
    whose trained scores are published, and each value of the paper is an
    option:

    ===================  ==============  =====================
    argument             released        paper
    ===================  ==============  =====================
    initial              'zeros'         'ones'
    attention            'released'      'cbam'
    mask_form            'separate'      'joint'
    refine               'dilated'       'double'
    bottom_conv_index    2 (an            3 (what the code
                         off-by-one)     seems to intend)
    num_steps            3 (DRIVE), 2    3
    truth of boundaries  outer rim       Canny and a gradient
    ===================  ==============  =====================

    Left out: the paper's Canny truth (it gives neither thresholds nor the
    fusion), and switches that every released config sets alike
    (``reduce_dim``, ``up``, ``use_gau``, ``use_fim``). Logits are enlarged
    before their loss, where the code enlarges probabilities. Convolutions
    in front of a norm have no bias: the norm takes it up.

    All steps share their norms. Batch statistics differ from step to step
    while training, but a trained network has one set of running means for
    all of them: of four crops learnt by heart (8 channels, T = 3) crack IoU
    is 0.92 with the batch's and 0.79 with the running ones; with T = 1 both
    are 0.96. Norms without running means (``GN``) cannot have this gap.

    Any size of at least ``2^(stages - 1)`` (16) works: what pooling cut off
    an odd side is padded with zeros in the decoder.

    Args:
        in_channels (Sequence[int]): Channels of the encoder, finest first.
        channels (int): Channels of the finest stage, ``in_channels[0]``.
        num_steps (int): T >= 1.
        initial (str): y before the first step: 'ones' or 'zeros'.
        attention (str): 'released' or 'cbam', see
            :class:`GatedAttentionUnit`.
        mask_form (str): 'separate' or 'joint'.
        refine (str): 'dilated' or 'double'.
        bottom_conv_index (int, optional): Decoder stage (0 is the finest)
            with a 1 x 1 convolution in front of its boundary stream; None:
            none. Same number of weights for 2 and 3 only in base64.
        detach_feedback (bool): Send no gradient from a step to the one
            before through y. Neither paper nor code do.
        loss_side (dict[str, dict]): Losses of 'side' and 'boundary'. The
            paper sums cross entropies over all outputs and steps with equal
            weights (its weight of boundaries is 1); the released code takes
            means over the scales, a factor of 1 / 4 for all. The default is
            the sum, with ``loss_decode`` as one more of its terms.
        crack_class (int): Class index of crack.
        dropout_ratio (float): Dropout before the finest mask; JTFN has none.
        conv_cfg (dict, optional): Convolution.
        norm_cfg (dict, optional): Norm.
        act_cfg (dict): Activation.
        align_corners (bool): How y is resized.
        init_cfg (dict | list, optional): Xavier's for all classifiers. None
            is PyTorch's own, as released. With Adam at 1e-3 that is too
            small for narrow networks: background drives all weights to one
            sign, cracks become the pixels without any feature, and without
            a bias their probability is 0.5 at most. (The released code
            counts 0.5 as crack; an argmax or ``> 0.5`` does not.)
        **kwargs: Arguments of :class:`SideOutputHead`.

    Raises:
        ValueError: If ``channels`` is not that of the finest stage, or
            another argument is out of its range.
    """

    def __init__(self,
                 in_channels: Sequence[int],
                 channels: int,
                 *,
                 num_steps: int = 3,
                 initial: str = 'zeros',
                 attention: str = 'released',
                 mask_form: str = 'separate',
                 refine: str = 'dilated',
                 bottom_conv_index: int | None = 2,
                 detach_feedback: bool = False,
                 loss_side: Mapping[str, dict] = _SIDE,
                 crack_class: int = 1,
                 dropout_ratio: float = 0.,
                 conv_cfg: dict | None = None,
                 norm_cfg: dict | None = _BN,
                 act_cfg: dict = _RELU,
                 align_corners: bool = True,
                 init_cfg: dict | list | None = _INIT,
                 **kwargs: Any) -> None:
        _check(in_channels, channels, num_steps, initial, bottom_conv_index)
        stages = len(in_channels) - 1
        super().__init__(
            in_channels,
            channels,
            loss_side=loss_side,
            dropout_ratio=dropout_ratio,
            conv_cfg=conv_cfg,
            norm_cfg=norm_cfg,
            act_cfg=act_cfg,
            align_corners=align_corners,
            init_cfg=init_cfg,
            **kwargs)
        self.num_steps = num_steps
        self.initial = INITIAL[initial]
        self.detach_feedback = detach_feedback
        self.crack_class = crack_class
        layer = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.gates = nn.ModuleList(
            GatedAttentionUnit(
                width,
                attention=attention,
                mask_form=mask_form,
                refine=refine,
                align_corners=align_corners,
                **layer) for width in in_channels)
        self.decoder = nn.ModuleList(
            FeatureInteraction(
                in_channels[i + 1],
                in_channels[i],
                bottom_conv=i == bottom_conv_index,
                **layer) for i in range(stages))
        self.conv_seg = self._classifier(channels, self.out_channels)
        self.side_convs = nn.ModuleList(
            self._classifier(width, self.out_channels)
            for width in in_channels[1:-1])
        # A boundary or none, whatever classes the masks have.
        self.boundary_convs = nn.ModuleList(
            self._classifier(width, min(self.out_channels, 2))
            for width in in_channels[:-1])

    def _classifier(self, channels: int, classes: int) -> nn.Module:
        """Return a 3 x 3 convolution without bias, as released."""
        return build_conv_layer(
            self.conv_cfg, channels, classes, 3, padding=1, bias=False)

    def outputs(self, inputs: Sequence[Tensor]) -> Outputs:
        """Run all steps and classify all of their maps.

        Args:
            inputs (Sequence[Tensor]): All feature maps of the encoder.

        Returns:
            tuple[Tensor, Tensor, Mapping[str, Sequence[Tensor]]]: The finest
            feature map s of the last step, (N, C, H, W); its logits; and
            the groups 'side' (``4 T - 1`` maps for five encoder stages) and
            'boundary' (``4 T``).
        """
        side: list[Tensor] = []
        boundary: list[Tensor] = []
        for step, (streams, logits) in enumerate(self._steps(inputs)):
            if step < self.num_steps - 1:
                side.append(logits)
            side.extend(conv(s) for conv, (s, _) in zip(
                self.side_convs, streams[1:], strict=True))
            boundary.extend(conv(b) for conv, (_, b) in zip(
                self.boundary_convs, streams, strict=True))
        return streams[0][0], logits, dict(side=side, boundary=boundary)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the logits that count; no other map is classified.

        Args:
            inputs (Sequence[Tensor]): All feature maps of the encoder.

        Returns:
            Tensor: (N, ``out_channels``, H, W).
        """
        for _, last in self._steps(inputs):
            logits = last
        return logits

    def side_label(self, group: str, seg_label: Tensor) -> Tensor:
        """Return the truth of 'side' or 'boundary'.

        Args:
            group (str): Its name.
            seg_label (Tensor): Int64, (N, H, W) with ``ignore_index``.

        Returns:
            Tensor: Int64, (N, H, W) with ``ignore_index``; of 'boundary' 1
            on the rim of background around cracks.
        """
        if group != 'boundary':
            return seg_label
        label = binary_label(seg_label, crack_class=self.crack_class,
                             ignore_index=self.ignore_index)
        return outer_boundary_label(label, ignore_index=self.ignore_index)

    def _steps(self, inputs: Sequence[Tensor]
               ) -> Iterator[tuple[Streams, Tensor]]:
        """Yield of each step both streams, finest first, and the mask."""
        skips = self._transform_inputs(inputs)
        feedback = skips[0].new_full(
            (len(skips[0]), 1, *skips[0].shape[-2:]), self.initial)
        for _ in range(self.num_steps):
            streams = self._decode(
                [gate(x, feedback) for gate, x in zip(
                    self.gates, skips, strict=True)])
            logits = self.cls_seg(streams[0][0])
            yield streams, logits
            feedback = crack_probability(
                logits, crack_class=self.crack_class)[:, None]
            if self.detach_feedback:
                feedback = feedback.detach()

    def _decode(self, skips: Sequence[Tensor]) -> Streams:
        """Return both streams of each decoder stage, finest first."""
        mask = boundary = skips[-1]
        streams: Streams = []
        for stage, skip in zip(
                reversed(self.decoder), reversed(skips[:-1]), strict=True):
            mask, boundary = stage(mask, boundary, skip)
            streams.insert(0, (mask, boundary))
        return streams
