"""Pixels of every kind of file, whole or piece by piece."""

import io

import numpy as np
import pytest
from hostile_files import tiny_png
from PIL import Image

from mmcrack.datasets.images import UnreadableImageError
from mmcrack.inference.opening import open_photograph
from mmcrack.inference.photographs import from_array
from mmcrack.inference.tiff import epsg_code, pixel_to_world

tifffile = pytest.importorskip('tifffile')
SIZE = (70, 50)


@pytest.fixture
def image():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8)


def read(path, steps=(0, 33, 60, 70), limit=250):
    photograph = open_photograph(path, max_megapixels=limit)
    parts = [photograph.rows(a, b)
             for a, b in zip(steps, steps[1:], strict=False)]
    # Overlapping, backwards, single rows: the same pixels.
    assert (photograph.rows(20, 65)[:13] == parts[0][20:33]).all()
    assert (photograph.rows(0, 1) == parts[0][:1]).all()
    photograph.close()
    whole = np.concatenate(parts)
    assert whole.shape[:2] == photograph.size
    return whole


LAYOUTS = {
    'strips': dict(rowsperstrip=16),
    'one strip': dict(),
    'strips, deflate': dict(rowsperstrip=16, compression='zlib'),
    'one strip, deflate': dict(compression='zlib', rowsperstrip=70),
    'tiles': dict(tile=(16, 32)),
    'tiles, lzw, predictor': dict(tile=(32, 16), compression='lzw',
                                  predictor=True),
    'planes': dict(planarconfig='separate', rowsperstrip=16),
    'planes of tiles': dict(planarconfig='separate', tile=(16, 16),
                            compression='zlib'),
    'big-endian': dict(byteorder='>', rowsperstrip=16),
    'BigTIFF': dict(bigtiff=True, tile=(16, 16)),
}


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_tiff_layouts(tmp_path, image, layout, dtype):
    options = dict(LAYOUTS[layout])
    stored = image.astype(dtype)
    if dtype is np.uint16:
        stored = stored * 256 + 77
    if options.get('planarconfig'):
        stored = stored.transpose(2, 0, 1)
    tifffile.imwrite(tmp_path / 'a.tif', stored, photometric='rgb', **options)
    assert (read(tmp_path / 'a.tif') == image).all()


def test_tiff_colours(tmp_path, image):
    path = tmp_path / 'a.tif'
    grey = image[..., 0]
    tifffile.imwrite(path, grey, photometric='minisblack', rowsperstrip=16)
    assert (read(path) == grey[..., None]).all()
    tifffile.imwrite(path, ~grey, photometric='miniswhite', rowsperstrip=16)
    assert (read(path) == grey[..., None]).all()
    alpha = np.concatenate([image, image[..., :1]], 2)
    tifffile.imwrite(path, alpha, photometric='rgb', tile=(16, 16),
                     extrasamples=['unassalpha'])
    assert (read(path) == image).all()
    colors = (np.arange(768).reshape(3, 256) * 257).astype(np.uint16)
    tifffile.imwrite(path, grey, photometric='palette', colormap=colors,
                     rowsperstrip=16)
    assert (read(path) == (colors >> 8).T[grey]).all()
    # CMYK, RGB with JPEG inside and one bit: as Pillow reads them.
    for mode, options in (('CMYK', dict(compression='tiff_lzw')),
                          ('RGB', dict(compression='jpeg', quality=95)),
                          ('1', dict(compression='group4'))):
        picture = Image.fromarray(image).convert(mode)
        picture.save(path, **options)
        wanted = np.asarray(Image.open(path).convert('RGB'))
        difference = np.abs(read(path).astype(int) - wanted)
        assert difference.max() <= (2 if mode == 'RGB' else 0)


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('ending', ['.tif', '.jpg'])
def test_orientation_is_that_of_pillow(tmp_path, image, orientation, ending):
    """Of a JPEG in EXIF, of a TIFF in a tag."""
    from PIL import ImageOps
    path = tmp_path / f'a{ending}'
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(image).save(path, exif=exif)
    wanted = np.asarray(ImageOps.exif_transpose(Image.open(path)))
    photograph = open_photograph(path, max_megapixels=1)
    assert photograph.size == wanted.shape[:2]
    assert (photograph.rows(0, photograph.size[0]) == wanted).all()


def test_only_the_wanted_pieces_are_decoded(tmp_path, image):
    path = tmp_path / 'a.tif'
    tifffile.imwrite(path, image, tile=(16, 16), compression='zlib')
    photograph = open_photograph(path, max_megapixels=1)
    photograph.rows(40, 50)
    assert len(photograph._kept) == 2 * 4
    photograph.rows(63, 70)
    assert len(photograph._kept) == 2 * 4
    assert photograph._kept.keys() == set(range(12, 20))


