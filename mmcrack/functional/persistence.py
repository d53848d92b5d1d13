"""Topology of a likelihood map: Hu et al. 2019 (NeurIPS), "TopoNet"."""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class PersistencePairs(NamedTuple):
    """Where the components and loops of a map are born and die.

    Attributes:
        finite (tuple[ndarray, ndarray]): Of components (dimension 0) and of
            loops (1), int64, (M, 4): row and column of the pixel of birth,
            row and column of the pixel of death.
        essential (ndarray): Int64, (2,), row and column of the pixel where
            the component is born that never dies: the largest value.
    """

    finite: tuple[np.ndarray, np.ndarray]
    essential: np.ndarray


def persistence_pairs(values: np.ndarray) -> PersistencePairs:
    """Return the critical pixels of a map's superlevel sets.

    While a threshold falls from the largest value to the least, pixels at or
    above it form components (8-connected) and loops around the rest
    (4-connected; what touches the map's border is no hole). Each is born at
    the value of one pixel and dies at the lower value of another: a
    component where it meets an older one, a loop where its hole fills.

    Args:
        values (ndarray): Float, (H, W).

    Returns:
        PersistencePairs: All pairs of different values.

    Raises:
        ImportError: If gudhi is not installed.
    """
    gudhi = need_gudhi()
    complex_ = gudhi.CubicalComplex(top_dimensional_cells=-values)
    complex_.compute_persistence()
    finite, essential = complex_.cofaces_of_persistence_pairs()
    # Numbers of cells run down the columns (Fortran's order).
    height = values.shape[0]
    pairs = []
    for dimension in (0, 1):
        cells = np.zeros((0, 2), np.int64)
        if dimension < len(finite):
            cells = finite[dimension].astype(np.int64).reshape(-1, 2)
        pairs.append(np.stack(
            [cells % height, cells // height], axis=-1).reshape(-1, 4))
    first = int(essential[0][0])
    return PersistencePairs(
        tuple(pairs), np.array([first % height, first // height]))


def need_gudhi() -> object:
    """Return the module gudhi.

    Returns:
        module: gudhi.

    Raises:
        ImportError: If it is not installed; says what to do.
    """
    try:
        import gudhi
    except ImportError as error:
        raise ImportError(
            'The topological loss needs gudhi, which is not installed: '
            "python -m pip install gudhi (mmcrack's extra 'topology' names "
            'it).') from error
    return gudhi


class MatchedDots(NamedTuple):
    """Critical pixels of a prediction, and what should become of them.

    Attributes:
        pixels (ndarray): Int64, (M, 4), row and column of birth, row and
            column of death.
        kept (ndarray): Bool, (M,): True where the dot has a partner in the
            truth, False where it should vanish.
        essential (ndarray): Int64, (E, 2) with E 0 or 1, row and column of
            the birth of a component that never dies and has a partner.
    """

    pixels: np.ndarray
    kept: np.ndarray
    essential: np.ndarray


def match_dots(prob: np.ndarray, target: np.ndarray, *,
               dimensions: Sequence[int]) -> MatchedDots:
    """Match the dots of a prediction's persistence diagram with the truth's.

    Hu et al. 2019, section 2. All dots of a binary truth are perfect (born
    at 1, dead at 0). If it has ``n`` in a dimension, the ``n`` most
    persistent dots of the prediction are their partners, and the others have
    none. The component that never dies has one if the truth has a component
    at all.

    The match of the most persistent is that of the authors' code. The best
    match in the sense of the squared distance can leave a faint dot without
    a partner where the truth has one to spare.

    Args:
        prob (ndarray): Float, (H, W), in [0, 1].
        target (ndarray): Of the same shape, {0, 1}.
        dimensions (Sequence[int]): 0 for components, 1 for loops.

    Returns:
        MatchedDots: All dots of the prediction in these dimensions.

    Raises:
        ImportError: If gudhi is not installed.
    """
    found, wanted = persistence_pairs(prob), persistence_pairs(target)
    pixels, kept = [], []
    for dimension in dimensions:
        dots = found.finite[dimension]
        persistence = (prob[dots[:, 0], dots[:, 1]].astype(np.float64) -
                       prob[dots[:, 2], dots[:, 3]])
        order = np.argsort(-persistence, kind='stable')
        partner = np.zeros(len(dots), bool)
        partner[order[:len(wanted.finite[dimension])]] = True
        pixels.append(dots)
        kept.append(partner)
    essential = found.essential[None]
    if 0 not in dimensions or not target.any():
        essential = essential[:0]
    return MatchedDots(
        np.concatenate(pixels), np.concatenate(kept), essential)


def topological_loss(prob: Tensor, target: Tensor, weight: Tensor, *,
                     patch_size: int, dimensions: Sequence[int],
                     skip_constant: bool) -> tuple[Tensor, int]:
    """Return the distance of the topologies of prediction and truth.

    Hu et al. 2019, section 2: the sum over the dots of all patches of the
    squared distance to their match (see :func:`match_dots`). A dot with a
    partner, born at ``b`` and dead at ``d``, costs ``(1 - b)^2 + d^2``; one
    without, the squared distance to the diagonal, ``(b - d)^2 / 2``; the
    component that never dies ``(1 - b)^2``. Dots of the truth without a
    partner cost a constant, which is left out. The gradient goes through the
    probabilities at the critical pixels; which ones these are is constant.

    Args:
        prob (Tensor): Float, (N, H, W), crack probability in [0, 1]; 0 where
            a pixel does not count.
        target (Tensor): Of the same shape, {0, 1}; 0 where a pixel does not
            count.
        weight (Tensor): Float, of the same shape, >= 0: factor of the squares
            at a critical pixel; of a distance to the diagonal the mean at
            both.
        patch_size (int): Images are cut into squares of this side, in
            pixels; at the right and the lower edge they are smaller.
        dimensions (Sequence[int]): 0 for components, 1 for loops.
        skip_constant (bool): Leave out patches whose truth is only crack or
            only background, as the authors' code does. Patches whose
            prediction is constant have no critical pixel and are always left
            out.

    Returns:
        tuple[Tensor, int]: A scalar, >= 0, and the number of patches, those
        left out included.

    Raises:
        ImportError: If gudhi is not installed.

    Example:
        A line of 0.9 whose gap has 0.3 costs 0.6^2 / 2 + 0.1^2 = 0.19 where
        the truth is one line, and 0.1^2 + 0.3^2 + 0.1^2 = 0.11 where it is
        two.
    """
    probs = prob.detach().cpu().numpy()
    targets = target.detach().cpu().numpy()
    count, height, width = probs.shape
    corners = list(product(range(count), range(0, height, patch_size),
                           range(0, width, patch_size)))
    total = 0 * prob.sum()
    for image, top, left in corners:
        patch = np.s_[image, top:top + patch_size, left:left + patch_size]
        constant = np.ptp(targets[patch]) == 0
        if np.ptp(probs[patch]) == 0 or (constant and skip_constant):
            continue
        dots = match_dots(
            probs[patch], targets[patch], dimensions=dimensions)
        total = total + _cost(dots, prob[patch], weight[patch])
    return total, len(corners)


def _cost(dots: MatchedDots, prob: Tensor, weight: Tensor) -> Tensor:
    """Return the summed cost of the dots of a patch (H, W)."""
    pixels, kept, essential = (
        torch.from_numpy(x).to(prob.device) for x in dots)
    birth, death = pixels[:, :2].unbind(dim=1), pixels[:, 2:].unbind(dim=1)
    b, d, wb, wd = prob[birth], prob[death], weight[birth], weight[death]
    cost = torch.where(
        kept, wb * (1 - b)**2 + wd * d**2,
        (wb + wd) / 2 * (b - d)**2 / 2)
    first = essential.unbind(dim=1)
    return cost.sum() + (weight[first] * (1 - prob[first])**2).sum()
