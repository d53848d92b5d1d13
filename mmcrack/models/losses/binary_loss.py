"""What losses of crack against everything else have in common."""

from abc import abstractmethod

import torch
from torch import Tensor, nn

from mmcrack.functional.probability import crack_logit

REDUCTIONS = ('mean', 'sum', 'none')


class BinaryLoss(nn.Module):
    """Base of losses of the log odds of crack.

    It makes one logit of each layout of outputs (see
    :func:`mmcrack.functional.probability.crack_logit`) and takes ignored
    pixels out: whatever stands there, NaN too, changes neither the loss nor
    a gradient. Subclasses implement :meth:`reduced`, in float32 or float64
    also inside autocast.

    Args:
        crack_class (int): Class index of crack.
        loss_weight (float): Factor.
        loss_name (str): Key in the log; with 'loss' in it it is trained on.

    Raises:
        ValueError: If ``crack_class`` is negative.
    """

    def __init__(self, *, crack_class: int, loss_weight: float,
                 loss_name: str) -> None:
        super().__init__()
        if crack_class < 0:
            raise ValueError(
                f'crack_class must be at least 0, got {crack_class}.')
        self.crack_class = crack_class
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    @abstractmethod
    def reduced(self, logit: Tensor, target: Tensor, valid: Tensor,
                weight: Tensor) -> Tensor:
        """Return the loss before ``loss_weight``.

        Args:
            logit (Tensor): Float, (N, H, W), log odds of crack; 0 where
                ignored.
            target (Tensor): Float, (N, H, W), {0, 1}; 0 where ignored.
            valid (Tensor): Bool, (N, H, W), not all False.
            weight (Tensor): Float, (N, H, W), >= 0; 0 where ignored.

        Returns:
            Tensor: A scalar, or a map (N, H, W).
        """

    def nothing(self, logit: Tensor) -> Tensor:
        """Return the loss where all pixels are ignored: 0.

        Args:
            logit (Tensor): Float, (N, H, W), all 0.

        Returns:
            Tensor: A scalar, or a map (N, H, W), connected to the logits and
            to the loss's own parameters.
        """
        return sum((0 * p.sum() for p in self.parameters()),
                   0 * logit.sum())

    def forward(self, seg_logits: Tensor, seg_label: Tensor, *,
                weight: Tensor | None = None,
                ignore_index: int = 255) -> Tensor:
        """Return the weighted loss.

        Args:
            seg_logits (Tensor): Float, (N, K, H, W): one channel for a
                sigmoid, two or more for a softmax. A list of points, (N, K,
                P, 1), is an image too.
            seg_label (Tensor): Int64, (N, H, W): classes, or
                ``ignore_index``.
            weight (Tensor, optional): Float, (N, H, W), >= 0, of pixels.
            ignore_index (int): Label of pixels that do not count.

        Returns:
            Tensor: Float32 or float64, a scalar (a map (N, H, W) without
            reduction). Over nothing it is 0 and keeps the graph.

        Raises:
            ValueError: If sizes differ, or ``crack_class`` is no channel.
        """
        size = (seg_logits.shape[0], *seg_logits.shape[2:])
        if tuple(seg_label.shape) != size:
            raise ValueError(
                f'{type(self).__name__} wants a label for each pixel: logits '
                f'{tuple(seg_logits.shape)} go with labels {size}, got '
                f'{tuple(seg_label.shape)}; resize the logits first.')
        valid = seg_label != ignore_index
        with torch.autocast(seg_logits.device.type, enabled=False):
            if seg_logits.dtype in (torch.float16, torch.bfloat16):
                seg_logits = seg_logits.float()
            # The channels first: 0 times NaN would come back as a gradient.
            logit = crack_logit(
                seg_logits.masked_fill(~valid[:, None], 0),
                crack_class=self.crack_class)
            logit = logit.masked_fill(~valid, 0)
            if not bool(valid.any()):
                return self.nothing(logit)
            counts = valid.to(logit)
            if weight is not None:
                counts = weight.to(logit).masked_fill(~valid, 0)
            target = (seg_label == self.crack_class) & valid
            return self.loss_weight * self.reduced(
                logit, target.to(logit), valid, counts)


class PixelLoss(BinaryLoss):
    """Base of losses that are a sum over pixels.

    Args:
        reduction (str): 'mean' over the pixels that are not ignored
            (``weight`` does not enter the number, as in MMSegmentation);
            'sum' over the pixels of an image, averaged over the batch;
            'none'.
        crack_class (int): Class index of crack.
        loss_weight (float): Factor.
        loss_name (str): Key in the log.

    Raises:
        ValueError: If ``reduction`` is unknown.
    """

    def __init__(self, *, reduction: str, crack_class: int,
                 loss_weight: float, loss_name: str) -> None:
        super().__init__(
            crack_class=crack_class, loss_weight=loss_weight,
            loss_name=loss_name)
        if reduction not in REDUCTIONS:
            raise ValueError(
                f'reduction must be one of {REDUCTIONS}, got {reduction!r}.')
        self.reduction = reduction

    @abstractmethod
    def loss_map(self, logit: Tensor, target: Tensor,
                 valid: Tensor) -> Tensor:
        """Return the loss of each pixel, float (N, H, W)."""

    def nothing(self, logit: Tensor) -> Tensor:
        """Return 0, for each pixel without reduction."""
        return 0 * logit if self.reduction == 'none' else 0 * logit.sum()

    def reduced(self, logit: Tensor, target: Tensor, valid: Tensor,
                weight: Tensor) -> Tensor:
        """Return the reduced map."""
        loss = weight * self.loss_map(logit, target, valid)
        if self.reduction == 'none':
            return loss
        if self.reduction == 'sum':
            return loss.sum() / len(loss)
        return loss.sum() / valid.sum()


def check_focus(gamma: float, alpha: float | None) -> None:
    """Refuse what no focal loss can mean.

    Args:
        gamma (float): Should be at least 0.
        alpha (float, optional): Should be None or in [0, 1].

    Raises:
        ValueError: If one is out of its range.
    """
    if gamma < 0:
        raise ValueError(f'gamma must be at least 0, got {gamma}.')
    if alpha is not None and not 0 <= alpha <= 1:
        raise ValueError(
            f'alpha must be None or between 0 and 1, got {alpha}.')
