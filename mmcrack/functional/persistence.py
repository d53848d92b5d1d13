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


def critical_goals(prob: np.ndarray, target: np.ndarray, *,
                   dimensions: Sequence[int]) -> tuple[
                       np.ndarray, np.ndarray]:
    """Return the pixels that decide the topology and what they should be.

    Hu et al. 2019, section 2: the dots of the prediction's persistence
    diagram are matched with those of the truth. All dots of a binary truth
    are perfect (born at 1, dead at 0). If it has ``n`` in a dimension, the
    ``n`` most persistent dots of the prediction are made perfect (their
    births should be 1, their deaths 0), and the others vanish (birth and
    death should meet halfway). The component that never dies should be born
    at 1 if the truth has a component at all. Perfect dots of the truth that
    find no partner cost a constant, which is left out.

    The match of the most persistent is that of the authors' code. The best
    match in the sense of the squared distance can leave a faint dot to
    vanish that should be made perfect; a test compares them where they agree.

    Args:
        prob (ndarray): Float, (H, W), in [0, 1].
        target (ndarray): Of the same shape, {0, 1}.
        dimensions (Sequence[int]): 0 for components, 1 for loops.

    Returns:
        tuple[ndarray, ndarray]: Int64, (M, 2), row and column; float64,
        (M,), what the probability should be there.

    Raises:
        ImportError: If gudhi is not installed.
    """
    found, wanted = persistence_pairs(prob), persistence_pairs(target)
    positions, goals = [], []
    for dimension in dimensions:
        pixels = found.finite[dimension].reshape(-1, 2, 2)
        values = prob[pixels[..., 0], pixels[..., 1]].astype(np.float64)
        order = np.argsort(values[:, 1] - values[:, 0], kind='stable')
        kept = order[:len(wanted.finite[dimension])]
        goal = np.repeat(values.mean(axis=1, keepdims=True), 2, axis=1)
        goal[kept] = (1., 0.)
        positions.append(pixels.reshape(-1, 2))
        goals.append(goal.reshape(-1))
        if dimension == 0 and target.any():
            positions.append(found.essential[None])
            goals.append(np.ones(1))
    return np.concatenate(positions), np.concatenate(goals)


def topological_loss(prob: Tensor, target: Tensor, weight: Tensor, *,
                     patch_size: int, dimensions: Sequence[int],
                     skip_constant: bool) -> tuple[Tensor, int]:
    """Return the distance of the topologies of prediction and truth.

    Hu et al. 2019, section 2: the sum over the dots of all patches of the
    squared distance to their match (see :func:`critical_goals`), as a
    function of the probabilities at the critical pixels, through which it
    has a gradient. Nothing else has one: which pixels are critical is
    constant.

    Args:
        prob (Tensor): Float, (N, H, W), crack probability in [0, 1]; 0 where
            a pixel does not count.
        target (Tensor): Of the same shape, {0, 1}; 0 where a pixel does not
            count.
        weight (Tensor): Float, of the same shape, >= 0: how much a pixel
            counts where it is critical.
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
    """
    probs = prob.detach().cpu().numpy()
    targets = target.detach().cpu().numpy()
    count, height, width = probs.shape
    corners = list(product(range(count), range(0, height, patch_size),
                           range(0, width, patch_size)))
    places, goals = [np.zeros((0, 3), np.int64)], [np.zeros(0)]
    for image, top, left in corners:
        patch = np.s_[image, top:top + patch_size, left:left + patch_size]
        constant = np.ptp(targets[patch]) == 0
        if np.ptp(probs[patch]) == 0 or (constant and skip_constant):
            continue
        positions, goal = critical_goals(
            probs[patch], targets[patch], dimensions=dimensions)
        places.append(np.column_stack(
            [np.full(len(goal), image), positions + (top, left)]))
        goals.append(goal)
    where = torch.from_numpy(np.concatenate(places)).to(prob.device)
    wanted = torch.from_numpy(np.concatenate(goals)).to(prob)
    at = where.unbind(dim=1)
    return (weight[at] * (prob[at] - wanted)**2).sum(), len(corners)
