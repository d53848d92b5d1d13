"""Parameters and multiply-adds of a network, counted by hooks.

The reference figures were counted in this way on the reference code: two
operations for each multiply-add of convolutions, transposed convolutions and
linear layers, nothing else.
"""

import math

import torch
from torch import nn

_CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose2d, )


def megaparams(*modules: nn.Module) -> float:
    """Parameters in millions."""
    return sum(p.numel() for m in modules for p in m.parameters()) / 1e6


def gigaflops(run, *modules: nn.Module) -> float:
    """Operations of ``run()`` in billions, as counted in ``modules``."""
    total = 0

    def count(module, inputs, output):
        nonlocal total
        weight = module.weight.numel()
        if isinstance(module, _CONVS):
            total += 2 * weight * math.prod(output.shape[2:]) * len(output)
        elif isinstance(module, _TRANSPOSED):
            total += (2 * weight * math.prod(inputs[0].shape[2:])
                      * len(output))
        else:
            rows = inputs[0].numel() // inputs[0].shape[-1]
            total += 2 * weight * rows

    kinds = (*_CONVS, *_TRANSPOSED, nn.Linear)
    hooks = [m.register_forward_hook(count)
             for module in modules for m in module.modules()
             if isinstance(m, kinds)]
    with torch.no_grad():
        run()
    for hook in hooks:
        hook.remove()
    return total / 1e9
