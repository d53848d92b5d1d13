"""The doctor's measures on shapes whose truth is known."""

import cv2
import numpy as np
import pytest

from mmcrack.datasets.doctor.alignment import align, find_common_shift
from mmcrack.datasets.doctor.crops import (
    find_keypoints,
    find_overlaps,
    keypoint_number,
)
from mmcrack.datasets.doctor.duplicates import (
    TURNS,
    find_copies,
    groups_of,
    signs,
    thumbnail,
    turned,
)
from mmcrack.datasets.doctor.widths import label_widths, visible_width


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def texture(rng, height=200, width=260):
    """Even noise of several scales, uint8."""
    grey = sum(
        a * cv2.GaussianBlur(
            rng.standard_normal((height, width)).astype(np.float32), (0, 0),
            s) * s for a, s in ((12, 1.5), (16, 4), (16, 12)))
    return np.clip(128 + grey, 0, 255).astype(np.uint8)


def bar(height=200, width=260, *, thick, top=80):
    mask = np.zeros((height, width), bool)
    mask[top:top + thick] = True
    return mask


@pytest.mark.parametrize('thick', [1, 3, 7, 15])
def test_width_of_a_bar(thick):
    found = label_widths(bar(thick=thick))
    # chamfer distances of a 5 x 5 mask are exact along the axes
    assert found.median == pytest.approx(thick, abs=0.01)
    assert sum(found.counts) > 200


def test_no_width_without_crack():
    assert label_widths(np.zeros((9, 9), bool)) is None


@pytest.mark.parametrize('rim', [0, 3, 6])
def test_visible_line_below_a_wider_label(rng, rim):
    grey = np.clip(
        160 + rng.normal(0, 4, (200, 260)), 0, 255).astype(np.uint8)
    grey[bar(thick=7)] -= 80
    label = bar(thick=7 + 2 * rim, top=80 - rim)
    found = visible_width(grey, label, width=7 + 2 * rim)
    assert found.ratio == pytest.approx((7 + 2 * rim) / 7, rel=0.02)
    assert found.rim == pytest.approx(rim, abs=0.1)
    assert found.judged == pytest.approx(1, abs=0.01)


def test_no_visible_line(rng):
    assert visible_width(texture(rng), bar(thick=7), width=7) is None


def cross(x=0, y=0):
    mask = np.zeros((200, 260), np.uint8)
    cv2.line(mask, (40 + x, 30 + y), (220 + x, 150 + y), 1, 4)
    cv2.line(mask, (150 + x, 20 + y), (90 + x, 170 + y), 1, 3)
    return mask > 0


@pytest.mark.parametrize('shift', [(0, 0), (5, -3), (-14, 11)])
def test_shift_is_exact(rng, shift):
    grey = texture(rng).astype(np.int16)
    grey[cross()] -= 70
    found = align(np.clip(grey, 0, 255).astype(np.uint8), cross(*shift))
    assert found.best == (-shift[0], -shift[1])
    common = find_common_shift([found] * 3)
    if shift == (0, 0):
        assert common is None
    else:
        assert common[:2] == (-shift[0], -shift[1])
        assert find_common_shift([found] * 2) is None


def test_labels_without_crack_or_background_have_no_place():
    grey = np.zeros((50, 50), np.uint8)
    assert align(grey, grey > 0) is None
    assert align(grey, grey == 0) is None


def test_hash_of_a_turned_picture_follows_from_its_own(rng):
    thumb = thumbnail(texture(rng))
    codes = signs(thumb)
    for number, turn in enumerate(TURNS):
        direct = signs(np.ascontiguousarray(turned(thumb, turn)))[0]
        # Rounding may tip a frequency that is nearly zero.
        assert (direct != codes[number]).sum() <= 1


def test_copies_under_all_eight_turns(rng):
    picture = texture(rng)
    others = [texture(rng) for _ in range(4)]
    for turn in TURNS:
        again = np.ascontiguousarray(turned(picture, turn))
        thumbs = [thumbnail(p) for p in (*others, picture, again)]
        copy, = find_copies(thumbs)
        assert (copy.first, copy.second) == (4, 5)
        assert copy.turned == any(turn)
        assert copy.correlation > 0.99


def test_flat_pictures_are_no_copies():
    flat = np.full((128, 128), 90, np.uint8)
    assert find_copies([flat, flat + 3]) == []


def test_groups():
    assert groups_of([(4, 2), (1, 2), (7, 8)]) == [[1, 2, 4], [7, 8]]


def overlaps(tmp_path, pictures, splits):
    files = []
    for number, picture in enumerate(pictures):
        files.append(str(tmp_path / f'{number}.png'))
        cv2.imwrite(files[-1], picture)
    return find_overlaps(
        [find_keypoints(p, 150) for p in pictures], splits, files)


def test_overlap_of_a_given_size(rng, tmp_path):
    whole = texture(rng, 300, 400)
    found, = overlaps(
        tmp_path, [whole[:, :240], texture(rng), whole[:, 160:]],
        ['train', 'train', 'test'])
    assert (found.first, found.second) == (0, 2)
    assert found.share == pytest.approx(80 / 240, abs=0.01)
    assert found.correlation > 0.99


def test_overlap_of_a_smaller_mirrored_piece(rng, tmp_path):
    whole = texture(rng, 300, 400)
    small = cv2.resize(
        whole[40:240, 60:360], None, fx=0.7, fy=0.7,
        interpolation=cv2.INTER_AREA)
    piece = np.ascontiguousarray(small[:, ::-1])
    found, = overlaps(tmp_path, [whole, piece], ['train', 'test'])
    assert found.share == pytest.approx(1, abs=0.02)
    assert found.whole == pytest.approx(0.5, abs=0.02)
    assert found.correlation > 0.9


def test_keypoint_number_keeps_the_work_bounded():
    assert keypoint_number(537) == 150
    assert keypoint_number(2400) == 50
    assert keypoint_number(30_000) == 24
