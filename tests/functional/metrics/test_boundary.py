import math

import cv2
import numpy as np
import oracles
import pytest
import torch
from conftest import real_data

from mmcrack.functional.metrics import (
    boundary_accuracy,
    boundary_counts,
    boundary_floor,
    boundary_radii,
    ellipse_half_widths,
    packed,
)

SIZES = [(1, 1), (1, 70), (70, 1), (12, 12), (40, 63), (33, 64), (50, 65),
         (90, 128), (200, 700), (640, 300), (700, 900)]
KINDS = ('empty', 'full', 'pixel', 'lines', 'noise', 'blob', 'border',
         'frame')


def shifted_case():
    target = np.zeros((12, 12), np.uint8)
    target[4:8, 2:10] = 1
    return np.roll(target, 1, axis=1), target


def thin_case():
    target = np.zeros((450, 450), np.uint8)
    target[200:210, 50:400] = 1
    return np.roll(target, 1, axis=0), target


def random_mask(rng, kind, height, width):
    mask = np.zeros((height, width), np.uint8)
    if kind == 'full':
        mask[:] = 1
    elif kind == 'pixel':
        mask[rng.integers(height), rng.integers(width)] = 1
    elif kind == 'lines':
        for _ in range(rng.integers(1, 5)):
            x0, x1 = rng.integers(-5, width + 5, 2).tolist()
            y0, y1 = rng.integers(-5, height + 5, 2).tolist()
            cv2.line(mask, (x0, y0), (x1, y1), 1, int(rng.integers(1, 9)))
    elif kind == 'noise':
        mask[:] = rng.random((height, width)) < rng.random()
    elif kind == 'blob':
        centre = int(rng.integers(width)), int(rng.integers(height))
        cv2.circle(mask, centre, int(rng.integers(1, 40)), 1, -1)
    elif kind == 'border':
        mask[:, :rng.integers(1, width + 1)] = 1
    elif kind == 'frame':
        mask[:] = 1
        mask[1:-1, 1:-1] = 0
    return mask


@pytest.mark.parametrize(('height', 'width', 'one', 'three'), [
    (256, 256, [1, 1, 1, 1, 1], [3, 3, 3, 3, 3]),
    (360, 640, [1, 1, 1, 2, 2], [3, 3, 3, 3, 3]),
    (584, 565, [1, 1, 2, 2, 3], [3, 3, 3, 3, 3]),
    (1440, 2560, [1, 3, 5, 8, 10], [3, 5, 7, 9, 11]),
    (2160, 3840, [1, 4, 8, 12, 16], [3, 6, 9, 13, 16]),
    (4320, 7680, [1, 8, 16, 24, 32], [3, 10, 17, 25, 32]),
])
def test_pinned_radii(height, width, one, three):
    assert boundary_radii(height, width, min_radius=1) == one
    assert boundary_radii(height, width, min_radius=3) == three


def test_ellipses_are_those_of_opencv():
    for radius in range(1, 111):
        side = 2 * radius + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        half = (kernel.sum(axis=1)[radius:] - 1) // 2
        assert ellipse_half_widths(radius) == tuple(half.tolist())
    assert ellipse_half_widths(1) == (1, 0)
    assert ellipse_half_widths(2) == (2, 2, 0)


def test_pinned_shift_by_a_column():
    pred, target = shifted_case()
    counts = boundary_counts(pred, target)
    assert [c.total for c in counts] == [44] * 5
    assert [c.tp + c.tn for c in counts] == [36] * 5
    assert boundary_accuracy(pred, target) == pytest.approx(
        .8181818, abs=1e-7)
    assert boundary_accuracy(
        pred, target, mode='iou') == pytest.approx(.666667, abs=1e-6)


