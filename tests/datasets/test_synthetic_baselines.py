"""Thresholds and ridge filters: exact where they must be, poor on walls."""

import numpy as np
import pytest

from mmcrack.datasets.synthetic import (
    baseline_scores,
    generate_scene,
    scene_seed,
)

U8 = np.uint8


def bar(dark, light):
    """A bar of 3 px across a field, and its mask."""
    mask = np.zeros((64, 64), U8)
    mask[30:33] = 1
    return np.where(mask, U8(dark), U8(light)), mask


def ring(inside, outside):
    """A ring 3 px thick, and its mask."""
    y, x = np.mgrid[:64, :64] - 31.5
    mask = (abs(np.hypot(x, y) - 20) <= 1.5).astype(U8)
    return np.where(mask, U8(inside), U8(outside)), mask


@pytest.mark.parametrize(('inside', 'outside', 'name'),
                         [(40, 200, 'dark'), (200, 40, 'light')])
def test_a_plain_ring_is_found(inside, outside, name):
    """Thresholds reach 1 on a picture of two values, of either polarity;
    Frangi finds the ring too, only not its exact edge.
    """
    image, mask = ring(inside, outside)
    scores = baseline_scores([image], [mask])
    assert scores['otsu']['iou'] == 1
    assert scores['adaptive']['iou'] > 0.9
    assert scores['frangi']['iou'] > 0.6
    assert all(score['setting'].startswith(name)
               for score in scores.values())


def test_counts_are_pooled():
    """All found, and half of what is found: 3/4 of the pooled union, as the
    bars have 192 pixels and the half bar 96.
    """
    image, mask = bar(40, 200)
    half = mask.copy()
    half[:, 32:] = 0
    scores = baseline_scores([image, image], [mask, half])
    assert scores['otsu']['iou'] == pytest.approx((192 + 96) / (192 + 192))


def test_nothing_to_find_is_undefined():
    flat = np.full((32, 32, 3), 128, U8)
    score = baseline_scores([flat], [np.zeros((32, 32), U8)])['adaptive']
    assert np.isnan(score['iou'])


def test_default_pictures_are_hard():
    """The first half of the demo's test pictures."""
    scenes = [generate_scene(scene_seed(0, 'test', index), (320, 320))
              for index in range(20)]
    scores = baseline_scores([s.image for s in scenes],
                             [s.mask for s in scenes])
    assert max(score['iou'] for score in scores.values()) < 0.35


def test_bad_lists_are_named():
    image, mask = bar(1, 2)
    with pytest.raises(ValueError, match='at least 1, got 0 and 0'):
        baseline_scores([], [])
    with pytest.raises(ValueError, match='got 2 and 1'):
        baseline_scores([image, image], [mask])
    with pytest.raises(ValueError, match=r'mask 0 must have the size'):
        baseline_scores([image], [mask[1:]])
