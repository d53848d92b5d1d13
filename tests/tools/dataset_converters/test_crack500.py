"""Crack500 from its layout as distributed."""

import numpy as np
import pytest
from converter_sources import (
    HEIGHT,
    WIDTH,
    mask,
    photograph,
    stems,
    stored_mask,
    write_crack500,
)

from mmcrack.datasets.converted import read_manifest


class TestCrack500:
    @pytest.fixture
    def src(self, tmp_path):
        return write_crack500(tmp_path / 'src')

    def test_published_counts(self, tool, src, tmp_path, fails):
        module = tool('crack500')
        assert module.COUNTS == {'train': 1896, 'val': 348, 'test': 1124}
        assert sum(module.COUNTS.values()) == 3368
        assert (
            'must have 1896/348/1124 pairs in train/val/test, got 2/1/2'
        ) in fails('crack500', src, tmp_path / 'out')

    def test_crops(self, src, run, tmp_path):
        photograph(src / 'traincrop/extra_1_1.jpg', seed=99)
        out = tmp_path / 'out'
        status, text, _ = run('crack500', src, out, '--allow-partial')
        assert status == 0
        manifest = read_manifest(out)
        assert manifest['sizes'] == {'12x8': 3, '13x9': 1, '8x12': 1}
        assert 'sizes (w x h): 12x8 (3), 13x9 (1), 8x12 (1)' in text
        assert 'on no list: 1 (traincrop/extra_1_1.jpg)' in text
        groups = {r['stem']: r['group'] for r in manifest['images']}
        assert groups['20160222_081011_641_361'] == '20160222_081011'
        assert stored_mask(out, 'train', '20160222_081011_1_361').sum() == 12

    def test_resaved_masks(self, src, run, fails, tmp_path):
        path = src / 'traincrop/20160222_081011_1_361.png'
        grey = np.full((HEIGHT, WIDTH), 3, np.uint8)
        grey[2] = 250
        grey[2, :2] = 128, 127
        mask(path, array=grey)
        out = tmp_path / 'out'
        args = 'crack500', src, out, '--allow-partial'
        assert '20160222_081011_1_361.png' in fails(*args)
        assert run(*args, '--lossy')[0] == 0
        found = stored_mask(out, 'train', '20160222_081011_1_361')
        np.testing.assert_array_equal(found, grey > 127)

    def test_photographs_in_two_splits(self, src, run, fails, tmp_path):
        name = 'testcrop/20160222_081011_1281_1'
        photograph(src / f'{name}.jpg', seed=50)
        mask(src / f'{name}.png')
        with open(src / 'test.txt', 'a') as lists:
            lists.write(f'{name}.jpg {name}.png\n')
        args = 'crack500', src, tmp_path / 'out', '--allow-partial'
        assert (
            '(first: 20160222_081011, in test/20160222_081011_1281'
        ) in fails(*args)
        _, text, _ = run(*args, '--keep-leaks')
        assert 'warning: 1 photographs gave crops to two splits' in text
        _, text, _ = run(*args, '--drop-leaks', '--overwrite')
        assert f'in an earlier split: 1 ({name}.jpg)' in text
        assert read_manifest(tmp_path / 'out')['counts']['test'] == 2

    def test_full_photographs(self, run, fails, tmp_path):
        src, out = tmp_path / 'src', tmp_path / 'out'
        for number, split in enumerate(('train', 'val', 'test')):
            photograph(src / f'{split}data/p{number}.jpg', seed=number)
            mask(src / f'{split}data/p{number}_mask.png')
        photograph(src / 'traindata/q.jpg', seed=9)
        mask(src / 'valdata/r_mask.png')
        args = 'crack500', src, out, '--layout', 'full'
        assert 'must have 250/50/200 pairs' in fails(*args)
        status, text, _ = run(*args, '--allow-partial')
        assert status == 0
        assert 'no mask: 1 (traindata/q.jpg)' in text
        assert 'no image: 1 (valdata/r_mask.png)' in text
        assert stems(out) == {'test': ['p2'], 'train': ['p0'], 'val': ['p1']}

    def test_bad_lists(self, src, fails, tmp_path):
        args = 'crack500', src, tmp_path / 'out', '--allow-partial'
        good = (src / 'val.txt').read_text()
        (src / 'val.txt').write_text(good + 'valcrop/x.jpg valcrop/x.png\n')
        assert 'line 2 of' in fails(*args)
        assert 'names valcrop/x.jpg, which is not in' in fails(*args)
        (src / 'val.txt').write_text('valcrop/x.jpg\n')
        assert 'must name an image and a mask' in fails(*args)
        (src / 'val.txt').unlink()
        assert 'must have the list' in fails(*args)
        args = 'crack500', tmp_path / 'none', tmp_path / 'out'
        assert 'there is no source folder' in fails(*args)

    def test_corrupt_jpeg_is_named(self, src, fails, tmp_path):
        path = src / 'valcrop/20160223_1_1.jpg'
        path.write_bytes(path.read_bytes()[:200])
        args = 'crack500', src, tmp_path / 'out', '--allow-partial'
        assert '20160223_1_1.jpg' in fails(*args)
        assert sorted(p.name for p in tmp_path.iterdir()) == ['src']
