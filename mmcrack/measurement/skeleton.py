"""The skeleton of a mask as a graph: end points, branch points, branches.

Not in the papers. Thinning is scikit-image's (Lee et al. 1994); this module
reads its pixels as a graph and removes spurs.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from skimage.morphology import skeletonize

# A spur must stick out of the crack that it leaves by this many pixels, and
# by this share of the crack's half width: the corners of a bar's flat end
# give spurs that stick out by 0.41 of it.
_LEAST_STICK_OUT = 2.0
_STICK_OUT_SHARE = 0.5


@dataclass(frozen=True, kw_only=True)
class SkeletonBranch:
    """A run of skeleton pixels between two nodes.

    Attributes:
        pixels (np.ndarray): Int64, (K,), indices into the skeleton's
            pixels, in order.
        nodes (tuple[int, int] | None): Numbers of the two nodes; None for
            a closed loop without any node.
        free (tuple[bool, bool]): Whether each end is an end point of the
            skeleton, rather than a branch point.
    """

    pixels: NDArray[np.int64]
    nodes: tuple[int, int] | None
    free: tuple[bool, bool]


def skeleton_pixels(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Thin a mask to lines of one pixel.

    Args:
        mask (np.ndarray): Bool or uint8, (H, W), true where crack.

    Returns:
        np.ndarray: Int64, (N, 2), row and column of the skeleton's pixels
        in raster order.
    """
    # Only the box around the cracks costs time and memory.
    left, top, width, height = cv2.boundingRect(
        np.asarray(mask).view(np.uint8))
    if not width:
        return np.zeros((0, 2), np.int64)
    box = np.asarray(mask)[top:top + height, left:left + width]
    # Not the default method: Zhang and Suen's thinning rubs out diagonal
    # bars (three pixels wide at 135 degrees: one pixel is left).
    thin = skeletonize(box.astype(bool), method='lee')
    return np.argwhere(thin) + (top, left)