def test_pinned_shift_by_a_row():
    pred, target = thin_case()
    assert boundary_radii(450, 450, min_radius=1) == [1, 1, 1, 2, 2]
    counts = boundary_counts(pred, target)
    shares = [(c.tp + c.tn) / c.total for c in counts]
    assert shares == pytest.approx(
        [.51253482] * 3 + [.75626741] * 2, abs=1e-8)
    ious = [c.tp / (c.tp + c.fp + c.fn) for c in counts]
    assert ious == pytest.approx([.34334] * 3 + [.605411] * 2, abs=1e-5)
    assert boundary_accuracy(pred, target) == pytest.approx(
        .61002786, abs=1e-8)


def test_equals_opencv_on_random_masks():
    rng = np.random.default_rng(0)
    for trial in range(208):
        kind = KINDS[trial % len(KINDS)]
        height, width = SIZES[int(rng.integers(len(SIZES)))]
        target = random_mask(rng, kind, height, width)
        other = KINDS[int(rng.integers(len(KINDS)))]
        pred = random_mask(rng, other, height, width)
        if trial % 2:
            pred = np.roll(target, rng.integers(-3, 4, 2), axis=(0, 1))
        radius = int(rng.integers(1, 6))
        mode = ('accuracy', 'iou')[trial // 2 % 2]
        expected = oracles.opencv_mba(pred, target, radius, mode)
        found = boundary_accuracy(
            pred, target, min_radius=radius, mode=mode)
        assert found == pytest.approx(expected, abs=1e-12, nan_ok=True)
        floor = oracles.opencv_mba(
            np.zeros_like(target), target, radius, mode)
        assert boundary_floor(
            target, min_radius=radius,
            mode=mode) == pytest.approx(floor, abs=1e-12, nan_ok=True)


def test_equals_opencv_on_a_large_mask():
    rng = np.random.default_rng(1)
    target = random_mask(rng, 'lines', 1440, 2560)
    target[-1, -1] = 1
    pred = np.roll(target, 2, axis=1)
    assert boundary_accuracy(pred, target) == pytest.approx(
        oracles.opencv_mba(pred, target), abs=1e-12)


def test_equals_the_windows_with_ignored_pixels():
    rng = np.random.default_rng(2)
    for trial in range(15):
        height, width = rng.integers((5, 40), (30, 90))
        kind = ('lines', 'noise', 'blob')[trial % 3]
        target = random_mask(rng, kind, height, width)
        pred = np.roll(target, 1, axis=1)
        valid = rng.random((height, width)) < .7
        valid[: rng.integers(height)] = True
        valid[:, : rng.integers(width // 2 + 1)] = False
        radius = int(rng.integers(1, 5))
        for mode in ('accuracy', 'iou'):
            assert boundary_accuracy(
                pred, target, min_radius=radius, mode=mode,
                valid=valid) == pytest.approx(
                    oracles.window_mba(pred, target, valid, radius, mode),
                    abs=1e-12,
                    nan_ok=True)


def test_what_is_ignored_changes_nothing():
    pred, target = shifted_case()
    valid = np.ones_like(target, bool)
    valid[3:6, 5:9] = False
    score = boundary_accuracy(pred, target, valid=valid)
    for value in (0, 1):
        assert boundary_accuracy(
            np.where(valid, pred, value),
            np.where(valid, target, value),
            valid=valid) == score
    assert boundary_accuracy(
        pred, np.where(valid, target, 255), valid=valid) == score


def test_an_ignored_border_is_no_edge():
    target = np.zeros((20, 20), np.uint8)
    target[:, :10] = 1
    valid = np.ones_like(target, bool)
    valid[:, 9:11] = False
    assert math.isnan(
        boundary_accuracy(np.zeros_like(target), target, valid=valid))


def test_bands_without_a_pixel_are_left_out():
    target = np.zeros((600, 900), np.uint8)
    target[:, :450] = 1
    valid = np.ones_like(target, bool)
    valid[:, 449:451] = False
    pred = target.copy()
    pred[:, 448] = 0
    counts = boundary_counts(pred, target, valid=valid)
    assert boundary_radii(600, 900, min_radius=1) == [1, 1, 2, 3, 4]
    # A window of radius 2 spans the ignored pair of columns by one column
    # on neither side, one of radius 3 by one, one of radius 4 by two.
    assert [c.total for c in counts] == [0, 0, 0, 1200, 2400]
    assert boundary_accuracy(
        pred, target, valid=valid) == pytest.approx((.5 + .75) / 2)


def test_floor_is_the_share_of_background():
    _, target = shifted_case()
    # Of 44 band pixels 20 are the outermost of the rectangle.
    assert boundary_floor(target) == pytest.approx(24 / 44)
    assert boundary_floor(target, mode='iou') == 0
    assert boundary_accuracy(target, target) == 1


def test_flips_change_nothing_but_a_quarter_turn_does():
    rng = np.random.default_rng(3)
    target = random_mask(rng, 'lines', 500, 640)
    pred = random_mask(rng, 'lines', 500, 640)
    score = boundary_accuracy(pred, target)
    for turn in (np.fliplr, np.flipud):
        assert boundary_accuracy(
            turn(pred), turn(target)) == pytest.approx(score, abs=1e-12)
    # OpenCV's ellipse of radius 2 is wider than high.
    turned = np.rot90(pred), np.rot90(target)
    found = boundary_accuracy(*turned)
    assert found != pytest.approx(score, abs=1e-4)
    assert found == pytest.approx(oracles.opencv_mba(*turned), abs=1e-12)


@pytest.mark.parametrize('value', [0, 1])
def test_no_boundary_is_nan(value):
    target = np.full((30, 40), value, np.uint8)
    pred = np.eye(30, 40, dtype=np.uint8)
    assert math.isnan(boundary_accuracy(pred, target))
    assert math.isnan(boundary_floor(target))
    assert math.isnan(
        boundary_accuracy(np.zeros((0, 4)), np.zeros((0, 4))))


def test_tensors_score_like_arrays():
    pred, target = thin_case()
    assert boundary_accuracy(
        torch.from_numpy(pred), torch.from_numpy(target).long(),
        valid=torch.ones(450, 450, dtype=torch.bool)) == pytest.approx(
            .61002786, abs=1e-8)


@pytest.mark.parametrize('fallback', [False, True])
def test_counting_bits(fallback):
    mask = np.random.default_rng(4).random((37, 131)) < .4
    bits = packed.pack(mask)
    assert bits.shape == (37, 3)
    count = packed.count_by_table if fallback else packed.count
    assert count(bits) == mask.sum()
    assert count(bits[3:20, 1:]) == mask[3:20, 64:].sum()


def test_unknown_mode_is_named():
    with pytest.raises(ValueError, match="accuracy, iou, got 'f1'"):
        boundary_accuracy(*shifted_case(), mode='f1')


@pytest.mark.parametrize('radius', [0, -1, 1.5, True, '3'])
def test_bad_min_radius_is_named(radius):
    with pytest.raises(ValueError, match='min_radius must be an integer of'):
        boundary_accuracy(*shifted_case(), min_radius=radius)


def test_a_batch_is_refused():
    with pytest.raises(ValueError, match=r'one image of shape \(H, W\), got'):
        boundary_accuracy(np.zeros((1, 8, 8)), np.zeros((1, 8, 8)))


def test_sizes_must_agree():
    with pytest.raises(ValueError, match='bring both to the size of the orig'):
        boundary_accuracy(np.zeros((8, 8)), np.zeros((8, 9)))


def test_real_masks_at_2560x1440():
    folder = real_data('deepcrack') / 'masks' / 'test'
    for path in sorted(folder.iterdir())[:60:20]:
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        target = cv2.resize(
            mask, (2560, 1440), interpolation=cv2.INTER_NEAREST)
        pred = np.roll(target, 3, axis=1)
        assert boundary_accuracy(pred, target) == pytest.approx(
            oracles.opencv_mba(pred, target), abs=1e-12)
