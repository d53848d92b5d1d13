"""Blocks of JTFN: encoder stage, feedback gate, two-stream decoder stage."""

import torch
import torch.nn.functional as F
from mmcv.cnn import (
    ConvModule,
    build_activation_layer,
    build_conv_layer,
    build_norm_layer,
)
from torch import Tensor, nn

ATTENTIONS = ('released', 'cbam')
MASK_FORMS = ('separate', 'joint')
REFINEMENTS = ('dilated', 'double')


class EncoderStage(nn.Module):
    """Halve (but for the first stage) and convolve twice.

    Cheng et al. 2021 (JTFN) name VGG-16's first five blocks; the released
    code has two 3 x 3 convolutions at every stage, and so has this.

    Args:
        in_channels (int): Channels of the input.
        channels (int): Width.
        pool (bool): Begin with a 2 x 2 max-pooling.
        residual (bool): Add what goes into the second convolution to what
            comes out, before its norm (the released ``resbase``).
        conv_cfg (dict, optional): Convolution.
        norm_cfg (dict, optional): Norm.
        act_cfg (dict): Activation.
    """

    def __init__(self, in_channels: int, channels: int, *, pool: bool,
                 residual: bool, conv_cfg: dict | None,
                 norm_cfg: dict | None, act_cfg: dict) -> None:
        super().__init__()
        layer = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.pool = nn.MaxPool2d(2) if pool else nn.Identity()
        self.first = ConvModule(in_channels, channels, 3, padding=1, **layer)
        self.residual = residual
        if residual:
            self.second = build_conv_layer(
                conv_cfg, channels, channels, 3, padding=1,
                bias=norm_cfg is None)
            self.last = _norm_act(channels, norm_cfg, act_cfg)
        else:
            self.second = ConvModule(
                channels, channels, 3, padding=1, **layer)

    def forward(self, x: Tensor) -> Tensor:
        """Encode.

        Args:
            x (Tensor): (N, ``in_channels``, H, W).

        Returns:
            Tensor: (N, ``channels``, H, W), or H // 2, W // 2 after
            pooling.
        """
        x = self.first(self.pool(x))
        if self.residual:
            return self.last(x + self.second(x))
        return self.second(x)


