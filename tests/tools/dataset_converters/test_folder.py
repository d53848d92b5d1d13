"""Folders of photographs and masks, of any making."""

import json

import cv2
import numpy as np
import pytest
from converter_sources import (
    HEIGHT,
    WIDTH,
    content,
    mask,
    photograph,
    stems,
    stored_mask,
)
from PIL import Image

from mmcrack.datasets.converted import read_manifest


class TestFolder:
    @pytest.fixture
    def folders(self, tmp_path):
        for number in range(20):
            stem = f'wall{number // 2:02d}_crop{number % 2}'
            photograph(tmp_path / f'photos/{stem}.jpg', seed=number)
            mask(tmp_path / f'masks/{stem}.png')
        return tmp_path / 'photos', tmp_path / 'masks', tmp_path / 'out'

    def test_split_by_photograph(self, folders, run, tmp_path):
        photos, masks, out = folders
        options = '--group-by', r'^(.*)_crop', '--split', 0.6, 0.2, 0.2
        assert run('folder', *folders, *options)[0] == 0
        lists = stems(out)
        assert {k: len(v) for k, v in lists.items()} == {
            'train': 12,
            'val': 4,
            'test': 4,
        }
        for names in lists.values():
            walls = [stem[:6] for stem in names]
            assert all(walls.count(wall) == 2 for wall in walls)
        run('folder', photos, masks, tmp_path / 'again', *options)
        assert content(out) == content(tmp_path / 'again')
        run('folder', photos, masks, tmp_path / 'c', *options, '--seed', 1)
        assert stems(tmp_path / 'c') != lists

    def test_two_splits_and_subfolders(self, folders, run):
        photos, masks, out = folders
        photograph(photos / 'north/a.PNG', seed=77)
        mask(masks / 'north/a.png')
        assert run('folder', *folders, '--split', 0, 0, 1)[0] == 0
        assert list(stems(out)) == ['test']
        record = read_manifest(out)['images'][0]
        assert record['source_id'] == 'north/a.PNG'
        assert record['image'] == 'images/test/north_a.png'

    def test_crack_and_ignore_value(self, folders, run, fails):
        photos, masks, out = folders
        labels = np.zeros((HEIGHT, WIDTH), np.uint8)
        labels[0], labels[1], labels[2], labels[3] = 1, 2, 38, 7
        mask(masks / 'wall00_crop0.png', array=labels)
        assert '{0, 1, 2, 7, 38}' in fails('folder', *folders)
        options = '--crack-value', 38, 255, '--ignore-value', 7
        assert run('folder', *folders, *options, '--split', 0, 0, 1)[0] == 0
        found = stored_mask(out, 'test', 'wall00_crop0')
        np.testing.assert_array_equal(found == 1, labels == 38)
        np.testing.assert_array_equal(found == 255, labels == 7)
        assert stored_mask(out, 'test', 'wall00_crop1').sum() == WIDTH
        record = read_manifest(out)['images'][0]
        assert record['ignored_share'] == 0.125

    def test_inverted_masks(self, folders, run):
        args = 'folder', *folders, '--crack-value', 0, '--split', 1, 0, 0
        assert run(*args)[0] == 0
        record = read_manifest(folders[2])['images'][0]
        assert record['crack_share'] == 0.875

    def test_same_folder_and_mask_suffix(self, tmp_path, run):
        both = tmp_path / 'both'
        for number in range(4):
            photograph(both / f'{number}.png', seed=number)
            mask(both / f'{number}_mask.png')
        args = 'folder', both, both, tmp_path / 'out'
        args = *args, '--mask-suffix', '_mask.png', '--split', 0.5, 0, 0.5
        assert run(*args)[0] == 0
        counts = read_manifest(tmp_path / 'out')['counts']
        assert counts == {'train': 2, 'test': 2}

    @pytest.mark.parametrize('orientation', [2, 3, 4, 5, 6, 7, 8])
    def test_masks_drawn_before_exif_turned(self, tmp_path, run, orientation):
        """Crack pixels follow the photograph's own turn."""
        labels = np.zeros((HEIGHT, WIDTH), np.uint8)
        labels[:3, :5] = 255
        labels[0, 0] = 0
        bright = np.repeat(labels[..., None], 3, axis=2)
        exif = Image.Exif()
        exif[274] = orientation
        (tmp_path / 'photos').mkdir()
        Image.fromarray(bright).save(tmp_path / 'photos/a.png', exif=exif)
        mask(tmp_path / 'masks/a.png', array=labels)
        args = 'folder', tmp_path / 'photos', tmp_path / 'masks'
        args = *args, tmp_path / 'out', '--masks-as-stored'
        assert run(*args, '--split', 1, 0, 0)[0] == 0
        image = cv2.imread(str(tmp_path / 'out/images/train/a.png'))
        found = stored_mask(tmp_path / 'out', 'train', 'a')
        np.testing.assert_array_equal(found, image[..., 0] // 255)
        assert found.sum() == 14

    def test_bad_input(self, folders, fails):
        photos, masks, _ = folders
        args = 'folder', *folders
        assert 'add up to 1' in fails(*args, '--split', 0.5, 0.5, 0.5)
        assert 'give one of them' in fails(
            *args, '--crack-value', 1, '--lossy')
        assert 'a pixel is one' in fails(
            *args, '--crack-value=3', '--ignore-value=3')
        assert 'must be a regular expression' in fails(
            *args, '--group-by', '(')
        assert 'must match every image' in fails(
            *args, '--group-by', '^bridge')
        assert 'must take part' in fails(*args, '--group-by', '(x)?wall')
        assert 'has a mask of its name' in fails(
            *args, '--mask-suffix', '.bmp')
        lists = photos.parent / 'lists.json'
        names = [path.stem for path in sorted(photos.iterdir())]
        lists.write_text(json.dumps({'train': names[1:], 'test': names[:1]}))
        options = '--split-file', lists, '--group-by', '^wall..'
        assert "one split, got 'wall00'" in fails(*args, *options)
        coloured = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        coloured[1, :, 2] = 255
        mask(masks / 'wall00_crop0.png', array=coloured)
        assert 'is coloured' in fails(*args, '--crack-value', 255)
        mask(masks / 'wall00_crop0.png', size=(4, 4))
        assert '4x4 but its image is 12x8' in fails(
            *args, '--crack-value', 255)
        mask(masks / 'wall00_crop0.png')
        assert 'is a --crack' in fails(
            *args, '--crack-value=0', '--ignore-value=0')
        path = photos / 'wall00_crop0.jpg'
        path.write_bytes(path.read_bytes()[:150])
        assert 'wall00_crop0.jpg' in fails(*args)
        path.unlink()
        assert '1 masks without image' in fails(*args)
        folders[2].mkdir()
        (folders[2] / 'x').write_text('x')
        assert 'must be new or empty' in fails(*args, '--allow-partial')
        assert 'must lie apart' in fails(
            *args[:3], photos / 'out', '--allow-partial')

    def test_unpaired_are_reported(self, folders, run):
        photos, masks, out = folders
        (photos / 'wall00_crop0.jpg').unlink()
        (masks / 'wall00_crop1.png').unlink()
        status, text, _ = run('folder', *folders, '--allow-partial')
        assert status == 0
        assert 'no mask: 1 (wall00_crop1.jpg)' in text
        assert 'no image: 1 (wall00_crop0.png)' in text

    def test_real_photographs(self, cfd_root, run, tmp_path):
        """Real pairs keep their bytes and their masks."""
        photos, masks = tmp_path / 'photos', tmp_path / 'masks'
        for kind, folder in ('images', photos), ('masks', masks):
            folder.mkdir()
            for path in sorted((cfd_root / kind / 'val').iterdir())[:6]:
                (folder / path.name).write_bytes(path.read_bytes())
        out = tmp_path / 'out'
        args = 'folder', photos, masks, out, '--split', 0.5, 0, 0.5
        assert run(*args)[0] == 0
        records = read_manifest(out)['images']
        assert len(records) == 6
        for record in records:
            source = photos / record['source_id']
            assert (out / record['image']).read_bytes() == source.read_bytes()
            wanted = cv2.imread(str(masks / f'{record["stem"]}.png'), -1)
            found = cv2.imread(str(out / record['mask']), -1)
            np.testing.assert_array_equal(found, wanted)
            assert (record['width'], record['height']) == (480, 320)
            assert 0.003 < record['crack_share'] < 0.07
