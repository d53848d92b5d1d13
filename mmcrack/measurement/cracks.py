"""From a mask to measured cracks: the one entry.

Not in the papers.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcrack.measurement.branches import Surroundings, measure_branch
from mmcrack.measurement.classes import check_limits
from mmcrack.measurement.edges import EdgeDistance, edge_points
from mmcrack.measurement.ends import principal_axis
from mmcrack.measurement.orientation import orientation
from mmcrack.measurement.profiles import EDGES
from mmcrack.measurement.records import (
    CrackMeasurement,
    CrackMeasurements,
    summarise,
)
from mmcrack.measurement.sampling import Field, frame_distance
from mmcrack.measurement.scale import check_scale
from mmcrack.measurement.skeleton import SkeletonGraph, skeleton_pixels
from mmcrack.measurement.spacing import nearest_other


def measure_cracks(mask: ArrayLike, probability: ArrayLike | None = None, *,
                   scale: float | None = None,
                   width_limits: Sequence[float] = (0.1, 0.2, 0.3),
                   level: float = 0.5, edges: str = 'mean',
                   smoothing: float = 1.25, spur_factor: float = 1.0,
                   max_hole: int = 16, min_area: int = 1,
                   min_length: float = 0.0
                   ) -> CrackMeasurements:
    """Measure every crack of a mask.

    A crack is a set of mask pixels that touch, corners included.

    Args:
        mask (array): (H, W), bool, or whole numbers of {0, 1} or {0, 255}.
        probability (array, optional): (H, W), the map that the mask was cut
            from: float in [0, 1], or uint8 or uint16 whose largest
            number (255, 65535) is 1.
        scale (float, optional): Millimetres per pixel.
        width_limits (Sequence[float]): Limits of the width classes, in
            millimetres.
        level (float): Probability at the crack's edge.
        edges (str): How the profile of a probability is read: ``'mean'`` or
            ``'level'``, see :mod:`mmcrack.measurement.profiles`.
        smoothing (float): Standard deviation, in pixels, of the average of
            the widths along the crack.
        spur_factor (float): How eagerly spurs are removed; 0 keeps all.
        max_hole (int): Holes of the mask up to so many pixels count as
            crack; larger ones are ground between branches.
        min_area (int): Cracks of fewer pixels are left out.
        min_length (float): Shorter cracks are left out, in pixels.

    Returns:
        CrackMeasurements: The longest crack first.

    Raises:
        TypeError: If an array has another type.
        ValueError: If an argument is out of range or sizes differ.
    """
    mask = fill_holes(check_mask(mask), max_hole)
    field = None if probability is None else check_probability(
        probability, mask.shape)
    _check_options(level, edges, smoothing, spur_factor)
    scale = None if scale is None else check_scale(scale, name='scale')
    around = Surroundings(
        mask=Field(mask), probability=field, level=level, edges=edges,
        smoothing=smoothing,
        distance=EdgeDistance(edge_points(mask, field, level=level)))
    found = _Components(mask)
    parts = _measure_parts(mask, found, around, spur_factor, min_area)
    parts = [p for p in parts
             if sum(b.length for b in p[1]) >= min_length]
    parts.sort(key=lambda p: -sum(b.length for b in p[1]))
    return CrackMeasurements(
        cracks=_with_neighbours(parts, found), size=mask.shape, scale=scale,
        width_limits=check_limits(width_limits),
        from_probability=field is not None)


def check_mask(mask: ArrayLike) -> NDArray[np.uint8]:
    """Return a mask as {0, 1}, or raise.

    Args:
        mask (array): (H, W), bool, or whole numbers of {0, 1} or {0, 255}.

    Returns:
        np.ndarray: Uint8, (H, W), contiguous.

    Raises:
        TypeError: If it holds no whole numbers.
        ValueError: If it has another shape or other values.
    """
    mask = np.asarray(mask)
    if mask.ndim != 2 or not mask.size:
        raise ValueError(
            f'the mask must be one channel (H, W), got shape {mask.shape}.')
    if mask.dtype.kind not in 'bui':
        raise TypeError(
            f'the mask must be bool or whole numbers, got {mask.dtype}: '
            'threshold a probability first (mask = probability >= 0.5).')
    if mask.dtype.kind == 'b':
        return np.ascontiguousarray(mask).view(np.uint8)
    high = int(mask.max())
    if high not in (0, 1, 255) or (
            high and (mask == high).sum() != np.count_nonzero(mask)):
        raise ValueError(
            'the mask must hold {0, 1} or {0, 255}, got values up to '
            f'{high}: threshold it first.')
    return np.ascontiguousarray(mask != 0).view(np.uint8)


def fill_holes(mask: NDArray[np.uint8], max_hole: int
               ) -> NDArray[np.uint8]:
    """Fill small holes: each would give the skeleton a loop.

    Args:
        mask (np.ndarray): Uint8, (H, W), {0, 1}.
        max_hole (int): Largest hole to fill, in pixels.

    Returns:
        np.ndarray: Uint8, (H, W); the same array if nothing was filled.
    """
    left, top, width, height = cv2.boundingRect(mask)
    if max_hole < 1 or not width:
        return mask
    box = (slice(top, top + height), slice(left, left + width))
    # One pixel of ground around it, so that only holes are small.
    ground = cv2.copyMakeBorder(
        1 - mask[box], 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(
        ground, connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] <= max_hole
    small[[0, labels[0, 0]]] = False
    if not small.any():
        return mask
    filled = mask.copy()
    for x, y, wide, high in stats[small, :4].tolist():
        part = labels[y:y + high, x:x + wide]
        filled[top + y - 1:top + y - 1 + high,
               left + x - 1:left + x - 1 + wide] |= small[part]
    return filled


def check_probability(probability: ArrayLike, shape: tuple[int, int]
                      ) -> Field:
    """Return a probability map as a field, or raise.

    Args:
        probability (array): (H, W), float in [0, 1], or uint8 or uint16
            whose largest number is 1.
        shape (tuple[int, int]): That it must have.

    Returns:
        Field: The same array, not copied.

    Raises:
        TypeError: If it has another type.
        ValueError: If it has another size or range.
    """
    values = np.asarray(probability)
    if values.shape != tuple(shape):
        raise ValueError(
            f'the probability is {values.shape} and the mask {shape}: they '
            'must have one size.')
    if values.dtype in (np.uint8, np.uint16):
        return Field(values, float(np.iinfo(values.dtype).max))
    if values.dtype.kind != 'f':
        raise TypeError(
            'the probability must be float (0 to 1), uint8 or uint16, '
            f'got {values.dtype}.')
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= 1):
        raise ValueError(
            f'the probability must lie in [0, 1], got {low:g} to {high:g}: '
            'logits need a sigmoid or softmax first.')
    return Field(values)


def _check_options(level, edges, smoothing, spur_factor):
    if not 0 < level < 1:
        raise ValueError(f'level must lie between 0 and 1, got {level}.')
    if edges not in EDGES:
        raise ValueError(f'edges must be one of {EDGES}, got {edges!r}.')
    for name, value in (('smoothing', smoothing),
                        ('spur_factor', spur_factor)):
        if not 0 <= value < float('inf'):
            raise ValueError(f'{name} must be at least 0, got {value}.')


class _Components:
    """Connected pixels, in the box around all cracks only."""

    def __init__(self, mask):
        self.left, self.top, width, height = cv2.boundingRect(mask)
        box = mask[self.top:self.top + height, self.left:self.left + width]
        if not width:
            box = np.zeros((1, 1), np.uint8)
        _, self.labels, self.stats, _ = cv2.connectedComponentsWithStats(
            box, connectivity=8)
        self.shape = mask.shape

    def at(self, pixels):
        """Numbers of the components at (row, column), from 1."""
        return self.labels[pixels[:, 0] - self.top, pixels[:, 1] - self.left]

    def area(self, number):
        return int(self.stats[number, cv2.CC_STAT_AREA])

    def box(self, number):
        x, y, width, height = self.stats[number, :4].tolist()
        return x + self.left, y + self.top, width, height

    def at_frame(self, number):
        x, y, width, height = self.box(number)
        return (x == 0 or y == 0 or x + width == self.shape[1]
                or y + height == self.shape[0])

    def axis(self, number):
        """Principal direction of one component's pixels."""
        x, y, width, height = self.stats[number, :4].tolist()
        part = self.labels[y:y + height, x:x + width]
        return principal_axis(np.argwhere(part == number))


