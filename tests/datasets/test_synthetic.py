"""Synthetic scenes: geometry, masks, light, and what they do not depend on."""

import tracemalloc

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcrack.datasets.synthetic import (
    SceneStyle,
    generate_scene,
    iter_scene_bands,
    scene_seed,
    scene_truth,
)
from mmcrack.datasets.synthetic_cracks import (
    Segments,
    length_inside,
    paint_segments,
)
from mmcrack.datasets.synthetic_scene import Scene

SIZE = (112, 144)


def straight(start, end, width, value=1.0):
    """One straight crack of constant width."""
    return Segments.of_lines([(
        np.array([start, end], float), np.full(2, float(width)),
        np.full(2, float(value)))])


def distance_mask(cracks, size):
    """Oracle: the rule of the mask with complex numbers, pixel by pixel.

    Returns the mask and the pixels too close to the edge of a crack to be
    decided at the precision of the truth file.
    """
    pixel = np.arange(size[1])[None, :] + 1j * np.arange(size[0])[:, None]
    depth = np.full(size, -np.inf)
    for crack in cracks:
        points = crack.points[:, 0] + 1j * crack.points[:, 1]
        for k in range(len(points) - 1):
            a, step = points[k], points[k + 1] - points[k]
            along = ((pixel - a) * np.conj(step)).real
            along = np.clip(along / max(abs(step)**2, 1e-30), 0, 1)
            width = (1 - along) * crack.widths[k] + (
                along * crack.widths[k + 1])
            gap = abs(pixel - a - along * step)
            depth = np.maximum(depth, np.maximum(width, 1) / 2 - gap)
    return depth >= 0, abs(depth) < 1e-5


@pytest.mark.parametrize('seed', [3, 11, 20, 27])
def test_mask_is_the_distance_to_the_centreline(seed):
    scene = generate_scene(seed, SIZE)
    assert scene.cracks
    expected, unsure = distance_mask(scene.cracks, SIZE)
    assert expected.sum() > 50
    assert unsure.mean() < 1e-3
    assert np.array_equal(scene.mask[~unsure] == 1, expected[~unsure])
    assert set(np.unique(scene.mask)) == {0, 1}


@pytest.mark.parametrize('style', [SceneStyle(), SceneStyle.clean()])
def test_same_seed_gives_the_same_bytes(style):
    first = generate_scene(5, SIZE, style=style)
    again = generate_scene(5, SIZE, style=style)
    assert first.image.tobytes() == again.image.tobytes()
    assert first.mask.tobytes() == again.mask.tobytes()
    other = generate_scene(6, SIZE, style=style)
    assert np.mean(first.mask != other.mask) > 0.002


def test_splits_share_no_seed_and_longer_splits_begin_alike():
    seeds = {scene_seed(0, split, index)
             for split in ('train', 'val', 'test') for index in range(500)}
    assert len(seeds) == 1500
    assert scene_seed(1, 'train', 0) != scene_seed(0, 'train', 0)
    assert min(seeds) >= 0
    assert max(seeds) < 1 << 63


@pytest.mark.parametrize('band_height', [1, 37, 64, 1000])
def test_bands_of_every_height_make_the_same_picture(band_height):
    scene = generate_scene(8, SIZE)
    bands = list(iter_scene_bands(8, SIZE, band_height=band_height))
    assert [band.top for band in bands] == list(
        range(0, SIZE[0], band_height))
    assert np.array_equal(
        np.concatenate([band.image for band in bands]), scene.image)
    assert np.array_equal(
        np.concatenate([band.mask for band in bands]), scene.mask)


@pytest.mark.parametrize('seed', [1, 2, 9])
def test_blocks_of_every_height_paint_the_same_picture(seed):
    """Nothing is drawn in an order that depends on what is painted at once."""
    painted = []
    for rows in (16, 48, 256):
        blocks = Scene(seed, SIZE, SceneStyle(), block_rows=rows).blocks()
        painted.append([np.concatenate(part)
                        for part in zip(*blocks, strict=True)])
    for image, mask in painted[1:]:
        assert np.array_equal(image, painted[0][0])
        assert np.array_equal(mask, painted[0][1])


def test_memory_does_not_grow_with_the_height():
    peaks = []
    for height in (2048, 8192):
        tracemalloc.start()
        rows = sum(len(band.image) for band in iter_scene_bands(
            4, (height, 32), band_height=128))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert rows == height
    assert peaks[1] < 1.25 * peaks[0]


@given(width=st.floats(0.3, 12), offset=st.floats(-0.5, 0.5),
       upright=st.booleans())
