"""Clustering-inspired loss: CIRL, Eq. 9-15.

S is the set of ambiguous pixels of one image, with a feature and a vector of
class probabilities each. C_m are the K nearest neighbours of its member m by
the cosine of the features, O_m is what remains of S without m and C_m.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

#: Members that are looked at together in long rows of similarities.
GROUP = 64


@torch.no_grad()
def nearest_neighbors(features: Tensor, *, num_neighbors: int,
                      chunk_size: int) -> Tensor:
    """Return the K nearest neighbours of each member, by cosine.

    CIRL, between Eq. 9 and 10. Similarities are computed for ``chunk_size``
    members at a time: memory is O(chunk_size |S|). No member is its own
    neighbour, also where features repeat. A feature of length zero is at the
    similarity 0 to all.

    Args:
        features (Tensor): Float, (S, D).
        num_neighbors (int): K, in [1, S - 1].
        chunk_size (int): Members at a time, >= 1.

    Returns:
        Tensor: Int64, (S, K), the nearest first.

    Raises:
        ValueError: If a number is out of its range.
    """
    size = len(features)
    if not 1 <= num_neighbors < size:
        raise ValueError(
            f'num_neighbors must be between 1 and {size - 1}, one less than '
            f'the features, got {num_neighbors}.')
    if chunk_size < 1:
        raise ValueError(f'chunk_size must be at least 1, got {chunk_size}.')
    if features.dtype in (torch.float16, torch.bfloat16):
        features = features.float()
    unit = F.normalize(features, dim=1, eps=1e-8)
    index = torch.empty(
        (size, num_neighbors), dtype=torch.long, device=features.device)
    # One piece of memory for all: fresh memory takes as long as the products.
    # Columns beyond the last member fill its group and are never near.
    similarity = unit.new_full(
        (min(chunk_size, size), -(-size // GROUP) * GROUP), -math.inf)
    with torch.autocast(features.device.type, enabled=False):
        for start in range(0, size, chunk_size):
            rows = unit[start:start + chunk_size]
            part = similarity[:len(rows)]
            torch.mm(rows, unit.t(), out=part[:, :size])
            part.diagonal(start).fill_(-math.inf)
            index[start:start + chunk_size] = _largest(part, num_neighbors)
    return index


def _largest(rows: Tensor, count: int) -> Tensor:
    """Return the places of the largest entries of each row, largest first.

    Each of them lies in one of the ``count`` groups with the largest
    maxima: a group left out has ``count`` groups before it that hold an
    entry at least as large as all of its own.

    Args:
        rows (Tensor): Float, (R, G * GROUP).
        count (int): K.

    Returns:
        Tensor: Int64, (R, K).
    """
    if rows.shape[1] <= 4 * GROUP * count:
        return rows.topk(count, dim=1).indices
    groups = rows.view(-1, GROUP)
    best = groups.amax(1).view(len(rows), -1).topk(
        count, dim=1, sorted=False).indices
    # Whole groups are copied: gathering numbers takes several times as long.
    first = torch.arange(
        0, len(groups), rows.shape[1] // GROUP, device=rows.device)
    kept = groups.index_select(0, (best + first[:, None]).flatten())
    top = kept.view(len(rows), -1).topk(count, dim=1).indices
    return best.gather(1, top // GROUP) * GROUP + top % GROUP


def neighbor_loss(probs: Tensor, index: Tensor, *,
                  include_constant: bool = False,
                  detach_neighbors: bool = False,
                  disperse_weight: float = 1.) -> Tensor:
    """Return the clustering-inspired loss for given neighbours.

    CIRL Eq. 13 and 15. With ``T`` the sum of all probability vectors and
    ``s_m`` that of the neighbours of m, the second sum of Eq. 13 is ``p_m (T
    - s_m - p_m)``: time and memory are O(|S| K C), and no |S| x |S| matrix
    exists.

    Args:
        probs (Tensor): Float, (S, C), rows add up to 1.
        index (Tensor): Int64, (S, K), neighbours of each member, K < S - 1.
        include_constant (bool): Add ``(|C| - |O|) log |S|``, which depends
            on no parameter of the network.
        detach_neighbors (bool): No gradient through ``p_n`` and ``p_k``,
            only through ``p_m``. Not in the paper (Yang et al. 2022, CIRL's
            [59], take neighbours from a memory).
        disperse_weight (float): Factor of the second sum of Eq. 13. Not in
            the paper (its [59] lowers it while training).

    Returns:
        Tensor: Float, a scalar, in [-K, K] without the constant and with a
        ``disperse_weight`` of 1.

    Raises:
        ValueError: If O_m is empty.
    """
    size, near = index.shape
    far = size - 1 - near
    if far < 1:
        raise ValueError(
            f'{size} members with {near} neighbours leave none farther '
            'away: at least num_neighbors + 2 members are needed.')
    if probs.dtype in (torch.float16, torch.bfloat16):
        probs = probs.float()
    others = probs.detach() if detach_neighbors else probs
    neighbors = others[index].sum(1)
    rest = others.sum(0) - neighbors - others
    attract = (probs * neighbors).sum(1)
    disperse = (probs * rest).sum(1)
    loss = (disperse_weight * near / far * disperse - attract).mean()
    if include_constant:
        loss = loss + (near - far) * math.log(size)
    return loss


def ci_loss(features: Tensor, probs: Tensor, *, num_neighbors: int,
            include_constant: bool = False, detach_neighbors: bool = False,
            disperse_weight: float = 1., chunk_size: int = 1024) -> Tensor:
    """Return the clustering-inspired loss of one image.

    CIRL Eq. 9-15: neighbours in the feature space should have similar
    predictions, features farther away dissimilar ones. Features only choose
    the neighbours; gradients go through the predictions.

    Eq. 13 is called an upper bound of Eq. 12 but is an approximation: its
    first step (Jensen's inequality) is a bound, its second replaces a mean
    over S by one over O_m, which may be larger: 75 of 2000 members of random
    sets of 40 with K = 5 lie below Eq. 12 (``tests/functional/test_ci.py``).

    Args:
        features (Tensor): Float, (S, D), of the ambiguous pixels.
        probs (Tensor): Float, (S, C), their class probabilities.
        num_neighbors (int): K, >= 1.
        include_constant (bool): See :func:`neighbor_loss`.
        detach_neighbors (bool): See :func:`neighbor_loss`.
        disperse_weight (float): See :func:`neighbor_loss`.
        chunk_size (int): See :func:`nearest_neighbors`.

    Returns:
        Tensor: Float, a scalar. Where S has fewer than K + 2 members O_m
        would be empty: then 0, connected to the graph.

    Raises:
        ValueError: If a number is out of its range or the lengths differ.
    """
    if len(features) != len(probs):
        raise ValueError('features and probs must have as many members, got '
                         f'{len(features)} and {len(probs)}.')
    if num_neighbors < 1:
        raise ValueError(
            f'num_neighbors must be at least 1, got {num_neighbors}.')
    if len(features) < num_neighbors + 2:
        return 0 * probs.sum()
    index = nearest_neighbors(
        features, num_neighbors=num_neighbors, chunk_size=chunk_size)
    return neighbor_loss(
        probs,
        index,
        include_constant=include_constant,
        detach_neighbors=detach_neighbors,
        disperse_weight=disperse_weight)


def neg_log_ratio(features: Tensor, probs: Tensor, *,
                  num_neighbors: int) -> Tensor:
    """Return the negative log ratio of the two likelihoods, exactly.

    CIRL Eq. 9-12. It needs all |S| x |S| products: for small sets, to check
    :func:`ci_loss` against.

    Args:
        features (Tensor): Float, (S, D).
        probs (Tensor): Float, (S, C).
        num_neighbors (int): K, in [1, S - 2].

    Returns:
        Tensor: Float, (S,), one value for each member.
    """
    index = nearest_neighbors(
        features, num_neighbors=num_neighbors, chunk_size=len(features))
    log_p = F.log_softmax(probs @ probs.t(), dim=1)
    near = torch.zeros_like(log_p).scatter_(1, index, 1.)
    far = 1 - near - torch.eye(len(probs), dtype=probs.dtype,
                               device=probs.device)
    return (log_p * (far - near)).sum(1)
