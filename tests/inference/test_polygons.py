"""Outlines enclose exactly the pixels of the mask."""

import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from mmcrack.inference.polygons import (
    find_regions,
    signed_area,
    to_coco,
    to_geojson,
)


def filled(rings, size):
    """Fill rings by the even-odd rule at the middle of pixels."""
    y, x = np.mgrid[:size[0], :size[1]] + .5
    inside = np.zeros(size, bool)
    for ring in rings:
        for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, -1, 0),
                                      strict=True):
            assert x0 == x1 or y0 == y1
            if x0 == x1:
                inside ^= (x > x0) & (y > min(y0, y1)) & (y < max(y0, y1))
    return inside


@given(st.integers(0, 10**6), st.floats(.02, .98))
def test_outlines_give_the_mask_back(seed, share):
    rng = np.random.default_rng(seed)
    mask = rng.random((rng.integers(1, 14), rng.integers(1, 14))) < share
    regions = find_regions(mask)
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    assert len(regions) == count
    assert sorted(r.area for r in regions) == sorted(
        np.bincount(labels.ravel())[1:])
    again = np.zeros_like(mask)
    for region in regions:
        part = filled([region.outline, *region.holes], mask.shape)
        assert part.sum() == region.area
        again |= part
    assert (again == mask).all()


@given(st.integers(0, 10**6), st.floats(.1, .9))
def test_runs_of_coco_give_the_region_back(seed, share):
    rng = np.random.default_rng(seed)
    mask = rng.random((9, 12)) < share
    regions = find_regions(mask)
    total = np.zeros(mask.size, int)
    for region, annotation in zip(regions, to_coco(regions, mask),
                                  strict=True):
        x, y, w, h = annotation['bbox']
        assert annotation['area'] == region.area <= w * h
        runs = annotation['segmentation']
        if region.holes:
            counts = runs['counts']
            assert sum(counts) == mask.size
            flat = np.repeat(np.arange(len(counts)) % 2, counts)
            assert flat.sum() == region.area
            total += flat.reshape(mask.shape[::-1]).T.ravel()
        else:
            ring = np.reshape(runs[0], (-1, 2))
            total += filled([ring], mask.shape).ravel()
    assert (total == mask.ravel()).all()


def test_runs_of_a_wide_net_need_no_picture():
    """A crack around 4 megapixels is written without a map of them."""
    mask = np.zeros((2000, 2000), bool)
    mask[[5, -6], 5:-5] = mask[5:-5, [5, -6]] = True
    region, = regions = find_regions(mask)
    assert len(region.holes) == 1
    tracemalloc.start()
    try:
        annotation, = to_coco(regions, mask)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    runs = annotation['segmentation']['counts']
    # Two columns in one piece, 1988 between them in two pieces of a pixel.
    assert len(runs) == 2 * (2 + 2 * 1988) + 1
    assert sum(runs[1::2]) == mask.sum()
    assert peak < mask.size / 2


def test_a_line_of_one_pixel_keeps_its_area():
    mask = np.zeros((6, 9), bool)
    mask[2, 1:8] = True
    region, = find_regions(mask)
    assert region.area == 7
    assert sorted(map(tuple, region.outline)) == [(1, 2), (1, 3), (8, 2),
                                                  (8, 3)]


def test_geojson_of_a_ring_in_pixels_and_on_a_map():
    mask = np.zeros((7, 7), bool)
    mask[1:6, 1:6], mask[3, 3] = True, False
    regions = find_regions(mask)
    found = to_geojson(regions)
    feature, = found['features']
    assert feature['properties'] == dict(area_px=24)
    outer, hole = (np.array(r) for r in feature['geometry']['coordinates'])
    assert (outer[0] == outer[-1]).all()
    assert signed_area(outer[:-1]) == 25
    assert signed_area(hole[:-1]) == -1
    assert 'crs' not in found
    json.dumps(found, allow_nan=False)
    # Half a metre a pixel, corner at (1000, 2000), UTM zone 32.
    geo = [(33550, 12, 3, (.5, .5, 0.), True),
           (33922, 12, 6, (0., 0., 0., 1000., 2000., 0.), True),
           (34735, 3, 8, (1, 1, 0, 1, 3072, 0, 1, 25832), True)]
    found = to_geojson(regions, geo)
    outer, hole = (np.array(r) for r in
                   found['features'][0]['geometry']['coordinates'])
    assert outer.min(0).tolist() == [1000.5, 1997.]
    assert outer.max(0).tolist() == [1003., 1999.5]
    assert signed_area(outer[:-1]) == pytest.approx(6.25)
    assert signed_area(hole[:-1]) == pytest.approx(-.25)
    assert found['crs']['properties']['name'].endswith('EPSG::25832')


def test_nothing_found():
    mask = np.zeros((5, 5), bool)
    assert find_regions(mask) == []
    assert to_geojson([])['features'] == []
    assert to_coco([], mask) == []
