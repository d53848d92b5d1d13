"""Photographs of every kind become 8-bit RGB, or are named."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageFile

from mmcrack.datasets.images import UnreadableImageError, read_image
from mmcrack.datasets.masks import read_mask

U8 = np.uint8


def photograph(height=20, width=30, seed=0):
    rng = np.random.default_rng(seed)
    smooth = rng.integers(0, 256, (height // 5, width // 5, 3), U8)
    return smooth.repeat(5, 0).repeat(5, 1)


def test_rgb_is_unchanged(tmp_path):
    Image.fromarray(photograph()).save(tmp_path / 'a.png')
    out = read_image(tmp_path / 'a.png')
    assert np.array_equal(out, photograph())
    assert out.flags.c_contiguous
    assert out.flags.writeable


def test_greyscale_and_bilevel_are_repeated(tmp_path):
    grey = photograph()[..., 0]
    Image.fromarray(grey).save(tmp_path / 'a.png')
    assert np.array_equal(
        read_image(tmp_path / 'a.png'), np.stack([grey] * 3, axis=2))
    Image.fromarray(grey > 99).save(tmp_path / 'b.png')
    assert np.array_equal(
        read_image(tmp_path / 'b.png')[..., 1], (grey > 99) * U8(255))


@pytest.mark.parametrize('suffix', ['png', 'tif'])
def test_sixteen_bits_keep_the_high_byte(tmp_path, suffix):
    grey = np.array([[0, 255, 256, 32768, 65535]], np.uint16)
    Image.fromarray(grey).save(tmp_path / f'a.{suffix}')
    out = read_image(tmp_path / f'a.{suffix}')
    assert out[0, :, 2].tolist() == [0, 0, 1, 128, 255]


def test_sixteen_bit_colour_keeps_the_high_byte(tmp_path):
    import cv2
    colour = np.random.default_rng(0).integers(0, 65536, (4, 6, 3), np.uint16)
    cv2.imwrite(str(tmp_path / 'a.png'), colour)
    assert np.array_equal(
        read_image(tmp_path / 'a.png'), (colour // 256)[..., ::-1])


def test_alpha_is_dropped(tmp_path):
    rgba = np.dstack([photograph(), np.full((20, 30), 7, U8)])
    Image.fromarray(rgba).save(tmp_path / 'a.png')
    assert np.array_equal(read_image(tmp_path / 'a.png'), photograph())


def test_palette_and_cmyk(tmp_path):
    picture = Image.fromarray(photograph())
    picture.quantize(256).save(tmp_path / 'a.png')
    difference = read_image(tmp_path / 'a.png').astype(int) - photograph()
    assert abs(difference).max() <= 8
    picture.convert('CMYK').save(tmp_path / 'b.tif')
    difference = read_image(tmp_path / 'b.tif').astype(int) - photograph()
    assert abs(difference).max() <= 2


def test_wide_integers_and_floats_are_refused(tmp_path):
    Image.fromarray(np.full((3, 3), 70000, np.int32)).save(
        tmp_path / 'a.tif')
    with pytest.raises(UnreadableImageError, match='from 70000 to 70000'):
        read_image(tmp_path / 'a.tif')
    Image.fromarray(np.zeros((3, 3), np.float32)).save(tmp_path / 'b.tif')
    with pytest.raises(UnreadableImageError, match='floating-point'):
        read_image(tmp_path / 'b.tif')


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('suffix', ['png', 'jpg', 'tif'])
def test_exif_turns_image_and_mask_alike(tmp_path, orientation, suffix):
    """The stored picture differs with the tag, the upright one never."""
    upright = np.zeros((20, 30), U8)
    upright[:7, :15] = 255
    stored = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.T,
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).T,
        8: lambda a: np.rot90(a, -1),
    }[orientation](upright)
    path = tmp_path / f'a.{suffix}'
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {'quality': 100} if suffix == 'jpg' else {}
    Image.fromarray(np.ascontiguousarray(stored)).save(
        path, exif=exif, **options)
    image = read_image(path)
    mask = read_mask(path, image_size=image.shape[:2])
    assert np.array_equal(mask, upright // 255)
    assert np.array_equal(image[..., 0] > 127, mask == 1)


def jpeg_bytes(quality=90):
    buffer = io.BytesIO()
    Image.fromarray(photograph(80, 120)).save(buffer, 'JPEG', quality=quality)
    return buffer.getvalue()


@pytest.mark.parametrize('share', [0.3, 0.6, 0.95])
def test_truncated_jpeg_is_refused(tmp_path, share):
    data = jpeg_bytes()
    (tmp_path / 'cut.jpg').write_bytes(data[:int(len(data) * share)])
    with pytest.raises(
            UnreadableImageError, match=r"image '.*cut\.jpg' cannot be deco"):
        read_image(tmp_path / 'cut.jpg')


def test_truncated_jpeg_is_refused_whatever_others_set(tmp_path, monkeypatch):
    monkeypatch.setattr(ImageFile, 'LOAD_TRUNCATED_IMAGES', True)
    data = jpeg_bytes()
    (tmp_path / 'cut.jpg').write_bytes(data[:len(data) // 2])
    with pytest.raises(UnreadableImageError, match='cut.jpg'):
        read_image(tmp_path / 'cut.jpg')
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


@pytest.mark.parametrize(('content', 'message'), [
    (b'', r'is an empty file \(0 bytes\)'),
    (b'hello', 'not an image, or a format'),
    (b'\xff\xd8\xff\xe0', 'cannot be decoded'),
    (b'\x89PNG\r\n\x1a\n', 'cannot be decoded'),
])
def test_bad_files_are_named(tmp_path, content, message):
    (tmp_path / 'bad.jpg').write_bytes(content)
    with pytest.raises(UnreadableImageError, match=rf'bad\.jpg.*{message}'):
        read_image(tmp_path / 'bad.jpg')


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match='no image .*gone.jpg'):
        read_image(tmp_path / 'gone.jpg')
    with pytest.raises(UnreadableImageError, match='cannot be opened'):
        read_image(tmp_path)


def test_content_from_elsewhere():
    assert read_image('s3://x.jpg', data=jpeg_bytes()).shape == (80, 120, 3)


def test_no_limit_of_size(tmp_path, monkeypatch):
    """Pillow refuses above twice its limit; 16K photographs exceed it."""
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 100)
    Image.fromarray(photograph()).save(tmp_path / 'a.png')
    assert np.array_equal(read_image(tmp_path / 'a.png'), photograph())
    assert Image.MAX_IMAGE_PIXELS == 100


def test_readers_work_without_openmmlab():
    """Converters and the reader of masks need numpy and Pillow only."""
    code = (
        'import sys\n'
        'for name in ("mmseg", "mmengine", "mmcv", "torch"):\n'
        '    sys.modules[name] = None\n'
        'from mmcrack.datasets import images, masks, pairing\n'
        'print(masks.binarise_mask(masks.np.array([[True]])).sum())\n')
    out = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True,
        check=True)
    assert out.stdout == '1\n'
