"""GAPs384 from the crops that FPHB's authors distribute."""

import numpy as np
import pytest
from converter_sources import (
    HEIGHT,
    WIDTH,
    mask,
    stems,
    stored_mask,
    write_pairs,
)

from mmcrack.datasets.converted import read_manifest


@pytest.fixture
def src(tmp_path):
    root = tmp_path / 'src'
    write_pairs(
        root / 'croppedimg', root / 'croppedgt', kind='.jpg',
        stems=[f'train_{n:04d}_{x}_1' for n in range(5) for x in (1, 541)])
    return root


class TestGAPs384:
    def test_whole_set(self, run, tmp_path):
        """509 crops; the archive nests its folders in themselves."""
        root = tmp_path / 'src'
        names = [f'train_{n // 2:04d}_{n % 2}_1' for n in range(509)]
        write_pairs(root / 'croppedimg/croppedimg', root / 'croppedgt',
                    names, kind='.jpg')
        status, _, err = run('gaps384', root, tmp_path / 'out')
        assert status == 0, err
        manifest = read_manifest(tmp_path / 'out')
        assert manifest['counts'] == {'test': 509}
        assert len({r['group'] for r in manifest['images']}) == 255

    def test_crops_of_a_photograph_stay_together(self, src, run, tmp_path):
        options = '--allow-partial', '--split', 0.6, 0.2, 0.2
        run('gaps384', src, tmp_path / 'out', *options)
        lists = stems(tmp_path / 'out')
        assert {k: len(v) for k, v in lists.items()} == {
            'train': 6, 'val': 2, 'test': 2}
        for names in lists.values():
            own = [name.split('_')[1] for name in names]
            assert all(own.count(number) == 2 for number in own)

    def test_bad_input(self, src, run, fails, tmp_path):
        args = 'gaps384', src, tmp_path / 'out'
        assert 'must have 509 pairs in all, got 10' in fails(*args)
        args = *args, '--allow-partial'
        grey = np.full((HEIGHT, WIDTH), 3, np.uint8)
        grey[2] = 250
        mask(src / 'croppedgt/train_0001_1_1.png', array=grey)
        assert 'train_0001_1_1.png' in fails(*args)
        run(*args, '--lossy')
        found = stored_mask(tmp_path / 'out', 'test', 'train_0001_1_1')
        np.testing.assert_array_equal(found, grey > 127)
        (src / 'croppedgt/train_0001_1_1.png').unlink()
        assert 'train_0001_1_1.jpg has no partner' in fails(
            *args[:3], '--overwrite')
        assert 'must have the folder croppedimg/' in fails(
            args[0], tmp_path, args[2])
