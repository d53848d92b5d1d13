"""A folder of photographs, good and bad: each ends as it should."""

import csv
import errno
import io
import json
import os

import numpy as np
import pytest
from hostile_files import tiny_png
from PIL import Image

from mmcrack.inference import CrackInferencer
from mmcrack.inference import files as files_module
from mmcrack.inference.files import OutputError
from mmcrack.inference.folder import infer_folder
from mmcrack.inference.inputs import list_photographs
from mmcrack.inference.outputs import Wanted

tifffile = pytest.importorskip('tifffile')


def truth(image):
    return image.mean(2) < 127.5


def mask_of(out, name):
    mask = np.asarray(Image.open(out / 'masks' / f'{name}.png'))
    assert set(np.unique(mask)) <= {0, 255}
    return mask > 0


@pytest.fixture
def folder(tmp_path, photograph):
    """Three photographs, one of them in a folder below."""
    root = tmp_path / 'photos'
    (root / 'deck').mkdir(parents=True)
    for n, name in enumerate(('a.png', 'b.png', 'deck/a.png')):
        Image.fromarray(photograph(seed=n)).save(root / name)
    return root


@pytest.fixture
def infer(inferencer, tmp_path):
    """Run into one folder, quietly."""

    def run(*inputs, out=tmp_path / 'out', **options):
        return infer_folder(inferencer, [str(i) for i in inputs], out,
                            show=False, **options)

    return run


# --- point 4 of what it must show: hostile files -----------------------------


def text_file(path, image):
    path.with_suffix('.jpg').write_text('not a photograph')


