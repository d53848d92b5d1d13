"""One training step of a network in stock EncoderDecoder, bare or wrapped."""

import copy

import torch
from mmengine.config import ConfigDict
from mmseg.registry import MODELS

#: Output channels, CIRL's phase (0: not wrapped), precision.
CASES = [
    (1, 0, torch.float32), (2, 0, torch.bfloat16), (2, 1, torch.float32),
    (1, 2, torch.float32), (2, 2, torch.bfloat16)]


def cross_entropy(channels, **options):
    """The loss for a sigmoid or a softmax."""
    return dict(type='CrossEntropyLoss', avg_non_ignore=True,
                use_sigmoid=channels == 1, **options)


def segmentor(backbone, head, channels, phase):
    """Build a segmentor; in phase 1 or 2 CIRLHead is around the head."""
    head = dict(copy.deepcopy(head), num_classes=2, out_channels=channels)
    if channels == 1:
        head['threshold'] = .5
    if phase:
        head = dict(
            type='mmcrack.CIRLHead', seg_head=head, variance_threshold=0.,
            loss_ci=dict(type='mmcrack.CILoss', num_neighbors=4))
    model = MODELS.build(ConfigDict(
        type='EncoderDecoder', backbone=backbone, decode_head=head,
        test_cfg=dict(mode='whole')))
    if phase:
        model.decode_head.phase = phase
    return model


def train_step(model, images, samples, dtype):
    """Return all losses after one backward pass."""
    with torch.autocast('cpu', dtype=dtype, enabled=dtype != torch.float32):
        losses = model.loss(images, samples)
        total, _ = model.parse_losses(losses)
    total.backward()
    return {name: value.detach() for name, value in losses.items()}


def standing_still(model):
    """Names of parameters that a step did not move.

    CIRL's std head is only connected in phase II: it may have a gradient of
    zero.
    """
    return {name for name, p in model.named_parameters()
            if p.grad is None or not p.grad.isfinite().all()
            or (not p.grad.any() and 'std_head' not in name)}