def test_light_lost_across_a_crack_is_its_width(width, offset, upright):
    """Antialiased: 0.6 px take 0.6 of a pixel's light, wherever they lie."""
    ends = ((-20.0, 20 + offset), (60.0, 20 + offset))
    if upright:
        ends = tuple(end[::-1] for end in ends)
    mask, cover, lost = paint_segments(
        straight(*ends, width, 0.5), top=0, left=0, rows=40, columns=40)
    if upright:
        mask, cover, lost = mask.T, cover.T, lost.T
    assert cover.sum(0) == pytest.approx(np.full(40, width), abs=1e-4)
    assert lost == pytest.approx(0.5 * cover, abs=1e-6)
    rows = np.arange(40)
    inside = abs(rows - 20 - offset) <= max(width, 1) / 2
    if np.min(abs(abs(rows - 20 - offset) - max(width, 1) / 2)) > 1e-9:
        assert np.array_equal(mask[:, 7] == 1, inside)


def test_clean_image_is_the_coverage():
    """An antialiased edge: value * (1 - contrast * coverage) to half a grey
    level, and the light that a crack takes is its area times its contrast.
    """
    style = SceneStyle.clean()
    seen = 0
    for seed in range(6):
        scene = generate_scene(seed, SIZE, style=style)
        lines = [(c.points, c.widths, np.full(len(c.widths), 0.6))
                 for c in scene.cracks]
        _, _, lost = paint_segments(
            Segments.of_lines(lines), top=0, left=0, rows=SIZE[0],
            columns=SIZE[1])
        expected = 255 * 0.7 * (1 - lost)
        assert abs(scene.image - expected[..., None]).max() <= 0.51
        partly = (lost > 0.05) & (lost < 0.55)
        seen += partly.sum()
    assert seen > 500


@pytest.mark.parametrize('seed', range(6))
def test_masks_of_hairlines_are_in_one_piece(seed):
    """Lower bound of one pixel in the mask: a thin crack has no holes."""
    style = SceneStyle(cracks=(1, 1), crack_width=(0.6, 0.7), crack_free=0.0,
                       branches=(0.0, 0.0), visibility=(0.0, 0.0))
    scene = generate_scene(seed, SIZE, style=style)
    points = scene.cracks[0].points
    inside = ((points > 0) & (points < np.array(SIZE[::-1]) - 1)).all(1)
    # A line that leaves and comes back has a piece for each visit.
    visits = np.sum(np.diff(np.r_[0, inside.astype(int)]) == 1)
    pieces = cv2.connectedComponents(scene.mask, connectivity=8)[0] - 1
    assert pieces <= visits


def test_widths_and_lengths_agree_with_the_geometry():
    frame = np.array([[-0.5, -0.5], [SIZE[1] - 0.5, SIZE[0] - 0.5]])
    at = (np.arange(400) + 0.5)[:, None, None] / 400
    whole = 0
    for seed in range(30):
        cracks = scene_truth(seed, SIZE)
        for index, crack in enumerate(cracks):
            assert crack.points.shape == (len(crack.widths), 2)
            assert crack.widths.min() >= 0.6
            assert crack.widths.max() <= 20
            steps = np.linalg.norm(np.diff(crack.points, axis=0), axis=1)
            dense = crack.points[:-1] + at * np.diff(crack.points, axis=0)
            share = ((dense >= frame[0]) & (dense <= frame[1])).all(2).mean(0)
            assert crack.length == pytest.approx(
                steps @ share, abs=2 * steps.max() / 400 * 10)
            if share.min() == 1:
                whole += 1
                assert crack.length == pytest.approx(steps.sum(), rel=1e-9)
            if crack.parent is not None:
                parent = cracks[crack.parent]
                gap = np.linalg.norm(parent.points - crack.points[0], axis=1)
                assert crack.parent < index
                assert gap.min() < parent.widths.max() / 2 + 2
    assert whole > 10


def test_length_inside_the_frame_by_hand():
    """A 3-4-5 diagonal through a frame 3 wide and 4 high; a miss; a touch."""
    line = np.array([[-3.5, -4.5], [5.5, 7.5]])
    assert length_inside(line, size=(4, 3)) == pytest.approx(5.0)
    assert length_inside(line + [0, 50], size=(4, 3)) == 0
    level = np.array([[-9.0, 1.0], [9.0, 1.0], [9.0, 2.0]])
    assert length_inside(level, size=(4, 3)) == pytest.approx(3.0)