def truncated_jpeg(path, image):
    Image.fromarray(image).save(path.with_suffix('.jpg'), quality=95)
    data = path.with_suffix('.jpg').read_bytes()
    path.with_suffix('.jpg').write_bytes(data[:len(data) // 2])


def empty_png(path, image):
    path.with_suffix('.png').touch()


def huge_png(path, image):
    path.with_suffix('.png').write_bytes(tiny_png(20000, 15000))


def folder_named_jpg(path, image):
    path.with_suffix('.jpg').mkdir()
    (path.with_suffix('.jpg') / 'x.png').write_bytes(b'\x89PNG')


@pytest.mark.parametrize(('spoil', 'words'), [
    (text_file, ['bad.jpg', 'not an image']),
    (truncated_jpeg, ['bad.jpg', 'cannot be decoded']),
    (empty_png, ['bad.png', '0 bytes']),
    (huge_png, ['bad.png', '300 megapixels', 'tiled TIFF']),
    (folder_named_jpg, ['x.png', 'cannot be decoded']),
])
def test_a_bad_file_is_reported_and_the_rest_goes_on(
        folder, infer, photograph, tmp_path, capsys, spoil, words):
    spoil(folder / 'bad', photograph())
    outcome = infer(folder)
    assert (outcome.done, outcome.kept, len(outcome.failed)) == (3, 0, 1)
    reason = outcome.failed[0]['reason']
    assert '\n' not in reason
    for word in words:
        assert word in reason
    assert f'failed: {reason}' in capsys.readouterr().err
    for n, name in enumerate(('a', 'b', 'deck/a')):
        assert (mask_of(tmp_path / 'out', name)
                == truth(photograph(seed=n))).all()
    summary = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    assert (summary['photographs'], summary['done']) == (4, 3)
    assert summary['failed'] == outcome.failed
    # The next run tries it again, and only it.
    outcome = infer(folder)
    assert (outcome.done, outcome.kept, len(outcome.failed)) == (0, 3, 1)


def one_pixel(path, image):
    Image.fromarray(image[:1, :1]).save(path.with_suffix('.png'))
    return image[:1, :1]


def sixteen_bit_tiff(path, image):
    tifffile.imwrite(path.with_suffix('.tif'), image.astype(np.uint16) * 256,
                     photometric='rgb', tile=(32, 32), compression='zlib')
    return image


def cmyk_jpeg(path, image):
    path = path.with_suffix('.jpg')
    Image.fromarray(image).convert('CMYK').save(path, quality=100)
    return np.asarray(Image.open(path).convert('RGB'))


def rotated_jpeg(path, image):
    exif = Image.Exif()
    exif[274] = 6  # turn by 90 degrees to the right to see it upright
    path = path.with_suffix('.jpg')
    Image.fromarray(image).save(path, quality=100, exif=exif)
    return np.rot90(np.asarray(Image.open(path)), -1)


@pytest.mark.parametrize('make', [one_pixel, sixteen_bit_tiff, cmyk_jpeg,
                                  rotated_jpeg])
def test_an_odd_file_is_predicted(infer, photograph, tmp_path, make):
    image = make(tmp_path / 'odd', photograph())
    odd, = tmp_path.glob('odd.*')
    assert infer(odd).failed == []
    found = mask_of(tmp_path / 'out', 'odd')
    assert found.shape == image.shape[:2]
    assert (found == truth(image)).mean() > .999


@pytest.mark.parametrize('place', ['/proc/mmcrack_out', 'file/below'])
def test_a_folder_that_cannot_be_written_to(folder, infer, tmp_path, place):
    """Even for root: nothing can be made in /proc, nor below a file."""
    if place.startswith('/proc') and not os.path.isdir('/proc'):
        pytest.skip('needs /proc')
    (tmp_path / 'file').touch()
    with pytest.raises(OutputError, match='cannot be written'):
        infer(folder, out=tmp_path / place)


def test_a_read_only_folder(folder, infer, tmp_path, monkeypatch):
    """As root may write everywhere, the disk itself says no."""

    def read_only(path, mode='r', *rest, **more):
        if 'w' in mode:
            raise OSError(errno.EROFS, 'Read-only file system', str(path))
        return open(path, mode, *rest, **more)

    monkeypatch.setattr(files_module, 'open', read_only, raising=False)
    with pytest.raises(OutputError, match='Read-only file system'):
        infer(folder)


class Filling:
    """A disk that takes so many bytes."""

    def __init__(self, room):
        self.room = room

    def open(self, path, mode):
        file, disk = open(path, mode), self

        class Handle:
            def __getattr__(self, name):
                return getattr(file, name)

            def fileno(self):
                # Otherwise Pillow would write past this object.
                raise io.UnsupportedOperation

            def __enter__(self):
                return self

            def __exit__(self, *_):
                file.close()

            def write(self, data):
                disk.room -= len(data)
                if disk.room < 0:
                    raise OSError(errno.ENOSPC, 'No space left on device')
                return file.write(data)

        return Handle()


def test_a_full_disk_stops_the_run_and_the_next_one_goes_on(
        folder, infer, photograph, tmp_path, monkeypatch):
    disk = Filling(1000)
    monkeypatch.setattr(files_module, 'open', disk.open, raising=False)
    with pytest.raises(OutputError, match=(
            'No space left on device.*make room.*what is done is kept')):
        infer(folder)
    out = tmp_path / 'out'
    done = list((out / 'records').rglob('*.json'))
    assert len(done) in (1, 2)
    for path in out.rglob('*'):
        assert '.part' not in path.name
    monkeypatch.undo()
    outcome = infer(folder)
    assert (outcome.done, outcome.kept) == (3 - len(done), len(done))
    for n, name in enumerate(('a', 'b', 'deck/a')):
        assert (mask_of(out, name) == truth(photograph(seed=n))).all()


def test_one_photograph_too_large_for_memory_is_no_end(
        folder, infer, dark, monkeypatch):
    real = dark.probabilities

    def greedy(batch):
        if not dark.shapes:
            dark.shapes.append(())
            raise MemoryError
        return real(batch)

    dark.probabilities = greedy
    outcome = infer(folder)
    assert (outcome.done, len(outcome.failed)) == (2, 1)
    assert outcome.failed[0]['file'].endswith('a.png')


# --- going on ---------------------------------------------------------------


class Killed(BaseException):
    """What no handler for errors catches."""


def test_a_killed_run_goes_on_where_it_stopped(folder, infer, dark, tmp_path,
                                               photograph):
    real, out = dark.probabilities, tmp_path / 'out'

    def killing(batch):
        if len(dark.shapes) >= 9:  # in the second photograph
            raise Killed
        return real(batch)

    dark.probabilities = killing
    with pytest.raises(Killed):
        infer(folder)
    assert [p.name for p in (out / 'records').iterdir()] == ['a.json']
    # A kill in the middle of writing leaves this.
    (out / 'masks' / '.b.png.123.part').write_bytes(b'\x89PNG')
    first = (out / 'masks' / 'a.png').stat().st_mtime_ns
    dark.probabilities, dark.shapes = real, []
    outcome = infer(folder)
    assert (outcome.done, outcome.kept) == (2, 1)
    assert (out / 'masks' / 'a.png').stat().st_mtime_ns == first
    assert not list(out.rglob('.*'))
    assert (mask_of(out, 'deck/a') == truth(photograph(seed=2))).all()
    rows = list(csv.DictReader((out / 'summary.csv').open()))
    assert [r['name'] for r in rows] == ['a', 'b', 'deck/a']
    assert [int(r['crack_pixels']) for r in rows] == [
        truth(photograph(seed=n)).sum() for n in range(3)]
    seen = len(dark.shapes)
    assert infer(folder).kept == 3
    assert len(dark.shapes) == seen


def test_what_changed_or_went_is_done_again(folder, infer, photograph,
                                            tmp_path):
    infer(folder)
    Image.fromarray(photograph(seed=7)).save(folder / 'b.png')
    (tmp_path / 'out' / 'masks' / 'a.png').unlink()
    (tmp_path / 'out' / 'records' / 'deck' / 'a.json').write_text('{"na')
    assert infer(folder).done == 3
    assert (mask_of(tmp_path / 'out', 'b')
            == truth(photograph(seed=7))).all()


def test_results_of_two_settings_are_not_mixed(folder, infer, dark, tmp_path):
    infer(folder)
    other = CrackInferencer(backend=dark, tile_size=64, overlap=16,
                            threshold=.7)
    with pytest.raises(ValueError, match=(
            r'threshold: 0\.5 there, 0\.7 now.*--overwrite')):
        infer_folder(other, [str(folder)], tmp_path / 'out', show=False)
    outcome = infer_folder(other, [str(folder)], tmp_path / 'out',
                           overwrite=True, show=False)
    assert (outcome.done, outcome.kept) == (3, 0)


# --- outputs ----------------------------------------------------------------


def test_every_output(folder, dark, tmp_path, photograph):
    inferencer = CrackInferencer(backend=dark, tile_size=64, overlap=16,
                                 with_variance=True)
    out = tmp_path / 'out'
    infer_folder(inferencer, [str(folder / 'a.png')], out, show=False,
                 wanted=Wanted(True, 'uint8', True, True, True, 65))
    image = photograph()
    prob = 1 - image.astype(np.float32).mean(2) / 255
    saved = np.asarray(Image.open(out / 'probabilities' / 'a.png'))
    assert np.abs(saved / 255. - prob).max() < .004
    variance = np.load(out / 'variances' / 'a.npy')
    np.testing.assert_allclose(variance, prob * (1 - prob), atol=1e-3)
    overlay = np.asarray(Image.open(out / 'overlays' / 'a.jpg')).astype(int)
    assert overlay.shape == (45, 65, 3)
    # The line is drawn in yellow: much red and green, little blue.
    assert (overlay[23, 10:60, :2] > 120).all()
    assert (overlay[23, 10:60, 2] < 110).all()
    coco = json.loads((out / 'coco.json').read_text())
    assert coco['images'][0]['width'] == 130
    assert sum(a['area'] for a in coco['annotations']) == truth(image).sum()
    assert [a['id'] for a in coco['annotations']] == list(
        range(1, len(coco['annotations']) + 1))
    features = json.loads((out / 'polygons' / 'a.geojson').read_text())
    assert sum(f['properties']['area_px'] for f in features['features']
               ) == truth(image).sum()
    infer_folder(inferencer, [str(folder / 'a.png')], tmp_path / 'more',
                 wanted=Wanted(False, 'float16'), show=False)
    assert not (tmp_path / 'more' / 'masks').exists()
    np.testing.assert_allclose(
        np.load(tmp_path / 'more' / 'probabilities' / 'a.npy'), prob,
        atol=1e-3)


def test_masks_of_a_geotiff_have_its_keys(infer, photograph, tmp_path):
    image = photograph()
    tags = [(33550, 'd', 3, (.25, .5, 0.), True),
            (33922, 'd', 6, (0., 0., 0., 5000., 7000., 0.), True),
            (34735, 'H', 8, (1, 1, 0, 1, 3072, 0, 1, 32633), True),
            (34737, 's', 0, 'WGS 84 / UTM zone 33N|', True)]
    tifffile.imwrite(tmp_path / 'map.tif', image, tile=(32, 32),
                     extratags=tags)
    infer(tmp_path / 'map.tif', wanted=Wanted(probability='float16'))
    for kind, dtype in (('masks', np.uint8), ('probabilities', np.float16)):
        with tifffile.TiffFile(tmp_path / 'out' / kind / 'map.tif') as file:
            page = file.pages[0]
            assert page.dtype == dtype
            for code, _, _, value, _ in tags:
                assert page.tags[code].value == value
            if kind == 'masks':
                assert (page.asarray() == truth(image) * 255).all()


def test_hooks_fill_the_table_and_see_the_end(folder, infer, tmp_path):

    class Measure:
        name = 'measurement'

        def __call__(self, prediction, path, name, out):
            rows = np.nonzero(prediction.mask.any(1))[0]
            return dict(thickness=len(rows), each=rows.tolist())

    seen = []
    infer(folder, photograph_hooks=[Measure()],
          run_hooks=[lambda out, records: seen.append((out, records))])
    (out, records), = seen
    assert [r['hooks']['measurement']['each'] for r in records] == [
        [45, 46, 47, 48]] * 3
    text = (out / 'summary.csv').read_text().splitlines()
    assert text[0].endswith('crack_share_percent,thickness')
    assert all(line.endswith(',4') for line in text[1:])


# --- inputs -----------------------------------------------------------------


def test_files_folders_and_patterns(folder, tmp_path, monkeypatch):
    (folder / 'notes.txt').touch()
    (folder / '.hidden.jpg').touch()
    names = [i.name for i in list_photographs([str(folder)])]
    assert names == ['a', 'b', 'deck/a']
    monkeypatch.chdir(folder)
    assert [i.name for i in list_photographs(['*.png'])] == ['a', 'b']
    assert [i.name for i in list_photographs(['b.png', 'b.*'])] == ['b']
    for wrong in ('no.png', '*.bmp', str(tmp_path / 'nowhere')):
        with pytest.raises(FileNotFoundError, match=r'no\.png|bmp|nowhere'):
            list_photographs([wrong])
    # Two files of one name keep their endings; two of one path are refused.
    (folder / 'b.JPG').touch()
    assert [i.name for i in list_photographs(['.'])] == [
        'a', 'b.JPG', 'b.png', 'deck/a']
    with pytest.raises(ValueError, match=r'one file \(.a\.png.\)'):
        list_photographs(['a.png', 'deck/a.png'])
    out = folder / 'deck'
    assert [i.name for i in list_photographs(['.'], leave_out=out)] == [
        'a', 'b.JPG', 'b.png']
