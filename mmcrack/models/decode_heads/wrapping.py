"""What a head that wraps another one needs to know of it."""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.structures import PixelData
from mmseg.models.losses import accuracy
from torch import Tensor, nn

from mmcrack.registry import MODELS


def accuracy_of(logits: Tensor, label: Tensor, ignore_index: int) -> Tensor:
    """Return the pixel accuracy in percent, for one or more channels."""
    if logits.shape[1] == 1:
        logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
    if not bool((label != ignore_index).any()):
        return logits.new_zeros(())
    return accuracy(logits, label, ignore_index=ignore_index)


def losses_of(head: nn.Module) -> list[nn.Module]:
    """Return the losses of a head as a list."""
    losses = head.loss_decode
    return list(losses) if isinstance(losses, nn.ModuleList) else [losses]


def feature_channels(head: nn.Module) -> int:
    """Return the channels of what a head classifies."""
    channels = getattr(head, 'feature_channels', None)
    if channels is not None:
        return channels
    classifier = getattr(head, 'conv_seg', None)
    if not hasattr(head, 'cls_seg') or not hasattr(classifier, 'in_channels'):
        raise TypeError(
            f'{type(head).__name__} cannot be wrapped by CIRLHead: it has no '
            'classifier (conv_seg, applied by cls_seg); wrap a head that '
            'classifies pixels, such as FCNHead, UPerHead or SegformerHead.')
    return classifier.in_channels


def build_ci(cfg: dict | None, channels: int) -> nn.Module | None:
    """Build the loss of ambiguous pixels; fill in channels if it asks."""
    if cfg is None:
        return None
    kind = cfg['type']
    kind = kind if inspect.isclass(kind) else MODELS.get(kind)
    if getattr(kind, 'wants_in_channels', False):
        cfg = {'in_channels': channels, **cfg}
    return MODELS.build(cfg)


@contextmanager
def classified_features(head: nn.Module) -> Iterator[list[Tensor]]:
    """Collect what a head classifies, before its dropout."""
    seen: list[Tensor] = []
    original = head.cls_seg

    def cls_seg(features: Tensor) -> Tensor:
        seen.append(features)
        return original(features)

    head.cls_seg = cls_seg
    try:
        yield seen
    finally:
        del head.cls_seg


def ignore_pixels(samples: Sequence[Any], ambiguous: Tensor,
                  ignore_index: int) -> None:
    """Give samples a truth without ambiguous pixels, for later heads."""
    for sample, mask in zip(samples, ambiguous, strict=True):
        data = sample.gt_sem_seg.data
        sample.gt_sem_seg = PixelData(
            data=data.masked_fill(mask[None], ignore_index))