def skeleton_links(pixels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find which skeleton pixels touch.

    A diagonal step is left out where the two pixels are joined by a pixel
    beside both, so that a bend is no triangle.

    Args:
        pixels (np.ndarray): Int64, (N, 2), row and column in raster order.

    Returns:
        np.ndarray: Int64, (L, 2), pairs of indices, each pair once.
    """
    if not len(pixels):
        return np.zeros((0, 2), np.int64)
    stride = int(pixels[:, 1].max()) + 3
    place = pixels[:, 0] * stride + pixels[:, 1] + 1

    def neighbour(rows, columns):
        wanted = place + rows * stride + columns
        found = np.minimum(np.searchsorted(place, wanted), len(place) - 1)
        return np.where(place[found] == wanted, found, -1)

    right, left = neighbour(0, 1), neighbour(0, -1)
    below = neighbour(1, 0)
    links = [right, below,
             np.where((right < 0) & (below < 0), neighbour(1, 1), -1),
             np.where((left < 0) & (below < 0), neighbour(1, -1), -1)]
    index = np.arange(len(pixels))
    return np.concatenate(
        [np.stack([index, other], 1)[other >= 0] for other in links])


class SkeletonGraph:
    """Branches between end points and branch points.

    Args:
        pixels (np.ndarray): Int64, (N, 2), of :func:`skeleton_pixels`.

    Attributes:
        pixels (np.ndarray): Int64, (N, 2), row and column.
        node_of (np.ndarray): Int64, (N,), node of a pixel, -1 for none.
            Branch points that touch are one node.
    """

    def __init__(self, pixels: NDArray[np.int64]):
        self.pixels = pixels
        links = skeleton_links(pixels)
        both = np.concatenate([links, links[:, ::-1]])
        both = both[np.argsort(both[:, 0], kind='stable')]
        degree = np.bincount(both[:, 0], minlength=len(pixels))
        start = np.concatenate([[0], np.cumsum(degree)])
        self._near = [both[start[i]:start[i + 1], 1].tolist()
                      for i in range(len(pixels))]
        self.node_of = _nodes(links, degree)
        self._branches: dict[int, SkeletonBranch] = {}
        self._at_node: dict[int, list[int]] = {
            n: [] for n in range(int(self.node_of.max(initial=-1)) + 1)}
        self._next = 0
        self._middle = np.stack([
            np.bincount(self.node_of[self.node_of >= 0], weights=column[
                self.node_of >= 0]) for column in pixels.T], 1) / np.maximum(
                    np.bincount(self.node_of[self.node_of >= 0]), 1)[:, None]
        self._trace()

    def branches(self) -> list[SkeletonBranch]:
        """Return what is there now, a lone pixel as a branch of one."""
        return list(self._branches.values())

    def _add(self, pixels, nodes):
        """Store a branch; its ends are free where nothing else meets."""
        key, self._next = self._next, self._next + 1
        if nodes is not None:
            for node in nodes:
                self._at_node[node].append(key)
        self._branches[key] = SkeletonBranch(
            pixels=np.asarray(pixels, np.int64), nodes=nodes,
            free=(False, False))
        return key

    def _trace(self):
        """Walk from node to node, then round the loops without any."""
        node_of = self.node_of.tolist()
        near, seen = self._near, np.zeros(len(node_of), bool)
        for first in np.flatnonzero(self.node_of >= 0).tolist():
            seen[first] = True
            if not near[first]:
                self._add([first], (node_of[first], node_of[first]))
            for step in near[first]:
                path = self._walk(first, step, node_of)
                last = path[-1]
                inside = len(path) == 2 and node_of[first] == node_of[last]
                # Each branch is met from both of its ends.
                back = (last, path[-2]) < (first, step)
                if inside or back:
                    continue
                seen[path] = True
                self._add(path, (node_of[first], node_of[last]))
        for first in np.flatnonzero(~seen).tolist():
            if not seen[first]:
                path = self._round(first)
                seen[path] = True
                self._add([*path, first], None)
        self._mark_free(self._branches)

    def _walk(self, first, step, node_of):
        """Follow pixels from a node until the next."""
        path, before = [first, step], first
        while node_of[step] < 0:
            a, b = self._near[step]
            before, step = step, b if a == before else a
            path.append(step)
        return path

    def _round(self, first):
        """Follow a closed loop once."""
        path, before, step = [first], first, self._near[first][0]
        while step != first:
            path.append(step)
            a, b = self._near[step]
            before, step = step, b if a == before else a
        return path

    def _mark_free(self, keys):
        """Say anew which ends of some branches are end points."""
        for key in list(keys):
            old = self._branches[key]
            free = (False, False) if old.nodes is None else tuple(
                len(self._at_node[node]) == 1 or old.pixels.size == 1
                for node in old.nodes)
            self._branches[key] = SkeletonBranch(
                pixels=old.pixels, nodes=old.nodes, free=free)

    # --- spurs -----------------------------------------------------------

    def prune(self, radius: NDArray[np.floating], *, factor: float) -> None:
        """Remove spurs, those that stick out least first.

        A branch with one free end sticks out of the crack that it leaves by
        ``length + r(end) - r(branch point)``, r being the distance to the
        crack's edge. It is a spur if that is less than
        ``factor * (2 px + r(branch point) / 2)``.

        Args:
            radius (np.ndarray): Float, (N,), distance of each skeleton
                pixel to the edge, in pixels.
            factor (float): >= 0; 0 removes nothing.
        """
        queue = [(s, k) for k in self._branches
                 if (s := self._excess(k, radius, factor)) is not None]
        heapq.heapify(queue)
        while queue:
            stick_out, key = heapq.heappop(queue)
            if key not in self._branches or (
                    self._excess(key, radius, factor) != stick_out):
                continue
            for changed in self._remove(key):
                again = self._excess(changed, radius, factor)
                if again is not None:
                    heapq.heappush(queue, (again, changed))

    def _excess(self, key, radius, factor):
        """How far a spur sticks out; None for what is no spur."""
        branch = self._branches[key]
        if branch.free[0] == branch.free[1]:
            return None
        pixels = branch.pixels if branch.free[1] else branch.pixels[::-1]
        length = self.length(pixels)
        half = radius[pixels[0]]
        excess = float(length + radius[pixels[-1]] - half)
        limit = factor * (_LEAST_STICK_OUT + _STICK_OUT_SHARE * half)
        return excess if excess < limit else None

    def chain(self, branch: SkeletonBranch, radius: NDArray[np.floating]
              ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return a branch as a line that begins and ends at its nodes.

        Args:
            branch (SkeletonBranch): Of this graph.
            radius (np.ndarray): Float, (N,), a value of each pixel.

        Returns:
            tuple[np.ndarray, np.ndarray]: (x, y), (K, 2), and the values,
            (K,). A junction of several pixels is one point, their mean.
        """
        line = self.pixels[branch.pixels][:, ::-1].astype(np.float64)
        half = radius[branch.pixels]
        for end in (0, 1):
            if branch.nodes is None or branch.free[end]:
                continue
            middle = self._middle[branch.nodes[end]][::-1]
            at = -1 if end else 0
            if not np.array_equal(line[at], middle):
                parts = [line, middle[None]], [half, half[at:][:1]]
                line, half = (np.concatenate(p if end else p[::-1])
                              for p in parts)
        return line, half

    def length(self, pixels: NDArray[np.int64]) -> float:
        """Length of a chain of pixels, steps of 1 and sqrt(2)."""
        steps = np.diff(self.pixels[pixels], axis=0)
        return float(np.hypot(steps[:, 0], steps[:, 1]).sum())

    def _remove(self, key) -> Iterator[int]:
        """Remove a branch, join what is left; yield what changed."""
        gone = self._branches.pop(key)
        for node in set(gone.nodes):
            rest = self._at_node[node] = [
                k for k in self._at_node[node] if k != key]
            if len(rest) == 2 and rest[0] != rest[1]:
                yield self._join(node, *rest)
            elif len(rest) == 2:
                self._close(node, rest[0])
            elif len(rest) == 1:
                self._mark_free(rest)
                yield rest[0]

    def _join(self, node, one, two):
        """Make one branch of the two that meet at a node."""
        a, b = self._branches.pop(one), self._branches.pop(two)
        head = a.pixels if a.nodes[1] == node else a.pixels[::-1]
        tail = b.pixels if b.nodes[0] == node else b.pixels[::-1]
        ends = (a.nodes[0] if a.nodes[1] == node else a.nodes[1],
                b.nodes[1] if b.nodes[0] == node else b.nodes[0])
        for old, branch in ((one, a), (two, b)):
            for end in set(branch.nodes):
                self._at_node[end] = [
                    k for k in self._at_node[end] if k != old]
        # The two may end at different pixels of the node.
        tail = tail[1:] if head[-1] == tail[0] else tail
        key = self._add(np.concatenate([head, tail]), ends)
        self._mark_free([key])
        return key

    def _close(self, node, key):
        """Turn a loop that hangs on nothing any more into a plain loop."""
        old = self._branches[key]
        self._at_node[node] = []
        pixels = old.pixels
        if pixels[0] != pixels[-1]:
            pixels = np.append(pixels, pixels[0])
        self._branches[key] = SkeletonBranch(
            pixels=pixels, nodes=None, free=(False, False))


def _nodes(links, degree):
    """Number the nodes: end points, lone pixels, groups of branch points."""
    count = len(degree)
    crossing = degree >= 3
    inner = links[crossing[links].all(1)]
    joined = coo_array((np.ones(len(inner), bool), (inner[:, 0],
                                                    inner[:, 1])),
                       shape=(count, count))
    _, group = connected_components(joined, directed=False)
    is_node = degree != 2
    node_of = np.full(count, -1, np.int64)
    node_of[is_node] = np.unique(group[is_node], return_inverse=True)[1]
    return node_of
