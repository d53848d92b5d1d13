"""The one mask rule, and resizing that keeps thin cracks."""

import numpy as np
import pytest
from conftest import real_data
from PIL import Image

from mmcrack.datasets.images import UnreadableImageError
from mmcrack.datasets.masks import binarise_mask, read_mask, resize_mask

U8 = np.uint8


def array(*rows, dtype=U8):
    return np.array(rows, dtype=dtype)


@pytest.mark.parametrize(('values', 'options', 'wanted'), [
    ([0, 1], {}, [0, 1]),
    ([0, 0], {}, [0, 0]),
    ([1, 1], {}, [1, 1]),
    ([0, 255], {}, [0, 1]),
    ([255, 255], {}, [1, 1]),
    ([0, 1, 255], {'ignore_value': 255}, [0, 1, 255]),
    ([0, 255], {'ignore_value': 255}, [0, 255]),
    ([0, 1], {'ignore_value': 255}, [0, 1]),
    ([0, 1, 2], {'ignore_value': 2}, [0, 1, 255]),
    ([0, 128, 255], {'ignore_value': 128}, [0, 255, 1]),
    ([0, 127, 128, 255] + [0] * 40, {'lossy': True},
     [0, 0, 1, 1] + [0] * 40),
    ([0, 1], {'lossy': True}, [0, 1]),
    ([5, 250], {'lossy': True}, [0, 1]),
])
def test_rule(values, options, wanted):
    out = binarise_mask(array(values), **options)
    assert out.dtype == U8
    assert out.tolist() == [wanted]


def test_rule_takes_booleans_wide_integers_and_equal_channels():
    flags = np.array([[True, False]])
    assert binarise_mask(flags).tolist() == [[1, 0]]
    assert binarise_mask(flags.astype(np.int64) * 255).tolist() == [[1, 0]]
    three = np.repeat(array([0, 255])[:, :, None], 3, axis=2)
    assert binarise_mask(three).tolist() == [[0, 1]]
    assert binarise_mask(three[:, :, :1]).tolist() == [[0, 1]]


def test_rule_does_not_return_its_input():
    mask = array([0, 1])
    binarise_mask(mask)[:] = 7
    assert mask.tolist() == [[0, 1]]


@pytest.mark.parametrize(('mask', 'options', 'message'), [
    (array([0, 1, 2]), {}, r"'a.png' holds \{0, 1, 2\}, wanted \{0, 1\} or"),
    (array([0, 1, 255]), {}, r'set ignore_value=255 if'),
    (array([0, 128]), {}, r'holds \{0, 128\}'),
    (array([0, 30, 255]), {}, 'set lossy_masks=True'),
    (array(range(20)), {}, r'0, 1, 2, 3, 4, 5, 6, 7, \.\.\. 20 values'),
    (array([0, 2, 255]), {'ignore_value': 255},
     r'wanted \{0, 1, 255\} with ignore_value=255'),
    (array([0, 255]), {'ignore_value': 1}, r'ignore_value must lie in 2'),
    (array([0, 7, 255]), {'ignore_value': 255, 'lossy': True},
     'is lossy, so its grey levels cannot tell'),
    (array([0, 65535], dtype=np.uint16), {}, 'values from 0 to 65535'),
    (array([0, -1], dtype=np.int16), {}, 'values from -1 to 0'),
    (array([[0, 0, 255]]), {}, 'is coloured'),
    (np.zeros((2, 2, 4), U8), {}, r'has shape \(2, 2, 4\)'),
])
def test_rule_refuses(mask, options, message):
    with pytest.raises(ValueError, match=message):
        binarise_mask(mask, source='a.png', **options)


def test_rule_refuses_floats():
    with pytest.raises(TypeError, match='booleans or integers, got float64'):
        binarise_mask(np.zeros((2, 2)))


def test_five_per_cent_of_grey_is_the_limit():
    mask = np.zeros((10, 10), U8)
    mask[0, :5] = 32, 100, 127, 128, 223
    assert binarise_mask(mask, lossy=True).sum() == 2
    mask[1, 0] = 60
    with pytest.raises(ValueError, match=r'6\.0% of its pixels in 32\.\.\.22'):
        binarise_mask(mask, lossy=True)
    mask[0] = 31, 224, 31, 224, 31, 224, 31, 224, 31, 60
    assert binarise_mask(mask, lossy=True).sum() == 4


