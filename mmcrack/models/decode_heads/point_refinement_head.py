"""PointRend on somebody else's coarse prediction."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from mmcrack.models.decode_heads.point_rend_head import PointRendHead
from mmcrack.models.decode_heads.rendering_head import input_size
from mmcrack.registry import MODELS

#: What belongs to the coarse map that this head does not make.
_OF_THE_MAP = ('heat_channels', 'dropout_ratio', 'loss_point')


@MODELS.register_module()
class PointRefinementHead(PointRendHead):
    """PointRend without a coarse map of its own: it refines a given one.

    CBPRN, Table 3: "the original PointRend architecture guided by different
    coarse segmentation masks". Only the fine-grained feature map and the MLP
    learn, at points where the given prediction is uncertain. The methods
    take it as the second argument, as MMSegmentation's cascade heads take
    the output of the head before; ``mmcrack.CoarseToFineSegmentor`` hands it
    over on the grid of :meth:`start_grid`.

    Args:
        *args: Arguments of :class:`PointRendHead`.
        **kwargs: Likewise; ``loss_decode`` is the loss of the points.
            ``heat_channels``, ``dropout_ratio`` and ``loss_point`` are
            refused: they are about the coarse map.

    Raises:
        ValueError: If an argument is about the coarse map, or is refused by
            :class:`PointRendHead`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = [name for name in _OF_THE_MAP if name in kwargs]
        if given:
            raise ValueError(
                'PointRefinementHead makes no coarse map, so leave out '
                f'{", ".join(given)}; loss_decode is the loss of the points.')
        super().__init__(*args, **kwargs)
        del self.heat, self.conv_seg
        self.heat = self.conv_seg = None
        # One loss under both names: a loss may have parameters.
        self.loss_decode = self.loss_point

    def start_grid(self, size: Sequence[int]) -> tuple[int, int]:
        """Return the grid from which the steps lead to a size.

        Args:
            size (Sequence[int]): (H, W) of the network's input.

        Returns:
            tuple[int, int]: (h, w), rounded up: with two doublings a quarter
            of the input.
        """
        factor = self.scale_factor**self.subdivision_steps
        return -(-size[0] // factor), -(-size[1] // factor)

    def dense(self, inputs: Sequence[Tensor],
              coarse_logits: Tensor) -> tuple[Tensor, Tensor]:
        """Return the fine-grained feature map beside the given prediction.

        Args:
            inputs (Sequence[Tensor]): All feature maps of the backbone.
            coarse_logits (Tensor): (N, ``out_channels``, h, w).

        Returns:
            tuple[Tensor, Tensor]: (N, ``channels``, h', w'), at the stride
            of the finest input, and ``coarse_logits`` as they are.
        """
        return self.enhanced(self._transform_inputs(inputs)), coarse_logits

    def forward(self, inputs: Sequence[Tensor],
                coarse_logits: Tensor) -> Tensor:
        """Refine in tensor mode.

        Args:
            inputs (Sequence[Tensor]): All feature maps of the backbone.
            coarse_logits (Tensor): (N, ``out_channels``, h, w).

        Returns:
            Tensor: (N, ``out_channels``, h' * stride, w' * stride).
        """
        features, _ = self.dense(inputs, coarse_logits)
        size = [side * self.stride for side in features.shape[-2:]]
        return self._render_or_resize(features, coarse_logits, size)

    def predict(self, inputs: Sequence[Tensor], coarse_logits: Tensor,
                batch_img_metas: list[dict], test_cfg: dict) -> Tensor:
        """Refine at the size of the network's input.

        Args:
            inputs (Sequence[Tensor]): All feature maps of the backbone.
            coarse_logits (Tensor): (N, ``out_channels``, h, w).
            batch_img_metas (list[dict]): Meta information of each image.
            test_cfg (dict): Not looked at.

        Returns:
            Tensor: (N, ``out_channels``, H, W), logits.
        """
        features, _ = self.dense(inputs, coarse_logits)
        return self._render_or_resize(
            features, coarse_logits, input_size(batch_img_metas[0]))

    def loss(self, inputs: Sequence[Tensor], coarse_logits: Tensor,
             batch_data_samples: list, train_cfg: dict) -> dict[str, Tensor]:
        """Return the losses of the points.

        Args:
            inputs (Sequence[Tensor]): All feature maps of the backbone.
            coarse_logits (Tensor): (N, ``out_channels``, h, w).
            batch_data_samples (list[SegDataSample]): With ``gt_sem_seg``.
            train_cfg (dict): Not looked at.

        Returns:
            dict[str, Tensor]: ``point_<loss_name>`` and ``acc_point`` in
            percent.
        """
        return self.other_losses(
            self.dense(inputs, coarse_logits), batch_data_samples)

    def features_and_logits(self, inputs: Sequence[Tensor],
                            coarse_logits: Tensor
                            ) -> tuple[Tensor, Tensor, Any]:
        """Return what ``CIRLHead`` trains: see there.

        The logits are the given ones: around a frozen coarse network
        CIRL's loss of the prediction teaches nothing, only those of the
        variance, of the features and of the points do.

        Args:
            inputs (Sequence[Tensor]): All feature maps of the backbone.
            coarse_logits (Tensor): (N, ``out_channels``, h, w).

        Returns:
            tuple[Tensor, Tensor, Any]: As in :class:`PointRendHead`.
        """
        outputs = self.dense(inputs, coarse_logits)
        return *outputs, outputs
