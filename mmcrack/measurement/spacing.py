"""Distance from each crack to its neighbours.

Not in the papers.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

_MOST_POINTS = 2000


def nearest_other(lines: Sequence[NDArray[np.floating]]
                  ) -> list[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Find, for points on each line, the nearest point of another line.

    Two lines differ in at least one bit of their numbers. So for each bit
    one tree holds the lines with it and one those without; the nearest
    point of another line is the nearest over the bits.

    Args:
        lines (Sequence[np.ndarray]): Float, (K_i, 2), K_i >= 1, (x, y).

    Returns:
        list: For each line (distance, which): float64 (M_i,), infinite
        where there is no other line, and int64 (M_i,), its number or -1.
        Of a long line evenly spread points are taken, at most 2000.
    """
    asked = [line[::-(-len(line) // _MOST_POINTS)] for line in lines]
    owner = np.repeat(np.arange(len(lines)), [len(p) for p in asked])
    points = np.concatenate(asked) if asked else np.zeros((0, 2))
    every = np.concatenate(lines) if asked else np.zeros((0, 2))
    every_owner = np.repeat(np.arange(len(lines)), [len(p) for p in lines])
    best = np.full(len(points), np.inf)
    which = np.full(len(points), -1)
    for bit in range(max(len(lines) - 1, 0).bit_length()):
        for value in (0, 1):
            others = np.flatnonzero((every_owner >> bit) & 1 != value)
            mine = np.flatnonzero((owner >> bit) & 1 == value)
            if not len(others) or not len(mine):
                continue
            distance, found = cKDTree(every[others]).query(points[mine])
            closer = distance < best[mine]
            best[mine[closer]] = distance[closer]
            which[mine[closer]] = every_owner[others[found[closer]]]
    cuts = np.cumsum([len(p) for p in asked])[:-1]
    return list(zip(np.split(best, cuts), np.split(which, cuts),
                    strict=True)) if asked else []
