"""One loss over several predictions of the same label."""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmcrack.registry import MODELS

RESIZE = ('logits', 'label')


@MODELS.register_module()
class DeepSupervisionLoss(nn.Module):
    """Apply a loss to several predictions and add them up.

    Not in the papers as a part of its own: JTFN, DeepCrack, CrackFormer and
    nnU-Net each train predictions of several resolutions against one label.

    Args:
        loss (dict | Sequence[dict]): Config of the loss of each prediction,
            called with ``(seg_logits, seg_label, ignore_index=...)``; the
            sum of several.
        weights (Sequence[float], optional): Factor of each prediction, >= 0;
            None is 1 for all.
        resize (str): Where a prediction has another size than the label,
            'logits' resizes the prediction bilinearly, and 'label' the label
            by its nearest pixel.
        align_corners (bool): How 'logits' resizes.
        normalize (bool): Divide by the sum of the weights.
        loss_weight (float): Factor of the sum.
        loss_name (str): Key in the log; with 'loss' in it it is trained on.

    Raises:
        ValueError: If a weight is negative, all are 0, or ``resize`` is
            unknown.
    """

    def __init__(self, loss: dict | Sequence[dict],
                 weights: Sequence[float] | None = None, *,
                 resize: str = 'logits', align_corners: bool = False,
                 normalize: bool = False, loss_weight: float = 1.,
                 loss_name: str = 'loss_side') -> None:
        super().__init__()
        if weights is not None and (not weights or min(weights) < 0
                                    or sum(weights) == 0):
            raise ValueError('weights must be at least 0 and not all 0, got '
                             f'{list(weights)}.')
        if resize not in RESIZE:
            raise ValueError(
                f'resize must be one of {RESIZE}, got {resize!r}.')
        configs = [loss] if isinstance(loss, Mapping) else loss
        self.losses = nn.ModuleList(MODELS.build(cfg) for cfg in configs)
        for module in self.losses:
            if hasattr(module, 'avg_non_ignore'):
                module.avg_non_ignore = True
        self.weights = None if weights is None else tuple(weights)
        self.resize = resize
        self.align_corners = align_corners
        self.normalize = normalize
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, seg_logits: Sequence[Tensor], seg_label: Tensor, *,
                ignore_index: int = 255) -> Tensor:
        """Return the weighted sum.

        Args:
            seg_logits (Sequence[Tensor]): Predictions (N, K, h, w), each of
                its own size.
            seg_label (Tensor): Int64, (N, H, W).
            ignore_index (int): Label of pixels that do not count.

        Returns:
            Tensor: A scalar; a prediction without a pixel to learn from adds
            0 and keeps the graph.

        Raises:
            TypeError: If there is one tensor in place of a list.
            ValueError: If there are not as many predictions as weights.
        """
        if isinstance(seg_logits, Tensor):
            raise TypeError(
                'DeepSupervisionLoss takes a list of predictions, got one: '
                'give its inner loss to a head that predicts once.')
        weights = self.weights or (1.,) * len(seg_logits)
        if len(weights) != len(seg_logits):
            raise ValueError(
                f'There are {len(seg_logits)} predictions but '
                f'{len(weights)} weights {weights}: give one for each.')
        total = sum(0 * logits.sum() for logits in seg_logits)
        for logits, weight in zip(seg_logits, weights, strict=True):
            if weight:
                total = total + weight * self._one(
                    logits, seg_label, ignore_index)
        if self.normalize:
            total = total / sum(weights)
        return self.loss_weight * total

    def _one(self, logits: Tensor, label: Tensor,
             ignore_index: int) -> Tensor:
        """Bring a prediction and the label to one size; apply the loss."""
        size = logits.shape[-2:]
        if size != label.shape[-2:] and self.resize == 'logits':
            logits = F.interpolate(
                logits, label.shape[-2:], mode='bilinear',
                align_corners=self.align_corners)
        elif size != label.shape[-2:]:
            label = F.interpolate(
                label[:, None].to(torch.float32), size,
                mode='nearest-exact')[:, 0].long()
        if not bool((label != ignore_index).any()):
            return 0 * logits.sum()
        return sum(module(logits, label, ignore_index=ignore_index)
                   for module in self.losses)
