"""What CBPRN and PointRend share: a dense map, and an MLP for points."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmcrack.functional.points import label_at, point_sample
from mmcrack.functional.probability import crack_probability
from mmcrack.models.layers.enhanced_feature import EnhancedFeature
from mmcrack.models.layers.point_mlp import PointMLP
from mmcrack.registry import MODELS, TASK_UTILS


class RenderingHead(BaseDecodeHead):
    """Predict a dense map, then single points of it again.

    Subclasses say which points: :meth:`render` at inference and, through
    ``train_sampler``, in training.

    Args:
        in_channels (Sequence[int]): Channels of the inputs, finest first.
        channels (int): Channels of the enhanced feature map.
        in_index (Sequence[int], optional): Which inputs to take; None takes
            the first ``len(in_channels)``.
        with_edge (bool): Whether the first input is an edge feature.
        context_channels (int): Width of the top-down path.
        detail_channels (int): Width of the reduced first stage.
        heat_channels (int): Width of the two convolution modules in front
            of the dense map.
        point_channels (int): Width of the MLP.
        num_fcs (int): Hidden layers of the MLP.
        coarse_pred_each_layer (bool): Coarse logits at every layer.
        train_sampler (dict, optional): Config of the training points' sampler
            (registry ``TASK_UTILS``); None leaves out the MLP: a
            conventional decoder, Set 1 of CBPRN's Table 1.
        loss_decode (dict | Sequence[dict]): Loss of the dense map, upsampled
            to the label's size.
        loss_point (dict | Sequence[dict], optional): Loss of the points;
            None takes ``loss_decode``.
        crack_class (int): Class index of crack.
        stride (int): Stride of the finest input, which tensor mode (FLOPs)
            needs to know the image's size.
        padding_mode (str): How points beyond the outermost feature centres
            are read, see :func:`mmcrack.functional.points.point_sample`.
        dropout_ratio (float): Dropout in front of the dense classifier.
        num_classes (int): Classes, background included.
        init_cfg (dict, optional): As in MMEngine.
        **kwargs: Arguments of MMSegmentation's ``BaseDecodeHead``, which
            refuses others.

    Raises:
        ValueError: If ``crack_class`` is no class, or an argument asks for
            what rendering cannot do.
    """

    def __init__(self,
                 in_channels: Sequence[int],
                 channels: int,
                 *,
                 in_index: Sequence[int] | None,
                 with_edge: bool,
                 context_channels: int,
                 detail_channels: int,
                 heat_channels: int,
                 point_channels: int,
                 num_fcs: int,
                 coarse_pred_each_layer: bool,
                 train_sampler: dict | None,
                 loss_decode: dict | Sequence[dict],
                 loss_point: dict | Sequence[dict] | None,
                 crack_class: int,
                 stride: int,
                 padding_mode: str,
                 dropout_ratio: float,
                 num_classes: int,
                 init_cfg: dict | list | None,
                 **kwargs) -> None:
        _check_arguments(num_classes, crack_class, kwargs)
        kwargs['input_transform'] = 'multiple_select'
        super().__init__(
            list(in_channels),
            heat_channels,
            num_classes=num_classes,
            in_index=list(in_index or range(len(in_channels))),
            dropout_ratio=dropout_ratio,
            loss_decode=loss_decode,
            init_cfg=init_cfg,
            **kwargs)
        if self.out_channels == 1 and self.num_classes > 2:
            raise ValueError('out_channels=1 (sigmoid) is for two classes, '
                             f'got num_classes={num_classes}.')
        cfg = dict(
            conv_cfg=self.conv_cfg,
            norm_cfg=self.norm_cfg,
            act_cfg=self.act_cfg)
        self.enhanced = EnhancedFeature(
            in_channels,
            channels,
            context_channels=context_channels,
            detail_channels=detail_channels,
            with_edge=with_edge,
            **cfg)
        self.heat = nn.Sequential(
            ConvModule(channels, heat_channels, 3, padding=1, **cfg),
            ConvModule(heat_channels, heat_channels, 3, padding=1, **cfg))
        #: Channels of the enhanced feature map, for ``CIRLHead``.
        self.feature_channels = channels
        self.crack_class = crack_class
        self.stride = stride
        self.padding_mode = padding_mode
        self.train_sampler = self.point_mlp = None
        if train_sampler is not None:
            self.train_sampler = TASK_UTILS.build(train_sampler)
            self.point_mlp = PointMLP(
                channels,
                self.out_channels,
                channels=point_channels,
                num_fcs=num_fcs,
                coarse_pred_each_layer=coarse_pred_each_layer)
        losses = loss_decode if loss_point is None else loss_point
        losses = [losses] if isinstance(losses, dict) else losses
        self.loss_point = nn.ModuleList(MODELS.build(cfg) for cfg in losses)
        #: Keep what the last prediction rendered, for pictures.
        self.keep_rendering = False
        self.rendering: dict[str, Tensor] | None = None

    def dense(self, inputs: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the enhanced feature map and the dense logits.

        Args:
            inputs (Sequence[Tensor]): All feature maps of the backbone.

        Returns:
            tuple[Tensor, Tensor]: (N, ``channels``, h, w) and
            (N, ``out_channels``, h, w), at the stride of the finest input.
        """
        features = self.enhanced(self._transform_inputs(inputs))
        return features, self.cls_seg(self.heat(features))

    def predict_points(self, features: Tensor, coarse_logits: Tensor,
                       points: Tensor) -> Tensor:
        """Predict points: the one path of training and inference.

        Args:
            features (Tensor): (N, C, h, w), the enhanced feature map.
            coarse_logits (Tensor): (N, K, h, w), the dense logits.
            points (Tensor): Float32, (N, P, 2), (x, y) in [0, 1].

        Returns:
            Tensor: (N, K, P), logits.
        """
        return self.point_mlp(
            point_sample(features, points, padding_mode=self.padding_mode),
            point_sample(
                coarse_logits, points, padding_mode=self.padding_mode))

    @abstractmethod
    def render(self, features: Tensor, coarse_logits: Tensor,
               size: Sequence[int]) -> Tensor:
        """Return logits of ``size`` with uncertain points predicted again."""

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Predict in tensor mode: logits at the size of the image.

        Args:
            inputs (Sequence[Tensor]): All feature maps of the backbone.

        Returns:
            Tensor: (N, ``out_channels``, h * stride, w * stride).
        """
        features, logits = self.dense(inputs)
        size = [side * self.stride for side in logits.shape[-2:]]
        return self._render_or_resize(features, logits, size)

    def predict(self, inputs: Sequence[Tensor], batch_img_metas: list[dict],
                test_cfg: dict) -> Tensor:
        """Predict at the size of the network's input.

        Args:
            inputs (Sequence[Tensor]): All feature maps of the backbone.
            batch_img_metas (list[dict]): Meta information of each image.
            test_cfg (dict): Not looked at.

        Returns:
            Tensor: (N, ``out_channels``, H, W), logits.
        """
        features, logits = self.dense(inputs)
        return self._render_or_resize(
            features, logits, input_size(batch_img_metas[0]))

    def _render_or_resize(self, features: Tensor, logits: Tensor,
                          size: Sequence[int]) -> Tensor:
        """Render, or only upsample where there is no MLP."""
        self.rendering = None
        if self.point_mlp is not None:
            return self.render(features, logits, size)
        logits = upsample(logits, size)
        if self.keep_rendering:
            self._keep(logits)
        return logits

    def _keep(self, coarse: Tensor, rendered: Tensor | None = None) -> None:
        """Remember the probability before rendering and what was rendered."""
        heat_map = crack_probability(coarse, crack_class=self.crack_class)
        if rendered is None:
            rendered = torch.zeros_like(heat_map, dtype=torch.bool)
        self.rendering = dict(heat_map=heat_map[:, None], rendered=rendered)

    def loss(self, inputs: Sequence[Tensor], batch_data_samples: list,
             train_cfg: dict) -> dict[str, Tensor]:
        """Return the losses of the dense map and of the points.

        Args:
            inputs (Sequence[Tensor]): All feature maps of the backbone.
            batch_data_samples (list[SegDataSample]): With ``gt_sem_seg``.
            train_cfg (dict): Not looked at.

        Returns:
            dict[str, Tensor]: ``heat_<loss_name>``, ``point_<loss_name>``
            and the accuracies ``acc_heat`` and ``acc_point`` in percent.
        """
        label = self._stack_batch_gt(batch_data_samples).squeeze(1)
        _, logits, outputs = self.features_and_logits(inputs)
        full = upsample(logits, label.shape[-2:])
        decode = self.loss_decode
        decode = decode if isinstance(decode, nn.ModuleList) else [decode]
        losses = self._losses('heat', decode, full, label)
        losses.update(self.other_losses(outputs, batch_data_samples))
        return losses

    def features_and_logits(self, inputs: Sequence[Tensor]
                            ) -> tuple[Tensor, Tensor, Any]:
        """Return what ``CIRLHead`` trains: see there.

        Args:
            inputs (Sequence[Tensor]): All feature maps of the backbone.

        Returns:
            tuple[Tensor, Tensor, Any]: The enhanced feature map, which heat
            map and points share, (N, ``channels``, h, w); logits of the heat
            map, (N, K, h, w); and what :meth:`other_losses` needs.
        """
        features, logits = self.dense(inputs)
        return features, logits, (features, logits)

    def other_losses(self, outputs: Any, batch_data_samples: list,
                     ambiguous: Tensor | None = None) -> dict[str, Tensor]:
        """Return the losses of the points.

        Args:
            outputs: From :meth:`features_and_logits`.
            batch_data_samples (list[SegDataSample]): With ``gt_sem_seg``.
            ambiguous (Tensor, optional): Bool, (N, H, W): points there are
                drawn as elsewhere, but teach nothing.

        Returns:
            dict[str, Tensor]: ``point_<loss_name>`` and ``acc_point``; empty
            without a point head.
        """
        if self.point_mlp is None:
            return {}
        features, logits = outputs
        label = self._stack_batch_gt(batch_data_samples).squeeze(1)
        points = self.train_sampler(
            label,
            logits.detach(),
            crack_class=self.crack_class,
            ignore_index=self.ignore_index)
        point_logits = self.predict_points(features, logits, points)
        if ambiguous is not None:
            label = label.masked_fill(ambiguous, self.ignore_index)
        # Points as an image of one column, which every loss understands.
        return self._losses('point', self.loss_point, point_logits[..., None],
                            label_at(label, points)[..., None])

    def _losses(self, name: str, modules: Sequence[nn.Module],
                seg_logits: Tensor, seg_label: Tensor) -> dict[str, Tensor]:
        """Apply losses; over nothing they are 0 and keep the graph."""
        valid = seg_label != self.ignore_index
        losses: dict[str, Tensor] = {}
        for module in modules:
            if bool(valid.any()):
                value = module(
                    seg_logits, seg_label, ignore_index=self.ignore_index)
            else:
                value = 0 * seg_logits.sum()
            key = f'{name}_{module.loss_name}'
            losses[key] = losses.get(key, 0) + value
        with torch.no_grad():
            if self.out_channels == 1:
                guess = (seg_logits[:, 0].sigmoid() > self.threshold).long()
            else:
                guess = seg_logits.argmax(1)
            hits = ((guess == seg_label) & valid).sum()
            accuracy = 100 * hits / valid.sum().clamp(min=1)
        losses[f'acc_{name}'] = accuracy
        return losses


def _check_arguments(num_classes: int, crack_class: int,
                     others: dict) -> None:
    """Refuse what a rendering head would silently pass over."""
    if not 0 <= crack_class < num_classes:
        raise ValueError(
            f'crack_class must be one of the {num_classes} classes (0 to '
            f'{num_classes - 1}), got {crack_class}.')
    if others.get('input_transform', 'multiple_select') is None:
        raise ValueError('A rendering head takes several feature maps: '
                         "input_transform must be 'multiple_select'.")
    if others.get('align_corners'):
        raise ValueError('Points lie at pixel centres, so align_corners must '
                         'be False, got True: leave it out.')
    if others.get('sampler') is not None:
        raise ValueError(
            'A rendering head takes no pixel sampler, got sampler='
            f'{others["sampler"]}: train_sampler chooses its points.')


def input_size(meta: dict) -> Sequence[int]:
    """Return (H, W) of the network's input, as MMSegmentation stores it."""
    size = meta['img_shape']
    if not isinstance(size, torch.Size) and 'pad_shape' in meta:
        size = meta['pad_shape']
    return size[:2]


def upsample(seg_logits: Tensor, size: Sequence[int]) -> Tensor:
    """Bilinearly resize logits to (H, W); nothing where they have it."""
    if tuple(seg_logits.shape[-2:]) == tuple(size):
        return seg_logits
    return F.interpolate(
        seg_logits, tuple(size), mode='bilinear', align_corners=False)