def test_default_widths_are_hard():
    """Over 40 pictures at least 30 % of the cracks are under 3 px, and both
    ends of the range occur.
    """
    widths = np.array([
        np.median(crack.widths) for index in range(40)
        for crack in scene_truth(scene_seed(0, 'test', index), (320, 320))])
    assert len(widths) > 60
    assert np.mean(widths < 3) >= 0.3
    assert np.mean(widths > 6) >= 0.1
    assert widths.min() < 1.2
    assert widths.max() > 12


def contrasts(seed, size, **options):
    """Change of brightness that each crack makes along its centreline.

    The same wall is photographed with and without its cracks. Returns for
    each crack the change of the logarithm, and the same in local standard
    deviations (13 x 13 px) of the bare wall.
    """
    options |= {'jpeg_quality': None, 'wire': 0.0}
    scene = generate_scene(
        seed, size, style=SceneStyle(**options, crack_free=0.0))
    wall = generate_scene(
        seed, size, style=SceneStyle(**options, crack_free=1.0))
    assert not wall.mask.any()
    bare = np.log(wall.image[..., 1] + 1.0)
    change = np.log(scene.image[..., 1] + 1.0) - bare
    soft = cv2.GaussianBlur(bare, (0, 0), 0.7)
    mean = cv2.blur(soft, (13, 13))
    noise = np.sqrt(np.maximum(
        cv2.blur(soft * soft, (13, 13)) - mean * mean, 1e-8))
    found = []
    for crack in scene.cracks:
        x, y = np.rint(crack.points).astype(int).T
        ok = (x >= 0) & (y >= 0) & (x < size[1]) & (y < size[0])
        x, y = x[ok], y[ok]
        middle = abs(np.median(change[y, x]))
        found.append((middle, middle / np.median(noise[y, x])))
    return found


def test_every_labelled_crack_can_be_seen():
    """At least 4 % darker (or paler) than the bare wall and 1.5 of its local
    standard deviations, as medians along the centreline.
    """
    found = np.array(sum(
        (contrasts(seed, (128, 128)) for seed in range(10)), []))
    assert len(found) > 15
    assert found[:, 0].min() > 0.04
    assert found[:, 1].min() > 1.5


def test_rough_walls_get_darker_hairlines():
    """On coarse grain more than a third of the faint hairlines drown, unless
    visibility is asked for; then none does.
    """
    rough = {'grain': (0.07, 0.07), 'crack_contrast': (0.2, 0.2),
             'crack_width': (0.6, 1.5), 'pale_crack': 0.0}
    plain, lifted = (np.array(sum(
        (contrasts(seed, (96, 96), visibility=wanted, **rough)
         for seed in range(6)), []))[:, 1]
        for wanted in ((0.0, 0.0), (2.5, 2.5)))
    assert np.mean(plain < 1.5) > 0.33
    assert lifted.min() > 1.5


@pytest.mark.parametrize(('arguments', 'error', 'words'), [
    ((-1, SIZE), ValueError, 'seed must be at least 0, got -1'),
    ((1.5, SIZE), TypeError, 'seed must be a whole number, got 1.5'),
    ((1, 64), TypeError, 'size must be (height, width), got 64'),
    ((1, (64, 8)), ValueError, 'size must be at least 16, got 8'),
    ((1, (64, 70000)), ValueError, 'at most 65500 on each side'),
    ((1, (64, '64')), TypeError, "whole number, got '64'"),
])
def test_bad_scenes_are_named(arguments, error, words):
    with pytest.raises(error) as caught:
        generate_scene(*arguments)
    assert words in str(caught.value)


@pytest.mark.parametrize(('options', 'error', 'words'), [
    ({'crack_free': 1.2}, ValueError, 'crack_free must lie between 0.0 and'),
    ({'wire': 'no'}, TypeError, "wire must hold numbers, got 'no'"),
    ({'crack_width': (3, 1)}, ValueError, 'crack_width must be a range'),
    ({'crack_width': 3}, TypeError, 'crack_width must be a range'),
    ({'cracks': (1, 2.5)}, TypeError, 'cracks must hold two whole numbers'),
    ({'blur': (0, 9)}, ValueError, 'blur must lie between 0.0 and 3.0'),
    ({'jpeg_quality': (0, 50)}, ValueError, 'jpeg_quality must lie between'),
])
def test_bad_styles_are_named(options, error, words):
    with pytest.raises(error) as caught:
        SceneStyle(**options)
    assert words in str(caught.value)


def test_bad_band_and_style_are_named():
    with pytest.raises(ValueError, match='band_height must be at least 1'):
        iter_scene_bands(1, SIZE, band_height=0)
    with pytest.raises(TypeError, match='style must be a SceneStyle or None'):
        generate_scene(1, SIZE, style={'wire': 0})
