"""Laws of turning, resizing and cropping."""

import mmcv
import numpy as np
import pytest
from mmcv.transforms.utils import cache_random_params

from mmcrack.datasets.transforms import (
    CrackCrop,
    CrackResize,
    RandomRotate90,
)


def sample(height=40, width=60, cracks=((11, 47), ), seed=0):
    """Image whose channels are its own coordinates, so crops can be read."""
    rows, columns = np.mgrid[:height, :width].astype(np.uint8)
    mask = np.zeros((height, width), np.uint8)
    for row, column in cracks:
        mask[row, column] = 1
    noise = np.random.default_rng(seed).integers(
        0, 256, (height, width), np.uint8)
    image = np.stack([rows + 1, columns + 1, noise], axis=2)
    return dict(
        img=image,
        gt_seg_map=mask,
        gt_edge=mask + 3,
        seg_fields=['gt_seg_map', 'gt_edge'],
        img_shape=(height, width))


@pytest.fixture(autouse=True)
def _seed():
    np.random.seed(0)  # noqa: NPY002


@pytest.mark.parametrize('angle', [90, 180, 270])
def test_turn_is_the_quarter_turn_that_is_asked_for(angle):
    turned = RandomRotate90(prob=1, angles=(angle, ))(sample())
    for key in ('img', 'gt_seg_map', 'gt_edge'):
        assert np.array_equal(
            turned[key], np.rot90(sample()[key], angle // 90))
        assert turned[key].flags.c_contiguous
    assert turned['img_shape'] == turned['img'].shape[:2]


def test_four_turns_are_none():
    results = sample()
    turn = RandomRotate90(prob=1, angles=90)
    for _ in range(4):
        results = turn(results)
    for key in ('img', 'gt_seg_map', 'gt_edge'):
        assert np.array_equal(results[key], sample()[key])


def test_turns_are_as_frequent_as_asked():
    turn = RandomRotate90(prob=0.6, angles=(90, 180))
    drawn = np.array([turn._quarter_turns() for _ in range(2000)])
    for turns, share in ((0, 0.4), (1, 0.3), (2, 0.3), (3, 0)):
        assert abs((drawn == turns).mean() - share) < 0.04
    never = RandomRotate90(prob=0)
    assert {never._quarter_turns() for _ in range(50)} == {0}


def test_one_draw_serves_several_samples():
    turn, crop = RandomRotate90(prob=0.5), CrackCrop(crop_size=8)
    with cache_random_params([turn, crop]):
        for _ in range(6):
            first = crop(turn(sample()))
            second = crop(turn(sample()))
            assert np.array_equal(first['img'], second['img'])


@pytest.mark.parametrize(('build', 'message'), [
    (lambda: RandomRotate90(prob=1.5), r'prob must lie in \[0, 1\], got 1.5'),
    (lambda: RandomRotate90(angles=(45, )), r'angles must be .*got \(45,\)'),
    (lambda: RandomRotate90(angles=()), 'angles must be'),
    (lambda: CrackResize(), 'either scale or scale_factor'),
    (lambda: CrackResize(scale=9, scale_factor=0.5), 'either scale or'),
    (lambda: CrackResize(scale=(4, 0)), 'scale must be one positive number'),
    (lambda: CrackResize(scale=4, mask_mode='max'), 'mask_mode must be one'),
    (lambda: CrackResize(scale=4, interpolation='x'), 'interpolation must'),
    (lambda: CrackCrop(crop_size=0), 'crop_size must be one positive'),
    (lambda: CrackCrop(crop_size=(1, 2, 3)), 'crop_size must be one'),
    (lambda: CrackCrop(crop_size=4, crack_prob=-1), 'crack_prob must lie'),
    (lambda: CrackCrop(crop_size=4, jitter=0.6), 'jitter must lie in'),
    (lambda: CrackCrop(crop_size=99, pad_val=(0, 0))(sample()),
     'pad_val must be one number or one per channel'),
])
def test_bad_options(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_thin_crack_survives_two_and_a_half():
    results = sample(360, 640, cracks=[(181, c) for c in range(640)])
    thin = CrackResize(scale=(256, 144))(results)
    assert thin['img'].shape == (144, 256, 3)
    assert thin['gt_seg_map'][72].all()
    assert thin['gt_seg_map'].sum() == 256
    results = sample(360, 640, cracks=[(181, c) for c in range(640)])
    gone = CrackResize(scale=(256, 144), mask_mode='nearest')(results)
    assert gone['gt_seg_map'].sum() == 0


@pytest.mark.parametrize('options', [
    dict(scale=(32, 20)), dict(scale=(32, 30), keep_ratio=True),
    dict(scale_factor=0.5), dict(scale_factor=(1.5, 0.7)),
    dict(scale_factor=1.3, keep_ratio=True), dict(scale=25),
])
def test_sizes_are_those_of_mmcv(options):
    ours = CrackResize(**options)(sample())
    theirs = mmcv.transforms.Resize(**options)(sample())
    assert ours['img'].shape == theirs['img'].shape
    assert ours['gt_seg_map'].shape == theirs['gt_seg_map'].shape
    assert ours['gt_edge'].shape == ours['gt_seg_map'].shape
    assert ours['img_shape'] == theirs['img_shape']
    assert ours['scale_factor'] == pytest.approx(theirs['scale_factor'])
    assert ours['scale'] == theirs['scale']
    assert ours['keep_ratio'] is theirs['keep_ratio']


def test_image_is_averaged_when_shrinking_and_mixed_when_growing():
    small = CrackResize(scale_factor=0.5)(sample())['img'].astype(float)
    boxes = sample()['img'].reshape(20, 2, 30, 2, 3).mean(axis=(1, 3))
    assert abs(small - boxes).max() <= 0.51
    large = CrackResize(scale_factor=2.0)(sample())['img']
    assert np.array_equal(large, mmcv.imresize(
        sample()['img'], (120, 80), interpolation='bilinear'))
    fixed = CrackResize(scale_factor=0.5, interpolation='nearest')(sample())
    assert np.array_equal(fixed['img'], sample()['img'][::2, ::2])


def test_resize_keeps_ignored_pixels():
    results = sample(cracks=())
    results['gt_seg_map'][10:20, 30:] = 255
    small = CrackResize(scale_factor=0.5)(results)['gt_seg_map']
    assert (small[5:10, 15:] == 255).all()
    assert (small == 255).sum() == 75


def corner(results):
    """Top and left of a crop, read from the coordinates in the image."""
    return int(results['img'][0, 0, 0]) - 1, int(results['img'][0, 0, 1]) - 1


@pytest.mark.parametrize('jitter', [0, 0.25, 0.5])
@pytest.mark.parametrize('crop_size', [1, 7, (16, 24), (40, 60)])
@pytest.mark.parametrize('place', [(0, 0), (39, 59), (0, 59), (11, 47)])
def test_crop_on_a_crack_always_holds_it(crop_size, jitter, place):
    crop = CrackCrop(crop_size=crop_size, crack_prob=1, jitter=jitter)
    for _ in range(30):
        results = crop(sample(cracks=[place]))
        assert results['gt_seg_map'].sum() == 1
        assert results['img'].shape[:2] == crop.crop_size
        top, left = corner(results)
        rows = slice(top, top + crop.crop_size[0])
        columns = slice(left, left + crop.crop_size[1])
        for key in ('img', 'gt_seg_map', 'gt_edge'):
            assert np.array_equal(
                results[key], sample(cracks=[place])[key][rows, columns])


def test_jitter_bounds_the_shift_and_uses_all_of_it():
    crop = CrackCrop(crop_size=16, crack_prob=1, jitter=0.25)
    tops, lefts = zip(*(corner(crop(sample(cracks=[(20, 30)])))
                        for _ in range(400)), strict=True)
    assert set(tops) == set(range(20 - 8 - 4, 20 - 8 + 4 + 1))
    assert set(lefts) == set(range(30 - 8 - 4, 30 - 8 + 4 + 1))


@pytest.mark.parametrize('cracks', [((11, 47), ), ()])
def test_uniform_crop_reaches_every_place(cracks):
    """Also when a crack is wanted but there is none."""
    crop = CrackCrop(crop_size=(38, 57), crack_prob=0 if cracks else 1)
    seen = {corner(crop(sample(cracks=cracks))) for _ in range(300)}
    assert seen == {(r, c) for r in range(3) for c in range(4)}


def test_share_of_crops_on_a_crack():
    crop = CrackCrop(crop_size=4, crack_prob=0.5)
    held = [crop(sample())['gt_seg_map'].any() for _ in range(1000)]
    by_chance = 16 / (37 * 57)
    assert abs(np.mean(held) - (0.5 + 0.5 * by_chance)) < 0.05


@pytest.mark.parametrize('crack_prob', [0, 1])
def test_a_small_image_is_padded_and_the_padding_ignored(crack_prob):
    crop = CrackCrop(
        crop_size=32, crack_prob=crack_prob, pad_val=(1, 2, 3))
    results = crop(sample(20, 20, cracks=[(5, 5)]))
    assert results['img_shape'] == (32, 32)
    whole = sample(20, 20, cracks=[(5, 5)])
    assert np.array_equal(results['img'][:20, :20], whole['img'])
    assert np.array_equal(results['gt_seg_map'][:20, :20],
                          whole['gt_seg_map'])
    outside = np.ones((32, 32), bool)
    outside[:20, :20] = False
    assert (results['gt_seg_map'][outside] == 255).all()
    assert (results['gt_edge'][outside] == 255).all()
    assert (results['img'][outside] == (1, 2, 3)).all()


def test_ignored_pixels_are_no_crack():
    results = sample(cracks=[(2, 3)])
    results['gt_seg_map'][20:] = 255
    crop = CrackCrop(crop_size=8, crack_prob=1)
    for _ in range(20):
        assert (crop(dict(results))['gt_seg_map'] == 1).sum() == 1


def test_image_without_labels():
    results = dict(img=sample()['img'])
    results = RandomRotate90(prob=1)(results)
    results = CrackResize(scale=50)(results)
    assert CrackCrop(crop_size=20)(results)['img'].shape == (20, 20, 3)


def test_greyscale_array_is_padded():
    results = dict(img=np.full((3, 3), 9, np.uint8))
    out = CrackCrop(crop_size=5, pad_val=4)(results)['img']
    assert out.sum() == 9 * 9 + 16 * 4
