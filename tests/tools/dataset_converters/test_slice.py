"""Big photographs, sliced into tiles."""

import json
from collections import Counter

import cv2
import numpy as np
import pytest
from conftest import real_data
from converter_sources import content, mask, photograph, stems
from PIL import Image

import mmcrack.datasets.images as images
from mmcrack.datasets.converted import read_manifest

SIZE = 70, 100  # height, width: 2 x 3 tiles of 32 and a remainder of 6 x 4
TILES = '--size', 32, 32


def labels(number, size=SIZE):
    """A column of crack in the first tiles, and one pixel at the border."""
    out = np.zeros(size, np.uint8)
    out[:64, 3 + number % 20] = 255
    out[-1, -1] = 255
    return out


@pytest.fixture
def source(tmp_path):
    """Four photographs, one of them in a subfolder."""
    for number, stem in enumerate(('a', 'b', 'c', 'north/d')):
        photograph(tmp_path / f'photos/{stem}.jpg', seed=number, size=SIZE)
        mask(tmp_path / f'masks/{stem}.png', array=labels(number))
    return tmp_path / 'photos', tmp_path / 'masks', tmp_path / 'out'


def read(out, kind, split, stem):
    return cv2.imread(str(out / kind / split / f'{stem}.png'), -1)


class TestSlice:
    def test_drop(self, source, run, tmp_path):
        before = content(tmp_path)
        args = 'slice', *source, *TILES, '--split', 0.5, 0.25, 0.25
        _, text, _ = run(*args)
        manifest = read_manifest(source[2])
        assert manifest['counts'] == {'train': 12, 'val': 6, 'test': 6}
        assert manifest['sizes'] == {'32x32': 24}
        # 70 x 100 less 64 x 96; of 65 crack pixels one is outside.
        assert manifest['notes'] == [
            '--border drop leaves out 12.2 % of all pixels and 1.5 % of the '
            'crack pixels']
        assert 'sizes (w x h): 32x32 (24)' in text
        groups = {}
        for record in manifest['images']:
            groups.setdefault(record['group'], set()).add(record['split'])
        assert {len(splits) for splits in groups.values()} == {1}
        assert set(groups) == {'a', 'b', 'c', 'north/d'}
        assert manifest['settings'] == {
            'size': [32, 32], 'stride': [32, 32], 'border': 'drop',
            'keep': 'all', 'min_crack': 1, 'split_by': 'photograph',
            'split': [0.5, 0.25, 0.25], 'seed': 0, 'ignore_value': None,
            'lossy': False,
        }
        made = content(source[2])
        assert run(*args, '--overwrite')[0] == 0
        assert content(source[2]) == made
        for name, data in before.items():
            assert (tmp_path / name).read_bytes() == data

    def test_padded_tiles_make_the_photograph_again(self, source, run):
        photos, masks, out = source
        args = 'slice', *source, *TILES, '--border', 'pad'
        run(*args, '--split', 0, 0, 1)
        assert read_manifest(out)['counts'] == {'test': 4 * 3 * 4}
        for number, (name, path) in enumerate(
                (('a', 'a'), ('b', 'b'), ('c', 'c'), ('north_d', 'north/d'))):
            image = np.full((96, 128, 3), 77, np.uint8)
            found = np.full((96, 128), 77, np.uint8)
            for top in range(0, 96, 32):
                for left in range(0, 128, 32):
                    stem = f'{name}_y{top:05d}_x{left:05d}'
                    place = slice(top, top + 32), slice(left, left + 32)
                    image[place] = read(out, 'images', 'test', stem)
                    found[place] = read(out, 'masks', 'test', stem)
            whole = np.array(Image.open(photos / f'{path}.jpg'))[..., ::-1]
            np.testing.assert_array_equal(image[:70, :100], whole)
            np.testing.assert_array_equal(
                found[:70, :100], labels(number) // 255)
            outside = np.ones((96, 128), bool)
            outside[:70, :100] = False
            assert (found[outside] == 255).all()
            assert (image[outside] == 0).all()

    def test_shift_and_overlap(self, source, run):
        photos, masks, out = source
        args = 'slice', *source, *TILES, '--split', 0, 0, 1
        run(*args, '--border', 'shift')
        lists = stems(out)['test']
        assert len(lists) == 4 * 3 * 4
        assert lists[11] == 'a_y00038_x00068'
        corner = read(out, 'masks', 'test', lists[11])
        np.testing.assert_array_equal(corner, labels(0)[38:, 68:] // 255)
        assert corner[-1, -1] == 1
        run(*args, '--stride', 16, 16, '--overwrite')
        assert len(stems(out)['test']) == 4 * 3 * 5

    def test_keep(self, source, run):
        out = source[2]
        args = 'slice', *source, *TILES, '--split', 0.5, 0.25, 0.25
        _, text, _ = run(*args, '--keep', 'crack')
        records = read_manifest(out)['images']
        # Two tiles of each photograph, of 32 crack pixels each.
        assert [r['crack_share'] for r in records] == [0.03125] * 8
        assert '8 of 24 tiles are kept (--keep crack): 8 of 8 with crack, ' \
            '0 of 16 without' in text
        run(*args, '--keep', 'balanced', '--overwrite')
        records = read_manifest(out)['images']
        assert Counter((r['split'], r['crack_share'] > 0) for r in records
                       ) == {('train', True): 4, ('train', False): 4,
                             ('val', True): 2, ('val', False): 2,
                             ('test', True): 2, ('test', False): 2}
        held = {r['group'] for r in records if r['split'] == 'test'}
        run(*args, '--size', 16, 16, '--overwrite')
        again = {r['group'] for r in read_manifest(out)['images']
                 if r['split'] == 'test'}
        assert held == again

    def test_not_enough_tiles_without_crack(self, source, run):
        args = 'slice', *source, '--size', 50, 70, '--split', 0.5, 0.25, 0.25
        _, text, _ = run(*args, '--keep', 'balanced')
        # All four right tiles hold the pixel in the corner.
        assert 'train is not balanced: 4 tiles with crack and only 0' in text
        _, text, _ = run(*args, '--keep', 'balanced', '--min-crack', 2,
                         '--overwrite')
        assert read_manifest(source[2])['counts'] == {
            'train': 2, 'val': 1, 'test': 1}

    def test_split_by_tile_leaks_and_says_so(self, source, run):
        args = 'slice', *source, *TILES, '--split-by', 'tile'
        _, text, _ = run(*args, '--split', 0.5, 0.25, 0.25)
        counts = read_manifest(source[2])['counts']
        assert counts == {'train': 12, 'val': 6, 'test': 6}
        assert 'tiles of 4 photographs are in more than one split' in text

    def test_given_photographs(self, source, run, fails, tmp_path):
        lists = tmp_path / 'lists.json'
        lists.write_text(json.dumps({'train': ['a', 'north/d'],
                                     'test': ['b']}))
        args = 'slice', *source, *TILES, '--split-file', lists
        assert "got 1 on no list (first: 'c')" in fails(*args)
        _, text, _ = run(*args, '--allow-partial')
        manifest = read_manifest(source[2])
        assert manifest['counts'] == {'train': 12, 'test': 6}
        assert manifest['settings']['split'] == 'file'
        assert 'on no split list: 1 (c.jpg)' in text
        assert 'cannot go with --split-by tile' in fails(
            *args, '--split-by', 'tile')

    def test_one_photograph_at_a_time(self, source, run, monkeypatch):
        """Each is decoded once, and the next only when it is done."""
        opened = []
        read_image = images.read_image

        def reading(path, **options):
            opened.append(path.stem)
            return read_image(path, **options)

        monkeypatch.setattr(images, 'read_image', reading)
        run('slice', *source, *TILES, '--split', 0, 0, 1)
        assert opened == ['a', 'b', 'c', 'd']

    def test_ignored_pixels(self, source, run):
        photos, masks, out = source
        array = labels(0) // 255
        array[:32, :64] = 7
        mask(masks / 'a.png', array=array)
        for stem in ('b', 'c', 'north/d'):
            mask(masks / f'{stem}.png', array=labels(0) // 255)
        args = 'slice', *source, *TILES, '--split', 0, 0, 1
        run(*args, '--ignore-value', 7)
        names = stems(out)['test']
        # Nothing is known of two tiles of the first photograph.
        assert len(names) == 22
        assert names[0] == 'a_y00000_x00064'
        run(*args, '--ignore-value', 7, '--size', 33, 33, '--overwrite')
        found = read(out, 'masks', 'test', 'a_y00000_x00033')
        np.testing.assert_array_equal(found == 255, array[:33, 33:66] == 7)

    def test_a_turned_photograph(self, tmp_path, run):
        exif = Image.Exif()
        exif[274] = 6
        rng = np.random.default_rng(0)
        pixels = rng.integers(0, 256, (40, 30, 3), dtype=np.uint8)
        (tmp_path / 'photos').mkdir()
        Image.fromarray(pixels).save(tmp_path / 'photos/a.png', exif=exif)
        mask(tmp_path / 'masks/a.png', size=(30, 40))
        args = 'slice', tmp_path / 'photos', tmp_path / 'masks'
        run(*args, tmp_path / 'out', '--size', 20, 30, '--split', 0, 0, 1)
        left = read(tmp_path / 'out', 'images', 'test', 'a_y00000_x00000')
        upright = np.rot90(pixels, -1)
        np.testing.assert_array_equal(left[..., ::-1], upright[:, :20])

    def test_bad_input(self, source, fails):
        photos, masks, out = source
        args = 'slice', *source
        assert (
            'a.jpg: a side of 70 pixels is shorter than a tile of 512; '
            'take smaller tiles with --size, or --border pad'
        ) in fails(*args, '--split', 0, 0, 1)
        args = *args, *TILES
        assert (
            'of 4 photographs leaves none for val and test; give more '
            'photographs'
        ) in fails(*args)
        assert 'add up to 1' in fails(*args, '--split', 0.5, 0.5, 0.5)
        assert '--stride must lie between 1 and --size' in fails(
            *args, '--stride', 33, 32)
        assert '--size must be two pixels' in fails(*args[:4], '--size', 0, 9)
        assert '--min-crack must be >= 1' in fails(*args, '--min-crack', 0)
        half = *args, '--split', 0.5, 0.25, 0.25
        assert (
            'got none for train and val and test of 24 tiles with --keep '
            'crack'
        ) in fails(*half, '--keep', 'crack', '--min-crack', 99)
        mask(masks / 'a.png', size=(9, 9))
        assert '9 x 9 pixels (w x h) but its image is 100 x 70' in fails(*half)
        mask(masks / 'a.png', array=np.full(SIZE, 3, np.uint8))
        assert 'a.png' in fails(*half)
        (masks / 'a.png').unlink()
        assert (
            'got 3 pairs and 1 files without partner (first: '
            "'a.jpg')"
        ) in fails(*half)
        assert 'got 0 pairs and 4' in fails(*half, '--mask-suffix', '_m.png')
        assert not out.exists()

    def test_real_photographs(self, run, tmp_path):
        """No crack pixel of a photograph of 14 megapixels is lost."""
        root = real_data('hr_concrete')
        photos, masks = tmp_path / 'photos', tmp_path / 'masks'
        picked = []
        for kind, folder in ('images', photos), ('masks', masks):
            folder.mkdir()
            path = min((root / kind / 'test').iterdir(),
                       key=lambda p: p.stem)
            picked.append(path)
            (folder / path.name).write_bytes(path.read_bytes())
        options = '--keep', 'crack', '--border', 'pad', '--split', 0, 0, 1
        run('slice', photos, masks, tmp_path / 'out', *options)
        records = read_manifest(tmp_path / 'out')['images']
        found = sum(r['crack_share'] for r in records) * 512 * 512
        whole = cv2.imread(str(picked[1]), -1)
        assert round(found) == (whole > 0).sum() > 10000
        assert len(records) < np.ceil(whole.shape[0] / 512) * np.ceil(
            whole.shape[1] / 512)
