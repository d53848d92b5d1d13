"""Nearest-neighbour contrast: Dwibedi et al. 2021 (NNCLR), CIRL's [13]."""

import torch
import torch.nn.functional as F
from torch import Tensor


def nearest_in_queue(embeddings: Tensor, queue: Tensor) -> Tensor:
    """Return the nearest member of a queue for each embedding.

    NNCLR, Eq. 2, by cosine; without gradient.

    Args:
        embeddings (Tensor): Float, (S, D), of length 1.
        queue (Tensor): Float, (Q, D), of length 1, Q >= 1.

    Returns:
        Tensor: Float, (S, D).
    """
    with torch.no_grad():
        return queue[(embeddings @ queue.t()).argmax(1)]


def nnclr_loss(neighbors: Tensor, predictions: Tensor, *,
               temperature: float) -> Tensor:
    """Return the contrast of neighbours and predictions, for each member.

    NNCLR, Eq. 3: ``-log softmax_j(n_i q_j / temperature)[i]``.

    Args:
        neighbors (Tensor): Float, (S, D), of length 1: the neighbours of
            one view.
        predictions (Tensor): Float, (S, D), of length 1: what is predicted
            from the other view.
        temperature (float): > 0.

    Returns:
        Tensor: Float, (S,), >= 0.
    """
    scores = neighbors @ predictions.t() / temperature
    target = torch.arange(len(scores), device=scores.device)
    return F.cross_entropy(scores, target, reduction='none')
