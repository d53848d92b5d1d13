"""Thinning and one-to-one matching of the BSDS boundary benchmark.

Sources: Martin et al. 2004, as coded in ``edgesEvalImg`` (Dollar and Zitnick
2015) and used for cracks by FPHB (Yang et al. 2020): maps are thinned as
MATLAB's ``bwmorph(map, 'thin', inf)`` does, and each pixel is matched with
at most one of the other map within a distance.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_flow
from scipy.spatial import KDTree

# Guo and Hall's x1 ... x8: from the right neighbour counter-clockwise.
_AROUND = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0),
           (1, 1))


@cache
def _removable() -> tuple:
    """Which of the 256 neighbourhoods each half of a pass takes away.

    Guo and Hall 1989, conditions G1, G2 and G3 or G3'; bit i is x(i + 1).
    """
    x = [(np.arange(256) >> i & 1).astype(bool) for i in range(8)]
    x.append(x[0])
    crossings = sum(
        (~x[i] & (x[i + 1] | x[i + 2])).astype(int) for i in (0, 2, 4, 6))
    first = sum((x[i] | x[i + 1]).astype(int) for i in (0, 2, 4, 6))
    second = sum((x[i] | x[i + 1]).astype(int) for i in (1, 3, 5, 7))
    fewer = np.minimum(first, second)
    both = (crossings == 1) & (fewer >= 2) & (fewer <= 3)
    return (both & ~((x[1] | x[2] | ~x[7]) & x[0]),
            both & ~((x[5] | x[6] | ~x[3]) & x[4]))


def thin_in_place(framed: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Thin a mask to lines of one pixel, looking only where it changes.

    Equal to scikit-image's ``thin``; the work is in proportion to the
    pixels of the mask and not of the image.

    Args:
        framed (np.ndarray): Uint8 {0, 1}, (H + 2, W + 2), C order, 0 on its
            outermost pixels; changed.
        pixels (np.ndarray): Int64, flat positions of all that is 1.

    Returns:
        np.ndarray: Int64, flat positions of what is left.
    """
    flat = framed.reshape(-1)
    around = np.array([dy * framed.shape[1] + dx for dy, dx in _AROUND])
    # A half of a pass looks at what lies beside the pixels that went in the
    # two halves before; the first two look at all.
    older = newer = [pixels]
    turn = 0
    while any(x.size for x in (*older, *newer)):
        seen = _present_once(flat, (*older, *newer))
        code = np.zeros(seen.size, np.uint8)
        for bit, offset in enumerate(around):
            code |= flat[seen + offset] << np.uint8(bit)
        gone = seen[_removable()[turn][code]]
        flat[gone] = 0
        older, newer = newer, [_present_once(
            flat, [gone + offset for offset in around])]
        turn = 1 - turn
    return pixels[flat[pixels] > 0]


def _present_once(flat: np.ndarray, groups: Sequence) -> np.ndarray:
    """All positions of the groups where ``flat`` is 1, none twice."""
    kept = []
    for group in groups:
        group = group[flat[group] == 1]
        # A mark, so that no later group brings it again.
        flat[group] = 2
        kept.append(group)
    kept = np.concatenate(kept)
    flat[kept] = 1
    return kept


def thin(mask: np.ndarray) -> np.ndarray:
    """Thin a mask as MATLAB's ``bwmorph(mask, 'thin', inf)``.

    Args:
        mask (np.ndarray): Bool, (H, W).

    Returns:
        np.ndarray: Bool, (H, W).
    """
    framed = np.pad(mask, 1).astype(np.uint8)
    thin_in_place(framed, np.flatnonzero(framed))
    return framed[1:-1, 1:-1] > 0


def match_one_to_one(pred: np.ndarray, target: KDTree, *,
                     distance: float) -> int:
    """Return the size of the largest matching of two sets of pixels.

    Each pixel has at most one partner, at most ``distance`` away. BSDS's
    own solver adds a price for the distance and a far higher one for a
    pixel left alone, so that it finds as many pairs (but for rare chains).

    Args:
        pred (np.ndarray): Integers, (M, 2), rows and columns.
        target (KDTree): Of the pixels of the truth.
        distance (float): In pixels, Euclidean.

    Returns:
        int: Number of pairs.
    """
    if not len(pred) or not target.n:
        return 0
    # Half-way between two whole numbers no rounding matters.
    limit = np.sqrt(np.floor(distance * distance * (1 + 1e-12)) + 0.5)
    pred_tree = KDTree(pred)
    certain = 0
    if len(pred) > 2 * target.n:
        # A true pixel with more choices than rivals for them finds one
        # whatever the others take. Without this a noisy map at a low
        # threshold makes more pairs than memory holds.
        choices = pred_tree.query_ball_point(
            target.data, limit, return_length=True)
        rivals = target.query_ball_point(
            target.data, 2 * limit, return_length=True) - 1
        open_ = target.data[choices <= rivals]
        certain = target.n - len(open_)
        if not len(open_):
            return certain
        target = KDTree(open_)
    return certain + _largest_matching(pred_tree, target, limit)


def _largest_matching(pred: KDTree, target: KDTree, limit: float) -> int:
    """Pairs of the largest matching, as a flow through the graph."""
    pairs = pred.sparse_distance_matrix(
        target, limit, output_type='ndarray')
    # One unit may flow from a source (0) through each predicted and each
    # true pixel to a sink. (SciPy's maximum_bipartite_matching takes
    # minutes where many pixels stay alone.)
    first, last = 1 + pred.n, 1 + pred.n + target.n
    start = np.concatenate([np.zeros(pred.n, np.int32), 1 + pairs['i'],
                            np.arange(first, last)])
    end = np.concatenate([np.arange(1, first), first + pairs['j'],
                          np.full(target.n, last)])
    graph = csr_matrix(
        (np.ones(len(start), np.int32),
         (start.astype(np.int32), end.astype(np.int32))),
        shape=(last + 1, last + 1))
    return int(maximum_flow(graph, 0, last, method='dinic').flow_value)