def crack(height=64, width=96):
    mask = np.zeros((height, width), U8)
    mask[height // 2:height // 2 + 12] = 1
    mask[:, 20:30] = 1
    return mask


def test_read_jpeg_is_lossy_by_itself(tmp_path):
    path = tmp_path / 'm.png'  # content decides, not the name
    Image.fromarray(crack() * 255).save(path, 'JPEG', quality=90)
    assert len(np.unique(np.asarray(Image.open(path)))) > 2
    assert np.array_equal(read_mask(path), crack())
    with pytest.raises(ValueError, match='values in all'):
        read_mask(path, lossy=False)


def test_read_tinted_jpeg(tmp_path):
    rgb = np.repeat(crack()[:, :, None] * U8(255), 3, axis=2)
    rgb[..., 2] = np.minimum(rgb[..., 2], 235)
    Image.fromarray(rgb).save(tmp_path / 'm.jpg', quality=95)
    assert np.array_equal(read_mask(tmp_path / 'm.jpg'), crack())


def test_noisy_jpeg_mask_is_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), U8)
    Image.fromarray(noise).save(tmp_path / 'noisy.jpg')
    with pytest.raises(
            ValueError, match=r'noisy\.jpg.* of its pixels in 32\.\.\.223'):
        read_mask(tmp_path / 'noisy.jpg')


@pytest.mark.parametrize('values', [(0, 1), (0, 255)])
@pytest.mark.parametrize('suffix', ['png', 'bmp', 'tif', 'gif'])
def test_read_lossless_formats(tmp_path, suffix, values):
    mask = np.where(crack() == 1, U8(values[1]), U8(values[0]))
    Image.fromarray(mask).save(tmp_path / f'm.{suffix}')
    assert np.array_equal(read_mask(tmp_path / f'm.{suffix}'), crack())


def palette_mask(path, index, colours):
    picture = Image.fromarray(index)
    picture.putpalette([c for colour in colours for c in colour])
    assert picture.mode == 'P'
    picture.save(path)


@pytest.mark.parametrize(('index', 'colours'), [
    (crack(), [(0, 0, 0), (255, 255, 255)]),  # DRIVE's 2nd_manual
    (1 - crack(), [(255, 255, 255), (0, 0, 0)]),  # white was put first
    (crack(), [(0, 0, 0), (128, 0, 0)]),  # labels, painted red
])
def test_palettes(tmp_path, index, colours):
    palette_mask(tmp_path / 'm.png', index, colours)
    assert np.array_equal(read_mask(tmp_path / 'm.png'), crack())


def test_palette_with_three_labels_is_refused(tmp_path):
    index = crack()
    index[0, 0] = 2
    palette_mask(
        tmp_path / 'm.png', index, [(0, 0, 0), (128, 0, 0), (0, 128, 0)])
    with pytest.raises(ValueError, match=r'm\.png.* holds \{0, 1, 2\}'):
        read_mask(tmp_path / 'm.png')


def test_bilevel_and_alpha(tmp_path):
    Image.fromarray(crack() * 255).convert('1').save(tmp_path / 'm.png')
    assert np.array_equal(read_mask(tmp_path / 'm.png'), crack())
    rgba = np.full((64, 96, 4), 255, U8)
    rgba[..., :3] *= crack()[:, :, None]
    Image.fromarray(rgba).save(tmp_path / 'm.png')
    assert np.array_equal(read_mask(tmp_path / 'm.png'), crack())
    rgba[0, 0, 3] = 0
    Image.fromarray(rgba).save(tmp_path / 'm.png')
    with pytest.raises(ValueError, match='partly transparent'):
        read_mask(tmp_path / 'm.png')


def test_sixteen_bit_mask_with_legal_values(tmp_path):
    Image.fromarray(crack().astype(np.uint16)).save(tmp_path / 'm.png')
    assert np.array_equal(read_mask(tmp_path / 'm.png'), crack())


def test_another_size_names_both_files_and_sizes(tmp_path):
    Image.fromarray(crack()).save(tmp_path / 'm.png')
    with pytest.raises(ValueError, match=(
            r"m\.png' is 96 x 64 pixels \(w x h\) but its image 'i\.jpg' is "
            r'64 x 96: ')):
        read_mask(tmp_path / 'm.png', image_size=(96, 64), image_path='i.jpg')
    read_mask(tmp_path / 'm.png', image_size=(64, 96))