def _measure_parts(mask, found, around, spur_factor, min_area):
    """Branches of every component: (number, branches, junctions)."""
    pixels = skeleton_pixels(mask)
    places = pixels[:, ::-1].astype(np.float64)
    radius = around.distance(places)
    # Without any edge the frame bounds the circle.
    endless = np.isinf(radius)
    radius[endless] = frame_distance(places[endless], mask.shape)
    graph = SkeletonGraph(pixels)
    graph.prune(radius, factor=spur_factor)
    parts: dict[int, tuple[int, list, set]] = {}
    label = found.at(pixels)
    for branch in graph.branches():
        number = int(label[branch.pixels[0]])
        if found.area(number) < min_area:
            continue
        part = parts.setdefault(number, (number, [], set()))
        chain, half = graph.chain(branch, radius)
        short = len(chain) <= 3 and all(branch.free)
        part[1].append(measure_branch(
            chain, half, around, free=branch.free,
            closed=branch.nodes is None,
            axis=found.axis(number) if short else np.array([1.0, 0.0])))
        part[2].update(
            node for node, free in zip(branch.nodes or (), branch.free,
                                       strict=False) if not free)
    return [(number, branches, len(nodes))
            for number, branches, nodes in parts.values()]


def _with_neighbours(parts, found):
    """Turn measured parts into cracks that know their neighbours."""
    near = nearest_other(
        [np.concatenate([b.points for b in p[1]]) for p in parts])
    cracks = []
    for index, (number, branches, junctions) in enumerate(parts):
        distance, which = near[index]
        alone = len(parts) == 1
        closest = int(np.argmin(distance))
        angle, straightness = orientation([b.points for b in branches])
        cracks.append(CrackMeasurement(
            number=index + 1, area=found.area(number),
            box=found.box(number), branches=branches,
            length=sum(b.length for b in branches), junctions=junctions,
            ends=sum(sum(b.free) for b in branches),
            widths=summarise(branches, circles=False),
            circles=summarise(branches, circles=True), orientation=angle,
            straightness=straightness,
            spacing=float('nan') if alone else float(np.median(distance)),
            gap=float('nan') if alone else float(distance[closest]),
            neighbour=None if alone else int(which[closest]) + 1,
            at_frame=found.at_frame(number)))
    return cracks
