"""OmniCrack30k: crack is 0, and Stone331 has smaller annotations."""

import numpy as np
import pytest
from converter_sources import (
    HEIGHT,
    WIDTH,
    mask,
    stems,
    stored_mask,
    write_omnicrack,
)

from mmcrack.datasets.converted import read_manifest

STEMS = (['CFD_001', 'UAV75_DSC1', 'Khanh11k_a_b'], ['CFD_002'],
         ['CFD_003', 'Stone331_1024'])


@pytest.fixture
def src(tmp_path):
    return write_omnicrack(tmp_path / 'src', STEMS)


class TestOmniCrack30k:
    @pytest.mark.parametrize('training', ['training', 'train'])
    def test_official_split_and_polarity(self, run, tmp_path, training):
        src = write_omnicrack(
            tmp_path / 'src', STEMS, names=(training, 'validation', 'test'))
        status, _, err = run('omnicrack30k', src, tmp_path / 'out')
        assert status == 0, err
        assert [sorted(names) for names in STEMS] == [
            stems(tmp_path / 'out')[s] for s in ('train', 'val', 'test')]
        wanted = np.zeros((HEIGHT, WIDTH), np.uint8)
        wanted[2, :6] = 1
        np.testing.assert_array_equal(
            stored_mask(tmp_path / 'out', 'val', 'CFD_002'), wanted)
        np.testing.assert_array_equal(
            stored_mask(tmp_path / 'out', 'test', 'Stone331_1024'),
            np.kron(wanted, np.ones((2, 2))))
        shares = {r['crack_share']
                  for r in read_manifest(tmp_path / 'out')['images']}
        assert shares == {0.0625}

    def test_subsets(self, src, run, tmp_path):
        run('omnicrack30k', src, tmp_path / 'a', '--without', 'CFD')
        assert stems(tmp_path / 'a') == {
            'train': ['Khanh11k_a_b', 'UAV75_DSC1'],
            'test': ['Stone331_1024']}
        run('omnicrack30k', src, tmp_path / 'b', '--subsets', 'CFD', 'UAV75')
        assert stems(tmp_path / 'b') == {
            'train': ['CFD_001', 'UAV75_DSC1'], 'val': ['CFD_002'],
            'test': ['CFD_003']}

    def test_bad_input(self, src, run, fails, tmp_path):
        args = 'omnicrack30k', src, tmp_path / 'out'
        assert ('must name subsets of this copy, got Crak; it has CFD, '
                'Khanh11k, Stone331, UAV75') in fails(
            *args, '--without', 'Crak')
        for path in (src / 'annotations').rglob('*.png'):
            mask(path)
        assert ('crack must be 0 in the annotations, got 0 on 87.5% of the '
                'pixels in the middle of 6 files') in fails(*args)
        write_omnicrack(src, STEMS)
        mask(src / 'annotations/test/CFD_003.png', size=(5, 5))
        assert 'CFD_003.png is 5x5 but its image is 12x8' in fails(*args)
        (src / 'annotations/test/CFD_003.png').unlink()
        assert 'images/test/CFD_003.png has no partner' in fails(*args)
        assert run(*args, '--allow-partial')[0] == 0
        assert ('must have the folder images/training/ or images/train/'
                ) in fails(args[0], tmp_path, args[2])
