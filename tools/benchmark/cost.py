"""What a network costs in a test: parameters and operations."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.config import Config
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'analysis'))

import get_flops  # noqa: E402

TRAINING_ONLY = ('auxiliary_head', 'std_head')


def test_parameters(model: nn.Module) -> int:
    """Count the parameters that predict.

    Args:
        model (nn.Module): A segmentor.

    Returns:
        int: All but those of auxiliary heads, CIRL's std head and losses.
    """
    return sum(
        p.numel() for name, p in model.named_parameters()
        if not any(part in TRAINING_ONLY or part.startswith('loss_')
                   for part in name.split('.')))


def cost_of(cfg: Config, shape: Sequence[int],
            share: float = 0.05) -> tuple[int, float | None]:
    """Count a network's parameters and its operations for one image.

    Args:
        cfg (Config): A whole config.
        shape (Sequence[int]): (H, W) of the image.
        share (float): Pixels that a rendering head renders, in [0, 1].

    Returns:
        tuple[int, float | None]: Parameters, and operations in billions
        (two for each multiply-add of convolutions, matrix products and
        attention); None where the network cannot be traced.
    """
    logging.getLogger('mmengine').setLevel(logging.ERROR)
    model = get_flops.build(cfg, share)
    parameters = test_parameters(model)
    try:
        counts = get_flops.analyse(model, get_flops.image_for(model, shape))
    except (RuntimeError, torch.jit.TracingCheckError, TypeError,
            NotImplementedError):
        return parameters, None
    return parameters, 2 * get_flops.macs_of(counts['']) / 1e9