def test_missing_and_corrupt_mask(tmp_path):
    with pytest.raises(FileNotFoundError, match='no mask .*gone.png'):
        read_mask(tmp_path / 'gone.png')
    (tmp_path / 'bad.png').write_bytes(b'no picture')
    with pytest.raises(UnreadableImageError, match='mask .*bad.png'):
        read_mask(tmp_path / 'bad.png')


@pytest.mark.parametrize('angle', range(0, 180, 15))
def test_thin_crack_survives_shrinking(angle):
    """A one-pixel line across 640 x 360 stays connected at 256 x 144."""
    import cv2
    mask = np.zeros((360, 640), U8)
    direction = np.deg2rad(angle)
    dx, dy = 150 * np.cos(direction), 150 * np.sin(direction)
    cv2.line(mask, (int(320 - dx), int(180 - dy)),
             (int(320 + dx), int(180 + dy)), 1, 1)
    small = resize_mask(mask, size=(144, 256), mode='area')
    assert cv2.connectedComponents(small, connectivity=8)[0] == 2
    ys, xs = np.nonzero(mask)
    assert (small[ys * 144 // 360, xs * 256 // 640] == 1).all()
    # No more than the boxes that the line touches.
    assert small.sum() <= 2 * mask.sum() / 2.5 + 4


def test_nearest_is_what_erases_thin_cracks():
    mask = np.zeros((360, 640), U8)
    mask[181] = 1
    assert resize_mask(mask, size=(144, 256), mode='nearest').sum() == 0
    assert resize_mask(mask, size=(144, 256), mode='area').sum() == 256


def slow_area(mask, height, width):
    """Oracle: every box by itself, with exact fractions."""
    out = np.zeros((height, width), U8)
    for y in range(height):
        for x in range(width):
            box = mask[y * mask.shape[0] // height:
                       -(-(y + 1) * mask.shape[0] // height),
                       x * mask.shape[1] // width:
                       -(-(x + 1) * mask.shape[1] // width)]
            out[y, x] = 1 if (box == 1).any() else (
                255 if (box == 255).any() else 0)
    return out


@pytest.mark.parametrize('size', [(7, 5), (20, 31), (1, 1), (13, 30)])
def test_area_equals_the_slow_oracle(size):
    rng = np.random.default_rng(3)
    mask = rng.choice(array([0, 1, 255])[0], (20, 31), p=[0.96, 0.02, 0.02])
    assert np.array_equal(
        resize_mask(mask, size=size, mode='area'), slow_area(mask, *size))


def test_majority_and_enlarging():
    mask = np.zeros((4, 4), U8)
    mask[0, 0] = 1
    mask[2:, 2:] = [[255, 255], [255, 1]]
    wide = resize_mask(mask, size=(2, 2), mode='majority')
    assert wide.tolist() == [[0, 0], [0, 255]]
    mask[0, 1] = 1  # a tie goes to the crack
    wide = resize_mask(mask, size=(2, 2), mode='majority')
    assert wide.tolist() == [[1, 0], [0, 255]]
    for mode in ('area', 'nearest', 'majority'):
        twice = resize_mask(mask, size=(8, 8), mode=mode)
        assert np.array_equal(twice, mask.repeat(2, 0).repeat(2, 1))
    # One axis grows while the other shrinks.
    mixed = resize_mask(mask, size=(2, 8), mode='area')
    assert mixed.tolist() == [[1, 1, 1, 1, 0, 0, 0, 0],
                              [0, 0, 0, 0, 255, 255, 1, 1]]


def test_resize_refuses():
    with pytest.raises(ValueError, match="mask mode must be one of .*'max'"):
        resize_mask(crack(), size=(3, 3), mode='max')
    with pytest.raises(ValueError, match='at least 1 x 1 pixel, got 0 x 3'):
        resize_mask(crack(), size=(0, 3), mode='area')


@pytest.mark.parametrize('name', [
    'cfd', 'deepcrack', 'crack500_360', 'drive', 'nha12d', 'uav75',
    'hr_concrete'
])
def test_every_real_mask_loads(name):
    root = real_data(name)
    paths = sorted((root / 'masks').rglob('*.png'))
    for path in paths:
        image = next((root / 'images' / path.parent.name).glob(
            f'{path.stem}.*'))
        with Image.open(image) as picture:
            size = picture.size[::-1]
        mask = read_mask(path, image_size=size, image_path=image)
        share = mask.mean()
        assert 0.0003 < share < 0.6, path
        assert mask.max() == 1
    assert paths
