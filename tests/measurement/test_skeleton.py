"""Skeletons as graphs."""

import numpy as np
import pytest
from measured_shapes import bar

from mmcrack.measurement.edges import EdgeDistance, edge_points
from mmcrack.measurement.skeleton import (
    SkeletonGraph,
    skeleton_links,
    skeleton_pixels,
)


def graph_of(mask, factor=1.0):
    """Pruned graph of a mask."""
    mask = np.asarray(mask, np.uint8)
    pixels = skeleton_pixels(mask)
    graph = SkeletonGraph(pixels)
    distance = EdgeDistance(edge_points(mask, None, level=0.5))
    graph.prune(distance(pixels[:, ::-1].astype(float)), factor=factor)
    return graph


def picture(*rows):
    return np.array([[c == '#' for c in row] for row in rows], np.uint8)


@pytest.mark.parametrize('degrees', [45, 135])
@pytest.mark.parametrize('width', [1, 2, 3, 4, 5.3])
def test_diagonal_bars_keep_their_skeleton(degrees, width):
    # Zhang and Suen's thinning leaves one pixel of some of these.
    pixels = skeleton_pixels(bar(width, 80, degrees) >= 0.5)
    assert len(pixels) >= 80 / np.sqrt(2) - width - 2


def test_a_bend_is_no_triangle():
    pixels = np.argwhere(picture('#..',
                                 '##.',
                                 '.##'))
    # Four steps along the rows and columns, no diagonal.
    assert len(skeleton_links(pixels)) == 4


def test_one_branch_goes_from_end_to_end_in_order():
    mask = np.zeros((9, 30), np.uint8)
    mask[4, 3:28] = 1
    branch, = graph_of(mask).branches()
    columns = skeleton_pixels(mask)[branch.pixels][:, 1]
    assert abs(np.diff(columns)).tolist() == [1] * 24
    assert branch.free == (True, True)


@pytest.mark.parametrize(('mask', 'branches', 'free', 'nodes'), [
    # A plus, a T, a ring, a ring with a tail, two rings in one point.
    (picture('...#...', '...#...', '...#...', '#######', '...#...',
             '...#...', '...#...'), 4, 4, 1),
    (picture('#########', '....#....', '....#....', '....#....',
             '....#....'), 3, 3, 1),
    (picture('.####.', '#....#', '#....#', '#....#', '.####.'), 1, 0, 0),
    (picture('.####......', '#....#.....', '#....######', '#....#.....',
             '.####......'), 2, 1, 1),
    (picture('.###...###.', '#...#.#...#', '#...###...#', '#...#.#...#',
             '.###...###.'), 2, 0, 1),
])
def test_small_graphs(mask, branches, free, nodes):
    found = graph_of(np.pad(mask, 2), factor=0).branches()
    assert len(found) == branches
    assert sum(sum(b.free) for b in found) == free
    assert len({n for b in found for n, f in zip(
        b.nodes or (), b.free, strict=False) if not f}) == nodes


def test_every_pixel_belongs_to_a_branch_or_a_junction():
    rng = np.random.default_rng(0)
    mask = rng.random((60, 80)) < 0.35
    graph = SkeletonGraph(skeleton_pixels(mask))
    seen = np.zeros(len(graph.pixels), bool)
    for branch in graph.branches():
        seen[branch.pixels] = True
    assert (seen | (graph.node_of >= 0)).all()


def spurred(reach):
    """Bar of 9 px with a side bar of 3 px that sticks out by ``reach``."""
    mask = np.zeros((60, 120), np.uint8)
    mask[30:39, 5:115] = 1
    mask[30 - reach:30, 58:61] = 1
    return mask


def test_a_spur_goes_and_a_side_crack_stays():
    # Half width 4.5: a spur sticks out by less than 2 + 4.5 / 2 px.
    assert len(graph_of(spurred(2)).branches()) == 1
    assert len(graph_of(spurred(12)).branches()) == 3


def test_pruning_is_graded_and_can_be_left_out():
    counts = [len(graph_of(spurred(8), factor).branches())
              for factor in (0, 1, 4)]
    assert counts[0] >= counts[1] == 3
    assert counts[2] == 1


def test_a_ring_is_left_when_its_tail_is_pruned():
    mask = np.zeros((40, 40), np.uint8)
    y, x = np.mgrid[:40, :40]
    mask[abs(np.hypot(x - 20, y - 20) - 12) <= 2] = 1
    mask[20, 34:36] = 1
    branch, = graph_of(mask).branches()
    assert branch.nodes is None
    assert branch.pixels[0] == branch.pixels[-1]


def test_pruning_never_removes_a_whole_crack():
    rng = np.random.default_rng(1)
    from scipy.ndimage import gaussian_filter, label
    mask = gaussian_filter(rng.standard_normal((120, 120)), 3) > 0.08
    labels, count = label(mask, np.ones((3, 3)))
    graph = graph_of(mask, factor=3)
    left = {int(labels[tuple(graph.pixels[b.pixels[0]])])
            for b in graph.branches()}
    assert left == set(range(1, count + 1))
