"""UAV75 from its repository's folders."""

import numpy as np
import pytest
from conftest import real_data
from converter_sources import (
    HEIGHT,
    WIDTH,
    mask,
    stems,
    stored_mask,
    uav75_label,
    write_uav75,
)
from PIL import Image

from mmcrack.datasets.converted import read_manifest

NAMES = {
    'train': ['DSC00550b', 'DSC00552', 'DSC00552b'],
    'val': ['DSC00551'],
    'test': ['DSC00550', 'DSC00709'],
}


@pytest.fixture
def src(tmp_path):
    return write_uav75(tmp_path / 'src', NAMES)


class TestUAV75:
    def test_whole_set(self, run, tmp_path):
        numbers = iter(range(550, 625))
        src = write_uav75(tmp_path / 'src', {
            split: [f'DSC{next(numbers):05d}' for _ in range(count)]
            for split, count in {'train': 50, 'val': 10, 'test': 15}.items()})
        status, _, err = run('uav75', src, tmp_path / 'out')
        assert status == 0, err
        manifest = read_manifest(tmp_path / 'out')
        assert manifest['counts'] == {'train': 50, 'val': 10, 'test': 15}
        assert manifest['notes'] == []

    def test_planking_is_no_crack(self, src, run, tmp_path):
        args = 'uav75', src, tmp_path / 'out', '--allow-partial'
        run(*args)
        label = uav75_label()[..., 0]
        found = stored_mask(tmp_path / 'out', 'val', 'DSC00551')
        np.testing.assert_array_equal(found, label == 255)
        run(*args, '--planking', 'ignore', '--dilate', 2, '--overwrite')
        found = stored_mask(tmp_path / 'out', 'val', 'DSC00551')
        np.testing.assert_array_equal(
            found[:, 5], [1, 1, 1, 1, 1, 255, 0, 0])

    def test_photographs_of_the_test_part(self, src, run, tmp_path):
        args = 'uav75', src, tmp_path / 'out', '--allow-partial'
        _, text, _ = run(*args)
        assert ('1 held-out images show 1 photographs of an earlier split '
                '(DSC00550); leave them out with --drop-leaks') in text
        assert stems(tmp_path / 'out') == NAMES
        run(*args, '--drop-leaks', '--overwrite')
        assert stems(tmp_path / 'out')['test'] == ['DSC00709']
        (left, ) = read_manifest(tmp_path / 'out')['left_out']
        assert left['source_id'] == 'test_img/DSC00550.jpg'

    def test_bad_input(self, src, fails, tmp_path):
        args = 'uav75', src, tmp_path / 'out'
        assert 'must have 50/10/15 pairs in train/val/test, got 3/1/2' in (
            fails(*args))
        args = *args, '--allow-partial'
        assert '--dilate must be a radius' in fails(*args, '--dilate', -2)
        path = src / 'val_lab/DSC00551.png'
        mask(path, array=np.full((HEIGHT, WIDTH), 7, np.uint8))
        assert 'must hold 0, 204 (planking) and 255 (crack), got [7]' in fails(
            *args)
        mask(path, size=(HEIGHT, WIDTH + 1))
        assert 'is 13x8 but its image is 12x8' in fails(*args)
        path.unlink()
        assert 'val_img/DSC00551.jpg has no partner' in fails(*args[:3])
        assert 'must have the folder train_img/' in fails(
            args[0], tmp_path, args[2])

    def test_real_images(self, run, tmp_path):
        """Real names leak; real masks come back from RGBA labels."""
        root = real_data('uav75')
        for split in ('train', 'val'):
            for path in sorted((root / 'masks' / split).iterdir())[:12]:
                crack = np.array(Image.open(path))
                label = np.zeros((*crack.shape, 4), np.uint8)
                label[-9:, :, :3] = 204
                label[crack == 1] = 255
                out = tmp_path / f'src/{split}_lab/{path.name}'
                out.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(label).save(out, compress_level=1)
                image = root / 'images' / split / f'{path.stem}.jpg'
                copy = tmp_path / f'src/{split}_img/{path.stem}.jpg'
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(image.read_bytes())
        for part in ('img', 'lab'):
            (tmp_path / f'src/test_{part}').mkdir()
        # The official test part is not at hand; one photograph of train.
        copy = (tmp_path / 'src/val_img/DSC00551.jpg').read_bytes()
        (tmp_path / 'src/test_img/DSC00550.jpg').write_bytes(copy + b' ')
        label = (tmp_path / 'src/val_lab/DSC00551.png').read_bytes()
        (tmp_path / 'src/test_lab/DSC00550.png').write_bytes(label)
        args = 'uav75', tmp_path / 'src', tmp_path / 'out', '--allow-partial'
        status, text, err = run(*args, '--drop-leaks')
        assert status == 0, err
        manifest = read_manifest(tmp_path / 'out')
        held_out = {r['group'] for r in manifest['images']
                    if r['split'] == 'val'}
        train = {r['group'] for r in manifest['images']
                 if r['split'] == 'train'}
        assert not held_out & train
        assert 'test_img/DSC00550.jpg' in text
        for record in manifest['images']:
            stem, split = record['stem'], record['split']
            np.testing.assert_array_equal(
                stored_mask(tmp_path / 'out', split, stem),
                np.array(Image.open(root / f'masks/{split}/{stem}.png')))
