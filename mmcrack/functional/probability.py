"""One crack probability for every layout of network outputs."""

import torch
from torch import Tensor


def crack_logit(seg_logits: Tensor, *, crack_class: int = 1) -> Tensor:
    """Return the log odds of crack against everything else.

    Not in the papers: both leave the layout of the output open. With one
    channel the logit itself; with two ``z_crack - z_background``; with more
    ``z_crack - logsumexp(others)``. In each case
    ``sigmoid(crack_logit) == softmax(seg_logits)[crack_class]``.

    Args:
        seg_logits (Tensor): Float, (N, C, ...), not normalised.
        crack_class (int): Channel of crack; unused where C is 1.

    Returns:
        Tensor: Float, (N, ...).

    Raises:
        ValueError: If ``crack_class`` is no channel of ``seg_logits``.
    """
    channels = seg_logits.shape[1]
    if channels == 1:
        return seg_logits[:, 0]
    if not 0 <= crack_class < channels:
        raise ValueError(
            f'crack_class must be a channel of the {channels} that the '
            f'network puts out (0 to {channels - 1}), got {crack_class}.')
    crack = seg_logits[:, crack_class]
    if channels == 2:
        return crack - seg_logits[:, 1 - crack_class]
    others = torch.cat(
        [seg_logits[:, :crack_class], seg_logits[:, crack_class + 1:]], dim=1)
    return crack - torch.logsumexp(others, dim=1)


def crack_probability(seg_logits: Tensor, *, crack_class: int = 1) -> Tensor:
    """Return the probability of crack.

    Args:
        seg_logits (Tensor): Float, (N, C, ...), not normalised.
        crack_class (int): Channel of crack; unused where C is 1.

    Returns:
        Tensor: Float32 or float64, (N, ...), in [0, 1].
    """
    logit = crack_logit(seg_logits, crack_class=crack_class)
    if logit.dtype in (torch.float16, torch.bfloat16):
        logit = logit.float()
    return logit.sigmoid()
