"""Base of heads that train further predictions beside their own."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmcrack.registry import MODELS

Outputs = tuple[Tensor, Tensor, Mapping[str, Sequence[Tensor]]]

_LOSS = dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True)


class SideOutputHead(BaseDecodeHead):
    """A head with one prediction that counts and others that only train.

    Subclasses implement :meth:`outputs`; where a group of predictions has
    another truth than the mask (a boundary), also :meth:`side_label`. The
    prediction that counts is trained by ``loss_decode``, each group by its
    own entry of ``loss_side``. ``CIRLHead`` can wrap every such head: it
    replaces ``loss_decode`` and leaves the groups as they are.

    Args:
        in_channels (int | Sequence[int]): Channels of the inputs.
        channels (int): Channels of what is classified.
        loss_side (dict[str, dict], optional): For each group of further
            predictions the config of its loss, which takes a list of
            predictions (``mmcrack.DeepSupervisionLoss``).
        mask_sides (bool): In CIRL's phase II ambiguous pixels teach the
            further predictions nothing either. Not in the paper.
        num_classes (int): Classes, background included.
        loss_decode (dict | Sequence[dict]): Loss of the prediction.
        **kwargs: Arguments of MMSegmentation's ``BaseDecodeHead``, which
            refuses others.

    Attributes:
        feature_channels (int): Channels of the first of :meth:`outputs`.
    """

    def __init__(self,
                 in_channels: int | Sequence[int],
                 channels: int,
                 *,
                 loss_side: Mapping[str, dict] | None = None,
                 mask_sides: bool = False,
                 num_classes: int = 2,
                 loss_decode: dict | Sequence[dict] = _LOSS,
                 **kwargs: Any) -> None:
        if not isinstance(in_channels, int):
            kwargs.setdefault('input_transform', 'multiple_select')
            kwargs.setdefault('in_index', list(range(len(in_channels))))
            in_channels = list(in_channels)
        super().__init__(
            in_channels,
            channels,
            num_classes=num_classes,
            loss_decode=loss_decode,
            **kwargs)
        self.loss_side = nn.ModuleDict(
            {name: MODELS.build(cfg)
             for name, cfg in (loss_side or {}).items()})
        self.mask_sides = mask_sides
        self.feature_channels = channels

    @abstractmethod
    def outputs(self, inputs: Sequence[Tensor]) -> Outputs:
        """Run the head.

        Args:
            inputs (Sequence[Tensor]): All feature maps of the backbone.

        Returns:
            tuple[Tensor, Tensor, Mapping[str, Sequence[Tensor]]]: What the
            prediction is made from, (N, ``feature_channels``, h, w); its
            logits (N, ``out_channels``, h, w); and logits of the further
            predictions, by group.
        """

    def side_label(self, group: str, seg_label: Tensor) -> Tensor:
        """Return the truth of a group of further predictions.

        Args:
            group (str): Its name.
            seg_label (Tensor): Int64, (N, H, W) with ``ignore_index``.

        Returns:
            Tensor: Int64, (N, H, W) with ``ignore_index``.
        """
        return seg_label

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the logits that count.

        Args:
            inputs (Sequence[Tensor]): All feature maps of the backbone.

        Returns:
            Tensor: (N, ``out_channels``, h, w).
        """
        return self.outputs(inputs)[1]

    def features_and_logits(self, inputs: Sequence[Tensor]) -> Outputs:
        """Return what ``CIRLHead`` trains: :meth:`outputs`."""
        return self.outputs(inputs)

    def loss(self, inputs: Sequence[Tensor], batch_data_samples: list,
             train_cfg: dict) -> dict[str, Tensor]:
        """Return the losses of all predictions.

        Args:
            inputs (Sequence[Tensor]): All feature maps of the backbone.
            batch_data_samples (list[SegDataSample]): With ``gt_sem_seg``.
            train_cfg (dict): Not looked at.

        Returns:
            dict[str, Tensor]: ``loss_decode``'s under their names, one of
            each group under ``<group>_<loss name>``, and ``acc_seg``.
        """
        _, logits, sides = self.outputs(inputs)
        label = self._stack_batch_gt(batch_data_samples).squeeze(1)
        if bool((label != self.ignore_index).any()):
            losses = self.loss_by_feat(logits, batch_data_samples)
        else:
            losses = dict(loss_nothing=0 * logits.sum())
        losses.update(self.other_losses(sides, batch_data_samples))
        return losses

    def other_losses(self, outputs: Mapping[str, Sequence[Tensor]],
                     batch_data_samples: list,
                     ambiguous: Tensor | None = None) -> dict[str, Tensor]:
        """Return the losses of the further predictions.

        Args:
            outputs (Mapping[str, Sequence[Tensor]]): By group.
            batch_data_samples (list[SegDataSample]): With ``gt_sem_seg``.
            ambiguous (Tensor, optional): Bool, (N, H, W): CIRL's ambiguous
                pixels; looked at with ``mask_sides`` only.

        Returns:
            dict[str, Tensor]: ``<group>_<loss name>``.

        Raises:
            KeyError: If a group has no loss.
        """
        label = self._stack_batch_gt(batch_data_samples).squeeze(1)
        losses = {}
        for group, logits in outputs.items():
            if group not in self.loss_side:
                raise KeyError(
                    f'{type(self).__name__} has further predictions '
                    f'{group!r} but loss_side has no loss for them, only '
                    f'for {sorted(self.loss_side)}.')
            target = self.side_label(group, label)
            if ambiguous is not None and self.mask_sides:
                target = target.masked_fill(ambiguous, self.ignore_index)
            module = self.loss_side[group]
            losses[f'{group}_{module.loss_name}'] = module(
                logits, target, ignore_index=self.ignore_index)
        return losses
