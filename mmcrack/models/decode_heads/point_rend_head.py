"""PointRend, the network that CBPRN compares itself with."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mmcrack.functional.points import most_uncertain_pixels, pixel_points
from mmcrack.models.decode_heads.rendering_head import RenderingHead, upsample
from mmcrack.registry import MODELS

_LOSS = dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True)
_TRAIN_SAMPLER = dict(type='mmcrack.ImportancePointSampler')


@MODELS.register_module()
class PointRendHead(RenderingHead):
    """Semantic PointRend (Kirillov et al. 2020) in plain torch.

    Training points are the uncertain ones of an oversampled draw; inference
    doubles the coarse prediction step by step and predicts the
    ``subdivision_num_points`` least certain pixels of each step again. The
    point head is MMSegmentation's ``PointHead`` (which needs compiled ops
    and more than one channel); dense decoder and MLP are those of
    :class:`CBPRNHead`, so that a comparison differs in the points alone.

    Args:
        in_channels (Sequence[int]): Channels of the inputs, finest first.
        channels (int): Channels of the fine-grained feature map.
        in_index (Sequence[int], optional): Which inputs to take; None takes
            the first ``len(in_channels)``.
        with_edge (bool): Whether the first input is an edge feature.
        context_channels (int): Width of the top-down path.
        detail_channels (int): Width of the reduced first stage.
        heat_channels (int): Width of the coarse map's two convolutions.
        point_channels (int): Width of the MLP.
        num_fcs (int): Hidden layers of the MLP.
        coarse_pred_each_layer (bool): Coarse logit at every layer.
        train_sampler (dict): Training points.
        subdivision_steps (int): Doublings at inference.
        subdivision_num_points (int): Points of each step.
        scale_factor (int): Enlargement of each step.
        loss_decode (dict | Sequence[dict]): Loss of the coarse map.
        loss_point (dict | Sequence[dict], optional): Loss of the points;
            None takes ``loss_decode``.
        crack_class (int): Class index of crack.
        stride (int): Stride of the finest input, for tensor mode.
        dropout_ratio (float): Dropout in front of the coarse map.
        num_classes (int): Classes, background included.
        norm_cfg (dict, optional): Normalisation.
        init_cfg (dict, optional): As in MMEngine.
        **kwargs: Arguments of MMSegmentation's ``BaseDecodeHead``, which
            refuses others.

    Raises:
        ValueError: If a number of steps or points, or the factor, is out of
            its range, or there is no ``train_sampler``.
    """

    def __init__(self,
                 in_channels: Sequence[int] = (256, 512, 1024, 2048),
                 channels: int = 128,
                 *,
                 in_index: Sequence[int] | None = None,
                 with_edge: bool = False,
                 context_channels: int = 128,
                 detail_channels: int = 64,
                 heat_channels: int = 64,
                 point_channels: int = 256,
                 num_fcs: int = 3,
                 coarse_pred_each_layer: bool = True,
                 train_sampler: dict = _TRAIN_SAMPLER,
                 subdivision_steps: int = 2,
                 subdivision_num_points: int = 8196,
                 scale_factor: int = 2,
                 loss_decode: dict | Sequence[dict] = _LOSS,
                 loss_point: dict | Sequence[dict] | None = None,
                 crack_class: int = 1,
                 stride: int = 4,
                 dropout_ratio: float = 0.,
                 num_classes: int = 2,
                 norm_cfg: dict | None = None,
                 init_cfg: dict | list | None = None,
                 **kwargs) -> None:
        if (subdivision_steps < 1 or subdivision_num_points < 1
                or scale_factor < 2):
            raise ValueError(
                'PointRendHead wants subdivision_steps >= 1, '
                'subdivision_num_points >= 1 and scale_factor >= 2, got '
                f'{subdivision_steps}, {subdivision_num_points} and '
                f'{scale_factor}.')
        if train_sampler is None:
            raise ValueError('PointRendHead needs a train_sampler.')
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
            padding_mode='zeros',
            dropout_ratio=dropout_ratio,
            num_classes=num_classes,
            norm_cfg=norm_cfg,
            init_cfg=init_cfg,
            **kwargs)
        self.subdivision_steps = subdivision_steps
        self.subdivision_num_points = subdivision_num_points
        self.scale_factor = scale_factor

    def render(self, features: Tensor, coarse_logits: Tensor,
               size: Sequence[int]) -> Tensor:
        """Refine the coarse prediction by subdivision.

        Kirillov et al. 2020, section 3.2 and Figure 4.

        Args:
            features (Tensor): (N, C, h, w), fine-grained features.
            coarse_logits (Tensor): (N, K, h, w).
            size (Sequence[int]): (H, W) of the result.

        Returns:
            Tensor: (N, K, H, W), logits; resized from
            ``h * scale_factor ** subdivision_steps`` where that differs.
        """
        logits = coarse_logits
        rendered = None
        for _ in range(self.subdivision_steps):
            grid = [s * self.scale_factor for s in logits.shape[-2:]]
            logits = upsample(logits, grid)
            index = most_uncertain_pixels(logits, self.subdivision_num_points)
            new = self.predict_points(features, coarse_logits,
                                      pixel_points(index, grid))
            places = index[:, None].expand(-1, logits.shape[1], -1)
            logits = logits.flatten(2).scatter(
                2, places, new.to(logits.dtype)).unflatten(2, grid)
            if self.keep_rendering:
                rendered = self._mark(rendered, index, grid)
        if self.keep_rendering:
            rendered = upsample(rendered[:, None], size)[:, 0] > 0.5
            self._keep(upsample(coarse_logits, size), rendered)
        return upsample(logits, size)

    @staticmethod
    def _mark(rendered: Tensor | None, index: Tensor,
              grid: Sequence[int]) -> Tensor:
        """Add this step's pixels to a map of all that were rendered."""
        marks = torch.zeros(
            len(index), grid[0] * grid[1], device=index.device)
        marks = marks.scatter(1, index, 1.).unflatten(1, grid)
        if rendered is None:
            return marks
        before = torch.nn.functional.interpolate(rendered[:, None], grid)
        return torch.maximum(marks, before[:, 0])