def test_geotiff_keys_and_their_matrix(tmp_path, image):
    path = tmp_path / 'a.tif'
    tags = [(33550, 'd', 3, (.25, .5, 0.), True),
            (33922, 'd', 6, (10., 20., 0., 5000., 7000., 0.), True),
            (34735, 'H', 12, (1, 1, 0, 2, 1025, 0, 1, 1, 3072, 0, 1, 32633),
             True)]
    tifffile.imwrite(path, image, tile=(16, 16), extratags=tags)
    photograph = open_photograph(path, max_megapixels=1)
    assert [(t[0], tuple(t[3])) for t in photograph.geo] == [
        (t[0], t[3]) for t in tags]
    assert epsg_code(photograph.geo) == 32633
    matrix = pixel_to_world(photograph.geo)
    assert (matrix @ [10, 20, 1]).tolist() == [5000, 7000]
    assert (matrix @ [14, 22, 1]).tolist() == [5001, 6999]
    # Where coordinates are those of centres, corners lie half a pixel off.
    point = [*photograph.geo[:2], (34735, 3, 8, (1, 1, 0, 1, 1025, 0, 1, 2),
                                   True)]
    assert (pixel_to_world(point) @ [10.5, 20.5, 1]).tolist() == [5000, 7000]
    turned = [(34264, 12, 16, (0, 2, 0, 5, -3, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0,
                               1), True)]
    assert (pixel_to_world(turned) @ [1, 10, 1]).tolist() == [25, 3]
    assert pixel_to_world(None) is None


def test_300_megapixels_are_refused_before_memory_is_taken(tmp_path):
    import tracemalloc
    path = tmp_path / 'huge.png'
    path.write_bytes(tiny_png(20000, 15000))
    assert path.stat().st_size < 50_000
    tracemalloc.start()
    with pytest.raises(UnreadableImageError, match=(
            r'300 megapixels \(20000 x 15000\).*limit is 250.*tiled TIFF')):
        open_photograph(path, max_megapixels=250)
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_a_large_tiff_is_streamed_but_not_in_one_piece(tmp_path):
    path = tmp_path / 'a.tif'
    zeros = np.zeros((400, 300), np.uint8)
    tifffile.imwrite(path, zeros, tile=(64, 64), compression='zlib')
    photograph = open_photograph(path, max_megapixels=.05)
    assert photograph.streamed
    assert photograph.rows(390, 400).shape == (10, 300, 3)
    assert not open_photograph(path, max_megapixels=1).streamed
    tifffile.imwrite(path, zeros, rowsperstrip=400, compression='zlib')
    with pytest.raises(UnreadableImageError, match='decoded at once'):
        open_photograph(path, max_megapixels=.05)


def damaged(path):
    data = path.read_bytes()
    path.write_bytes(data[:len(data) // 2])


@pytest.mark.parametrize('options', [
    dict(compression='zlib', tile=(16, 16)), dict()], ids=['tiles', 'plain'])
def test_a_truncated_tiff(tmp_path, options):
    path = tmp_path / 'a.tif'
    noise = np.random.default_rng(0).integers(0, 256, (200, 100), np.uint8)
    tifffile.imwrite(path, noise, **options)
    damaged(path)
    with pytest.raises(UnreadableImageError, match=r"a\.tif' cannot be dec"):
        open_photograph(path, max_megapixels=1).rows(0, 200)


@pytest.mark.parametrize('content', [
    b'II*\0', b'II*\0\x08\0\0\0', b'MM\0*' + bytes(100)])
def test_no_tiff_behind_its_first_bytes(tmp_path, content):
    (tmp_path / 'a.tif').write_bytes(content)
    with pytest.raises(UnreadableImageError, match='cannot be decoded'):
        open_photograph(tmp_path / 'a.tif', max_megapixels=1)


def test_floating_point_pixels(tmp_path):
    tifffile.imwrite(tmp_path / 'a.tif', np.zeros((9, 9), np.float32))
    with pytest.raises(UnreadableImageError, match='8 or 16 bits'):
        open_photograph(tmp_path / 'a.tif', max_megapixels=1)


def test_tiff_without_tifffile(tmp_path, monkeypatch, image):
    tifffile.imwrite(tmp_path / 'a.tif', image)
    monkeypatch.setitem(__import__('sys').modules, 'tifffile', None)
    with pytest.raises(ImportError, match=r'mmcrack\[inference\]'):
        open_photograph(tmp_path / 'a.tif', max_megapixels=1)


def test_arrays(image):
    assert (from_array(image).rows(3, 5) == image[3:5]).all()
    assert (from_array(image[..., 0]).image == image[..., :1]).all()
    deep = image.astype(np.uint16) * 256 + 255
    assert (from_array(deep).image == image).all()
    assert (from_array(image[..., 0] > 99).image[..., 1]
            == (image[..., 0] > 99) * 255).all()
    with pytest.raises(TypeError, match='8 or 16 bits'):
        from_array(image / 255)
    for wrong in (image[None], image[:0]):
        with pytest.raises(ValueError, match=r'\(H, W, C\)'):
            from_array(wrong)


def test_a_jpeg_in_cmyk(tmp_path, image):
    path = tmp_path / 'a.jpg'
    Image.fromarray(image).convert('CMYK').save(path, quality=98)
    buffer = io.BytesIO(path.read_bytes())
    wanted = np.asarray(Image.open(buffer).convert('RGB'))
    assert (read(path) == wanted).all()
