"""DRIVE from its layout as distributed."""

import numpy as np
import pytest
from conftest import real_data
from converter_sources import (
    HEIGHT,
    WIDTH,
    content,
    gif,
    stems,
    stored_mask,
    write_drive,
)
from PIL import Image

from mmcrack.datasets.converted import read_manifest
from mmcrack.datasets.images import read_image


@pytest.fixture
def src(tmp_path):
    return write_drive(tmp_path / 'src', train=(21, 23), test=(1, 2))


class TestDRIVE:
    def test_whole_set(self, run, tmp_path):
        src = write_drive(tmp_path / 'src')
        before = content(src)
        assert run('drive', src, tmp_path / 'a')[0] == 0
        manifest = read_manifest(tmp_path / 'a')
        assert manifest['counts'] == {'train': 20, 'test': 20}
        assert manifest['notes'] == manifest['left_out'] == []
        assert stems(tmp_path / 'a') == {
            'train': [f'{n:02d}' for n in range(21, 41)],
            'test': [f'{n:02d}' for n in range(1, 21)],
        }
        for record in manifest['images']:
            stem, split = record['stem'], record['split']
            # Row 4 holds number % 8 pixels of the first observer.
            pixels = record['crack_share'] * HEIGHT * WIDTH
            assert pixels == pytest.approx(int(stem) % 8 + 1, abs=1e-3)
            assert record['fov_share'] == 0.5
            fov = np.array(Image.open(tmp_path / f'a/fov/{split}/{stem}.png'))
            assert fov[1:7, 2:10].all()
            assert fov.sum() == 48
            source = src / record['source_id']
            assert source.suffix == '.tif'
            np.testing.assert_array_equal(
                read_image(tmp_path / 'a' / record['image']),
                np.array(Image.open(source)))
        assert run('drive', src, tmp_path / 'b')[0] == 0
        assert content(tmp_path / 'a') == content(tmp_path / 'b')
        assert content(src) == before

    def test_a_palette_is_read_by_its_colours(self, src, run, tmp_path):
        """A first label stored like the second, as indices {0, 1}."""
        vessels = np.zeros((HEIGHT, WIDTH), np.uint8)
        vessels[5, 3:9] = 255
        path = src / 'test/1st_manual/01_manual1.gif'
        gif(path, array=vessels, palette=True)
        second = src / 'test/2nd_manual/02_manual2.gif'
        assert Image.open(second).mode == 'P'
        assert set(np.unique(np.array(Image.open(second)))) == {0, 1}
        run('drive', src, tmp_path / 'out', '--allow-partial')
        found = stored_mask(tmp_path / 'out', 'test', '01')
        np.testing.assert_array_equal(found, vessels // 255)
        assert stored_mask(tmp_path / 'out', 'test', '02').sum() == 3

    def test_the_download_without_test_labels(self, run, fails, tmp_path):
        src = write_drive(tmp_path / 'src', test=(1, 2, 3))
        for path in (src / 'test/1st_manual').iterdir():
            path.unlink()
        args = 'drive', src, tmp_path / 'out'
        assert (
            'a label for each image, got none for 3 (first: test/1st_manual'
            '/01_manual1.gif); the download of today leaves the test '
            'labels out, and 2nd_manual'
        ) in fails(*args)
        _, text, _ = run(*args, '--allow-partial')
        assert 'must have 20/20 pairs in train/test, got 20/0' in text
        assert 'no label: 3 (test/images/01_test.tif' in text
        assert read_manifest(tmp_path / 'out')['counts'] == {'train': 20}

    def test_names_of_another_making(self, src, run, tmp_path):
        """Mirrors add turned copies, or mix the two parts."""
        copy = (src / 'training/images/21_training.tif').read_bytes()
        for name in ('21_training_90.tif', '05_training.tif'):
            (src / 'training/images' / name).write_bytes(copy)
        args = 'drive', src, tmp_path / 'out', '--allow-partial'
        _, text, _ = run(*args)
        assert 'not a name of DRIVE: 2 (training/images/05_training.tif' in (
            text)
        assert stems(tmp_path / 'out')['train'] == ['21', '23']

    def test_dropped_copies_leave_no_field_of_view(self, src, run, tmp_path):
        copy = (src / 'training/images/21_training.tif').read_bytes()
        (src / 'test/images/01_test.tif').write_bytes(copy)
        options = '--allow-partial', '--drop-duplicates'
        run('drive', src, tmp_path / 'out', *options)
        assert sorted(n for n in content(tmp_path / 'out') if '21' in n) == []
        assert (tmp_path / 'out/fov/test/01.png').is_file()

    def test_bad_input(self, src, fails, tmp_path):
        args = 'drive', src, tmp_path / 'out'
        assert 'must have 20/20 pairs in train/test, got 2/2' in fails(*args)
        args = *args, '--allow-partial'
        fov = src / 'training/mask/23_training_mask.gif'
        gif(fov, array=np.zeros((HEIGHT, WIDTH), np.uint8))
        assert '23_training_mask.gif must hold 255 inside, got 0' in fails(
            *args)
        gif(fov, array=np.full((WIDTH, HEIGHT), 255, np.uint8))
        assert '8 x 12 pixels (w x h) but its image is 12 x 8' in fails(*args)
        gif(fov, array=np.full((HEIGHT, WIDTH), 128, np.uint8))
        assert '23_training_mask.gif' in fails(*args)
        fov.unlink()
        assert (
            'a field of view for each image, got none for 1 (first: '
            'training/mask/23_training_mask.gif); complete'
        ) in fails(*args[:3])
        assert 'must have the folder' in fails(args[0], tmp_path, args[2])
        assert sorted(p.name for p in tmp_path.iterdir()) == ['src']

    def test_real_images(self, run, tmp_path):
        """The official layout, rebuilt from real images, and back."""
        root = real_data('drive')
        for folder, split, stem in (('training', 'train', '21'),
                                    ('test', 'test', '01')):
            names = {
                'images': f'images/{stem}_{folder}.tif',
                'masks': f'1st_manual/{stem}_manual1.gif',
                'fov': f'mask/{stem}_{folder}_mask.gif',
            }
            for kind, name in names.items():
                pixels = np.array(Image.open(root / kind / split / f'{stem}'
                                             '.png'))
                path = tmp_path / 'src' / folder / name
                path.parent.mkdir(parents=True)
                Image.fromarray(
                    pixels if kind == 'images' else pixels * 255).save(path)
        out = tmp_path / 'out'
        assert run('drive', tmp_path / 'src', out, '--allow-partial')[0] == 0
        for kind in ('images', 'masks', 'fov'):
            for name in ('train/21.png', 'test/01.png'):
                np.testing.assert_array_equal(
                    np.array(Image.open(out / kind / name)),
                    np.array(Image.open(root / kind / name)))
        shares = [r['fov_share'] for r in read_manifest(out)['images']]
        assert shares == pytest.approx([0.69, 0.68], abs=0.01)