class GatedAttentionUnit(nn.Module):
    """JTFN's GAU: refine a feature map with the prediction so far.

    With the feedback y, the crack probability of the step before, x is split
    into ``o = x * y`` and ``r = x * (1 - y)``; a mask M from spatial
    attention SA(r), (N, 1, h, w), and channel attention CA(r), (N, C, 1, 1),
    mixes x and the refined o: ``M * x + (1 - M) * refine(o)``.

    Args:
        channels (int): Channels C of x.
        attention (str): 'released': SA is a 3 x 3 and a 5 x 5 convolution of
            mean and maximum over the channels, CA a linear bottleneck of
            C / 2; 'cbam' (the paper: "as CBAM"): a 7 x 7 convolution, and a
            bottleneck of C / 16 with a ReLU inside.
        mask_form (str): 'separate' (released): ``sigmoid(SA) *
            sigmoid(CA)``; 'joint' (the paper): ``sigmoid(SA * CA)``.
        refine (str): 'dilated' (released): one 3 x 3 convolution of
            dilation 2; 'double' (the paper): two 3 x 3 convolutions.
        align_corners (bool): How y is brought to the size of x.
        conv_cfg (dict, optional): Convolution.
        norm_cfg (dict, optional): Norm.
        act_cfg (dict): Activation.

    Raises:
        ValueError: If one of the three variants is unknown.
    """

    def __init__(self, channels: int, *, attention: str, mask_form: str,
                 refine: str, align_corners: bool, conv_cfg: dict | None,
                 norm_cfg: dict | None, act_cfg: dict) -> None:
        super().__init__()
        for name, value, known in (('attention', attention, ATTENTIONS),
                                   ('mask_form', mask_form, MASK_FORMS),
                                   ('refine', refine, REFINEMENTS)):
            if value not in known:
                raise ValueError(
                    f'{name} must be one of {known}, got {value!r}.')
        self.mask_form = mask_form
        self.align_corners = align_corners
        if attention == 'released':
            self.spatial = nn.Sequential(
                nn.Conv2d(2, 1, 3, padding=1), nn.Conv2d(1, 1, 5, padding=2))
            hidden, between = max(channels // 2, 1), nn.Identity()
        else:
            self.spatial = nn.Conv2d(2, 1, 7, padding=3, bias=False)
            hidden, between = max(channels // 16, 1), nn.ReLU()
        self.channel = nn.Sequential(
            nn.Conv2d(channels, hidden, 1, bias=False), between,
            nn.Conv2d(hidden, channels, 1, bias=False))
        layer = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        if refine == 'dilated':
            self.refine = ConvModule(
                channels, channels, 3, padding=2, dilation=2, **layer)
        else:
            self.refine = nn.Sequential(*(
                ConvModule(channels, channels, 3, padding=1, **layer)
                for _ in range(2)))

    def mask(self, rest: Tensor) -> Tensor:
        """Return M.

        Args:
            rest (Tensor): r, (N, C, h, w).

        Returns:
            Tensor: (N, C, h, w), in [0, 1].
        """
        spatial = self.spatial(torch.cat(
            [rest.mean(1, keepdim=True), rest.amax(1, keepdim=True)], dim=1))
        channel = (self.channel(rest.mean((2, 3), keepdim=True))
                   + self.channel(rest.amax((2, 3), keepdim=True)))
        if self.mask_form == 'joint':
            return (spatial * channel).sigmoid()
        return spatial.sigmoid() * channel.sigmoid()

    def forward(self, x: Tensor, feedback: Tensor) -> Tensor:
        """Gate.

        Args:
            x (Tensor): (N, C, h, w).
            feedback (Tensor): y, probabilities (N, 1, H, W) of any size.

        Returns:
            Tensor: (N, C, h, w).
        """
        y = F.interpolate(feedback, x.shape[-2:], mode='bilinear',
                          align_corners=self.align_corners).to(x)
        refined = self.refine(x * y)
        mask = self.mask(x * (1 - y))
        return mask * x + (1 - mask) * refined


class FeatureInteraction(nn.Module):
    """JTFN's FIM: one decoder stage of two streams that help each other.

    Both streams are enlarged by a 2 x 2 transposed convolution and padded
    with zeros to the size of the skip; the mask stream s takes the skip in,
    the boundary stream b takes s in, and s takes b in and is added to
    itself.

    Args:
        in_channels (int): Channels of both streams.
        channels (int): Channels of the skip and of both streams after it.
        bottom_conv (bool): Put a 1 x 1 convolution in front of the boundary
            stream.
        conv_cfg (dict, optional): Convolution.
        norm_cfg (dict, optional): Norm.
        act_cfg (dict): Activation.
    """

    def __init__(self, in_channels: int, channels: int, *, bottom_conv: bool,
                 conv_cfg: dict | None, norm_cfg: dict | None,
                 act_cfg: dict) -> None:
        super().__init__()
        layer = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.bottom = ConvModule(in_channels, in_channels, 1, **layer) \
            if bottom_conv else nn.Identity()
        self.up_mask, self.up_boundary = (
            nn.Sequential(
                nn.ConvTranspose2d(in_channels, channels, 2, stride=2,
                                   bias=norm_cfg is None),
                *_norm_act(channels, norm_cfg, act_cfg)) for _ in range(2))
        self.mask_convs = nn.Sequential(
            ConvModule(2 * channels, channels, 3, padding=1, **layer),
            ConvModule(channels, channels, 3, padding=1, **layer))
        self.mask_to_boundary = ConvModule(channels, channels, 1, **layer)
        self.boundary_conv = ConvModule(
            2 * channels, channels, 3, padding=1, **layer)
        self.boundary_to_mask = ConvModule(channels, channels, 1, **layer)
        self.residual_conv = ConvModule(
            2 * channels, channels, 3, padding=1, **layer)

    def forward(self, mask: Tensor, boundary: Tensor,
                skip: Tensor) -> tuple[Tensor, Tensor]:
        """Decode one stage.

        Args:
            mask (Tensor): s, (N, ``in_channels``, h, w).
            boundary (Tensor): b, of the same size.
            skip (Tensor): (N, ``channels``, H, W) with 2h <= H <= 2h + 1,
                and so W.

        Returns:
            tuple[Tensor, Tensor]: s and b, both (N, ``channels``, H, W).
        """
        size = skip.shape[-2:]
        s = _pad_to(self.up_mask(mask), size)
        b = _pad_to(self.up_boundary(self.bottom(boundary)), size)
        s = self.mask_convs(torch.cat([s, skip], dim=1))
        b = self.boundary_conv(
            torch.cat([b, self.mask_to_boundary(s)], dim=1))
        residual = self.residual_conv(
            torch.cat([s, self.boundary_to_mask(b)], dim=1))
        return s + residual, b


def _norm_act(channels: int, norm_cfg: dict | None,
              act_cfg: dict) -> nn.Sequential:
    """Return norm (if any) and activation."""
    layers = [build_activation_layer(act_cfg)]
    if norm_cfg is not None:
        layers.insert(0, build_norm_layer(norm_cfg, channels)[1])
    return nn.Sequential(*layers)


def _pad_to(x: Tensor, size: torch.Size) -> Tensor:
    """Pad with zeros, the odd pixel at the end."""
    bottom, right = size[0] - x.shape[-2], size[1] - x.shape[-1]
    if not bottom and not right:
        return x
    return F.pad(x, (right // 2, right - right // 2,
                     bottom // 2, bottom - bottom // 2))
