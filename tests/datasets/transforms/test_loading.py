"""Loading transforms: BGR, upright, sizes checked."""

import cv2
import numpy as np
import pytest
from PIL import Image

from mmcrack.datasets.transforms import LoadCrackAnnotations, LoadCrackImage


@pytest.fixture
def pair(tmp_path):
    """A turned photograph (EXIF orientation 6) and its turned mask."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (20, 30, 3), np.uint8)
    mask = np.zeros((20, 30), np.uint8)
    mask[:4, :9] = 1
    exif = Image.Exif()
    exif[0x0112] = 6
    results = {}
    for key, array in (('img_path', image), ('seg_map_path', mask)):
        results[key] = str(tmp_path / f'{key}.png')
        Image.fromarray(np.ascontiguousarray(np.rot90(array))).save(
            results[key], exif=exif)
    return results, image, mask


def test_image_and_mask_come_upright(pair):
    results, image, mask = pair
    results = LoadCrackAnnotations()(LoadCrackImage()(results))
    assert np.array_equal(results['img'], image[..., ::-1])
    assert results['img'].flags.c_contiguous
    assert results['img_shape'] == results['ori_shape'] == (20, 30)
    assert np.array_equal(results['gt_seg_map'], mask)
    assert results['seg_fields'] == ['gt_seg_map']


def test_float_image_has_the_same_values(pair):
    results, image, _ = pair
    loaded = LoadCrackImage(to_float32=True)(results)['img']
    assert loaded.dtype == np.float32
    assert np.array_equal(loaded, image[..., ::-1])


def test_backend_gives_the_same(pair):
    results, image, mask = pair
    backend = dict(backend='local')
    loaded = LoadCrackAnnotations(backend_args=backend)(
        LoadCrackImage(backend_args=backend)(dict(results)))
    assert np.array_equal(loaded['img'], image[..., ::-1])
    assert np.array_equal(loaded['gt_seg_map'], mask)


def test_mask_alone_and_mask_after_resize(pair):
    """The original size counts: MMSegmentation loads labels after Resize."""
    results, _, mask = pair
    alone = LoadCrackAnnotations()(dict(results))
    assert np.array_equal(alone['gt_seg_map'], mask)
    results = LoadCrackImage()(results)
    results['img'] = cv2.resize(results['img'], (10, 10))
    results['img_shape'] = (10, 10)
    assert LoadCrackAnnotations()(results)['gt_seg_map'].shape == (20, 30)


def test_another_size_is_refused(pair):
    results, _, mask = pair
    Image.fromarray(mask[1:]).save(results['seg_map_path'])
    with pytest.raises(ValueError, match=r'30 x 19 pixels .* is 30 x 20'):
        LoadCrackAnnotations()(LoadCrackImage()(results))


def test_zero_is_never_reduced(pair):
    with pytest.raises(ValueError, match='reduce_zero_label=True'):
        LoadCrackAnnotations()(dict(pair[0], reduce_zero_label=True))


def test_label_map_keeps_ignored(pair):
    results, _, mask = pair
    mask = mask.copy()
    mask[-1] = 255
    Image.fromarray(mask).save(results['seg_map_path'])
    loaded = LoadCrackAnnotations()(
        dict(results, ignore_value=255, label_map={0: 1, 1: 0}))['gt_seg_map']
    assert np.array_equal(loaded == 0, mask == 1)
    assert np.array_equal(loaded == 255, mask == 255)
