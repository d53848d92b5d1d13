"""Outlines of crack regions, exactly along the edges of pixels."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from mmcrack.inference.tiff import epsg_code, pixel_to_world

Ring = NDArray[np.float64]


class Region(NamedTuple):
    """A connected piece of crack (8 neighbours).

    Attributes:
        outline (array): float64, (P, 2), corners (x, y) in pixels, (0, 0)
            the outer corner of the first pixel; not closed.
        holes (list[array]): Likewise, of what is not crack inside.
        area (int): Pixels.
    """

    outline: Ring
    holes: list[Ring]
    area: int


def find_regions(mask: NDArray[np.bool_]) -> list[Region]:
    """Return the regions of a mask with their outlines.

    Each pixel is doubled, so that OpenCV's contours, which run through the
    middle of pixels, tell its left edge from its right: a line of one pixel
    keeps its area.

    Args:
        mask (array): bool, (H, W).

    Returns:
        list[Region]: From top to bottom, by their first pixel.
    """
    doubled = np.repeat(np.repeat(mask.view(np.uint8), 2, 0), 2, 1)
    contours, links = cv2.findContours(doubled, cv2.RETR_CCOMP,
                                       cv2.CHAIN_APPROX_SIMPLE)
    del doubled
    holes: dict[int, list[Ring]] = {}
    rings = [_corners(contour[:, 0]) for contour in contours]
    for ring, link in zip(rings, links[0] if rings else (), strict=True):
        if link[3] >= 0:
            holes.setdefault(int(link[3]), []).append(ring)
    regions = [
        Region(ring, holes.get(n, []), round(
            abs(signed_area(ring))
            - sum(abs(signed_area(hole)) for hole in holes.get(n, []))))
        for n, (ring, link) in enumerate(zip(
            rings, links[0] if rings else (), strict=True)) if link[3] < 0
    ]
    return sorted(regions, key=lambda r: (r.outline[:, 1].min(),
                                          r.outline[:, 0].min()))


def _corners(points: NDArray[np.int32]) -> Ring:
    """Move from the middle of halves of pixels to the edges of pixels."""
    corners = (points + 1) // 2
    # Where a contour cuts a corner, two of its points meet.
    new = (corners != np.roll(corners, 1, 0)).any(1)
    return corners[new].astype(np.float64)


def signed_area(ring: Ring) -> float:
    """Return the area inside a ring, > 0 where it turns from x to y.

    Args:
        ring (array): float64, (P, 2).

    Returns:
        float: In square pixels (or the map's units).
    """
    x, y = ring.T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def to_geojson(regions: list[Region], geo: list | None = None) -> dict:
    """Return regions as a GeoJSON feature collection (RFC 7946).

    Args:
        regions (list[Region]): From :func:`find_regions`.
        geo (list, optional): GeoTIFF tags: coordinates are then those of
            the map and ``crs`` names its system. Otherwise they are pixels,
            y downwards.

    Returns:
        dict: Each feature with ``id`` from 1 and ``area_px``.
    """
    matrix = pixel_to_world(geo)
    features = []
    for number, region in enumerate(regions, 1):
        rings = [_closed(ring, matrix, hole=n > 0) for n, ring in enumerate(
            [region.outline, *region.holes])]
        features.append(dict(
            type='Feature', id=number,
            properties=dict(area_px=region.area),
            geometry=dict(type='Polygon', coordinates=rings)))
    collection = dict(type='FeatureCollection', features=features)
    code = epsg_code(geo)
    if matrix is not None and code is not None:
        name = f'urn:ogc:def:crs:EPSG::{code}'
        collection['crs'] = dict(type='name', properties=dict(name=name))
    return collection


def _closed(ring: Ring, matrix: NDArray | None, *, hole: bool) -> list:
    """Return a ring as GeoJSON wants it: closed, holes the other way."""
    if matrix is not None:
        ring = ring @ matrix[:, :2].T + matrix[:, 2]
    if (signed_area(ring) > 0) == hole:
        ring = ring[::-1]
    return [*ring.tolist(), ring[0].tolist()]


def to_coco(regions: list[Region], mask: NDArray[np.bool_]) -> list[dict]:
    """Return regions as annotations of COCO, without ids.

    Args:
        regions (list[Region]): From :func:`find_regions`.
        mask (array): bool, (H, W), they were found on.

    Returns:
        list[dict]: ``segmentation``, ``area``, ``bbox`` (x, y, width,
        height), ``iscrowd`` 0. COCO's polygons have no holes: a region with
        holes is written as runs of pixels (uncompressed RLE).
    """
    annotations = []
    for region in regions:
        low, high = region.outline.min(0), region.outline.max(0)
        segmentation: list | dict = [region.outline.ravel().tolist()]
        if region.holes:
            segmentation = _runs(region, mask.shape)
        annotations.append(dict(
            segmentation=segmentation, area=region.area,
            bbox=[*low.tolist(), *(high - low).tolist()], iscrowd=0))
    return annotations


def _runs(region: Region, size: tuple[int, int]) -> dict:
    """Return a region as COCO's runs: down the columns, first of zeros."""
    crossings = []
    for ring in (region.outline, *region.holes):
        start = ring.astype(np.int64)
        stop = np.roll(start, -1, 0)
        level = start[:, 1] == stop[:, 1]
        start, stop = start[level], stop[level]
        first = np.minimum(start[:, 0], stop[:, 0])
        long = np.abs(stop[:, 0] - start[:, 0])
        # Each column above or below a level edge is crossed there once.
        nth = np.arange(long.sum()) - np.repeat(np.cumsum(long) - long, long)
        columns = np.repeat(first, long) + nth
        crossings.append(columns * size[0] + np.repeat(start[:, 1], long))
    # Twice in one place: from the foot of a column to the head of the next.
    places, times = np.unique(np.concatenate(crossings), return_counts=True)
    counts = np.diff(places[times % 2 == 1], prepend=0,
                     append=size[0] * size[1])
    return dict(counts=counts.tolist(), size=list(size))
