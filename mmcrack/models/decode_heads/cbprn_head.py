"""CBPRN's prediction head: render the pixels that the heat map doubts."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mmcrack.functional.points import pixel_points
from mmcrack.functional.probability import crack_probability
from mmcrack.models.decode_heads.rendering_head import RenderingHead, upsample
from mmcrack.registry import MODELS, TASK_UTILS

_LOSS = dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True)
_TRAIN_SAMPLER = dict(type='mmcrack.BoundaryPointSampler')
_TEST_SAMPLER = dict(type='mmcrack.UncertainPointSampler')


@MODELS.register_module()
class CBPRNHead(RenderingHead):
    """Fine-grained prediction head based on point rendering (CBPRN).

    Training: the heat map at the label's size and, at points that
    ``train_sampler`` draws around the labelled boundary, the MLP.
    Inference: the heat map is upsampled to the image; pixels whose
    probability lies inside the interval of ``test_sampler`` are predicted by
    the MLP at their own position, all others keep the heat map's verdict.

    Not in the paper: every width, the number of layers, and the losses
    (cross-entropy on both, as in PointRend).

    Args:
        in_channels (Sequence[int]): Channels of the inputs, finest first:
            the edge feature, then the backbone's stages.
        channels (int): Channels of the enhanced crack feature map.
        in_index (Sequence[int], optional): Which inputs to take; None takes
            the first ``len(in_channels)``.
        with_edge (bool): Whether the first input is an edge feature
            (:class:`EdgeGuidedBackbone`); False for a bare backbone.
        context_channels (int): Width of the top-down path.
        detail_channels (int): Width of the reduced first stage.
        heat_channels (int): Width of the heat map's two convolutions.
        point_channels (int): Width of the MLP.
        num_fcs (int): Hidden layers of the MLP.
        coarse_pred_each_layer (bool): Heat-map logit at every layer.
        train_sampler (dict, optional): Training points; None leaves the MLP
            out (Set 1 of Table 1).
        test_sampler (dict): Inference points.
        chunk_size (int): Pixels looked at in one go at inference: bounds
            the memory of rendering whatever the number of points.
        loss_decode (dict | Sequence[dict]): Loss of the heat map.
        loss_point (dict | Sequence[dict], optional): Loss of the points;
            None takes ``loss_decode``.
        crack_class (int): Class index of crack.
        stride (int): Stride of the finest input, for tensor mode.
        dropout_ratio (float): Dropout in front of the heat map.
        num_classes (int): Classes, background included.
        norm_cfg (dict, optional): Normalisation.
        init_cfg (dict, optional): As in MMEngine.
        **kwargs: Arguments of MMSegmentation's ``BaseDecodeHead``
            (``out_channels``, ``threshold``, ``ignore_index``, ...), which
            refuses others.
    """

    def __init__(self,
                 in_channels: Sequence[int] = (64, 256, 512, 1024, 2048),
                 channels: int = 128,
                 *,
                 in_index: Sequence[int] | None = None,
                 with_edge: bool = True,
                 context_channels: int = 128,
                 detail_channels: int = 64,
                 heat_channels: int = 64,
                 point_channels: int = 256,
                 num_fcs: int = 3,
                 coarse_pred_each_layer: bool = True,
                 train_sampler: dict | None = _TRAIN_SAMPLER,
                 test_sampler: dict = _TEST_SAMPLER,
                 chunk_size: int = 1 << 17,
                 loss_decode: dict | Sequence[dict] = _LOSS,
                 loss_point: dict | Sequence[dict] | None = None,
                 crack_class: int = 1,
                 stride: int = 4,
                 dropout_ratio: float = 0.,
                 num_classes: int = 2,
                 norm_cfg: dict | None = None,
                 init_cfg: dict | list | None = None,
                 **kwargs) -> None:
        if chunk_size < 1:
            raise ValueError(
                f'chunk_size must be at least 1, got {chunk_size}.')
        super().__init__(
            in_channels,
            channels,
            in_index=in_index,
            with_edge=with_edge,
            context_channels=context_channels,
            detail_channels=detail_channels,
            heat_channels=heat_channels,
            point_channels=point_channels,
            num_fcs=num_fcs,
            coarse_pred_each_layer=coarse_pred_each_layer,
            train_sampler=train_sampler,
            loss_decode=loss_decode,
            loss_point=loss_point,
            crack_class=crack_class,
            stride=stride,
            padding_mode='border',
            dropout_ratio=dropout_ratio,
            num_classes=num_classes,
            norm_cfg=norm_cfg,
            init_cfg=init_cfg,
            **kwargs)
        self.test_sampler = TASK_UTILS.build(test_sampler)
        self.chunk_size = chunk_size

    def render(self, features: Tensor, coarse_logits: Tensor,
               size: Sequence[int]) -> Tensor:
        """Upsample the heat map and re-predict its uncertain pixels.

        Args:
            features (Tensor): (N, C, h, w), the enhanced feature map.
            coarse_logits (Tensor): (N, K, h, w), logits of the heat map.
            size (Sequence[int]): (H, W) of the result.

        Returns:
            Tensor: (N, K, H, W), logits.
        """
        logits = upsample(coarse_logits, size)
        prob = crack_probability(logits, crack_class=self.crack_class)
        chosen = self.test_sampler(prob)
        del prob
        if self.keep_rendering:
            self._keep(logits, chosen)
        if logits is coarse_logits:
            logits = logits.clone()
        for n in range(len(logits)):
            self._render_image(features[n:n + 1], coarse_logits[n:n + 1],
                               logits[n].flatten(1), chosen[n].flatten(),
                               size)
        return logits

    def _render_image(self, features: Tensor, coarse_logits: Tensor,
                      logits: Tensor, chosen: Tensor,
                      size: Sequence[int]) -> None:
        """Write new logits (K, H W) where ``chosen`` (H W), block by block."""
        for start in range(0, len(chosen), self.chunk_size):
            part = chosen[start:start + self.chunk_size]
            index = torch.nonzero(part)[:, 0] + start
            if len(index):
                points = pixel_points(index, size)[None]
                new = self.predict_points(features, coarse_logits, points)
                logits[:, index] = new[0].to(logits.dtype)
