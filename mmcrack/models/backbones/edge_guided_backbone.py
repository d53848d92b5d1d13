"""CBPRN's edge-guided branch around any backbone."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor

from mmcrack.functional.guided_filter import guided_filter, luminance
from mmcrack.models.layers.sr_encoder import SREncoder
from mmcrack.registry import MODELS


@MODELS.register_module()
class EdgeGuidedBackbone(BaseModule):
    """A backbone with CBPRN's edge-guided branch beside it.

    CBPRN, "Edge-guided Branch" and Figure 2. A guided filter with fixed
    parameters separates the image into a smooth part and detail; the image
    with that detail (or the smooth part) as a fourth channel goes through a
    super-resolution encoder with three residual modules of two Swin blocks
    each. The feature comes out in front of the backbone's own.

    Not in the paper: widths, the filter's parameters, whether detail or the
    smooth image enters, and the stride (4 reads "the second block of
    ResNet"; 2 reads "only one downsampling").

    Args:
        backbone (dict): Config of any MMSegmentation, MMPretrain (with
            ``out_indices``) or own backbone that returns several stages.
        image_mean (Sequence[float]): Means of the data preprocessor, in
            grey levels, in the order of the channels that the network sees.
        image_std (Sequence[float]): Its standard deviations.
        channel_order (str): 'rgb' (``bgr_to_rgb=True``) or 'bgr'.
        channels (int): Width of the encoder and of the edge feature.
        stride (int): Stride of the edge feature, 2 or 4.
        num_modules (int): Residual modules.
        num_heads (int): Attention heads.
        window_size (int): Side of an attention window, in tokens.
        mlp_ratio (float): Width of the MLPs over ``channels``.
        guide_radius (int): Radius r of the guided filter, in pixels.
        guide_eps (float): Its eps, for luminance in [0, 1].
        guide_subsample (int): Its subsampling; 1 is exact.
        guide_out (str): 'detail' (luminance - smooth, in units of
            ``sqrt(guide_eps)``) or 'filtered' (the smooth luminance).
        pad_value (float): What the data preprocessor pads with, *after*
            normalisation. Trailing rows and columns of nothing else are
            padding: they make no edge.
        init_cfg (dict, optional): As in MMEngine.

    Raises:
        ValueError: For an unknown ``channel_order`` or ``guide_out``, means
            and deviations that do not fit each other, or a number of the
            guided filter that is out of its range.
    """

    def __init__(self,
                 backbone: dict,
                 image_mean: Sequence[float] = (123.675, 116.28, 103.53),
                 image_std: Sequence[float] = (58.395, 57.12, 57.375),
                 channel_order: str = 'rgb',
                 channels: int = 64,
                 stride: int = 4,
                 num_modules: int = 3,
                 num_heads: int = 4,
                 window_size: int = 8,
                 mlp_ratio: float = 2.,
                 guide_radius: int = 4,
                 guide_eps: float = 1e-2,
                 guide_subsample: int = 1,
                 guide_out: str = 'detail',
                 pad_value: float = 0.,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        if channel_order not in ('rgb', 'bgr'):
            raise ValueError(
                f"channel_order must be 'rgb' or 'bgr', got {channel_order!r}")
        if guide_out not in ('detail', 'filtered'):
            raise ValueError("guide_out must be 'detail' or 'filtered', "
                             f'got {guide_out!r}.')
        if len(image_mean) != len(image_std) or len(image_mean) not in (1, 3):
            raise ValueError(
                'image_mean and image_std must both hold 3 (or, for grey '
                f'images, 1) values, got {image_mean} and {image_std}.')
        if min(image_std) <= 0:
            raise ValueError(f'image_std must be positive, got {image_std}.')
        if guide_radius < 1 or guide_eps <= 0 or guide_subsample < 1:
            raise ValueError(
                'The guided filter wants guide_radius >= 1, guide_eps > 0 '
                f'and guide_subsample >= 1, got {guide_radius}, {guide_eps} '
                f'and {guide_subsample}.')
        self.channel_order = channel_order
        self.guide_radius = guide_radius
        self.guide_eps = guide_eps
        self.guide_subsample = guide_subsample
        self.guide_out = guide_out
        self.pad_value = pad_value
        for name, values in (('image_mean', image_mean),
                             ('image_std', image_std)):
            self.register_buffer(
                name, torch.tensor(values, dtype=torch.float32),
                persistent=False)
        self.backbone = MODELS.build(backbone)
        self.edge_encoder = SREncoder(
            len(image_mean) + 1,
            channels,
            stride=stride,
            num_modules=num_modules,
            num_heads=num_heads,
            window_size=window_size,
            mlp_ratio=mlp_ratio)

    def edge_map(self, x: Tensor) -> Tensor:
        """Return what the guided filter gives to the encoder.

        Args:
            x (Tensor): Float, (N, C, H, W), normalised images.

        Returns:
            Tensor: Float32, (N, 1, H, W), without gradient. Two
            normalisations of one image give one map; padding gives 0.
        """
        with torch.no_grad():
            x = x.float()
            valid = self._valid(x)
            guide = luminance(
                x,
                mean=self.image_mean,
                std=self.image_std,
                channel_order=self.channel_order)
            smooth = guided_filter(
                guide,
                guide,
                radius=self.guide_radius,
                eps=self.guide_eps,
                subsample=self.guide_subsample,
                valid=valid)
            if self.guide_out == 'filtered':
                return smooth
            detail = (guide - smooth) / self.guide_eps**0.5
            return detail if valid is None else detail * valid

    def _valid(self, x: Tensor) -> Tensor | None:
        """Mark what is image and not padding; None where nothing is padded.

        A row is padding if it and all rows below hold ``pad_value`` alone;
        so are columns.
        """
        content = (x != self.pad_value).any(1)
        edges = content[:, -1].any(1) & content[:, :, -1].any(1)
        if bool(edges.all()):
            return None
        marks = []
        for dim in (1, 2):
            line = content.any(3 - dim).flip(1).to(torch.uint8)
            marks.append(line.cummax(1).values.flip(1).bool())
        return (marks[0][:, :, None] & marks[1][:, None])[:, None]

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Extract features.

        Args:
            x (Tensor): Float, (N, C, H, W), normalised images.

        Returns:
            tuple[Tensor, ...]: The edge feature (N, ``channels``,
            H / stride, W / stride), then the backbone's stages.
        """
        edge = torch.cat([x, self.edge_map(x).to(x.dtype)], dim=1)
        return (self.edge_encoder(edge), *self.backbone(x))
