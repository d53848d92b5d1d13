"""Stone331 from its download: labels of half the size, stone in a disc."""

import cv2
import numpy as np
import pytest
from converter_sources import mask, stored_mask, write_zou

from mmcrack.datasets.converted import read_manifest


@pytest.fixture
def src(tmp_path):
    return write_zou(tmp_path / 'src', 'Stone331', ['1', '2', '738'])


class TestStone331:
    def test_whole_set(self, run, tmp_path):
        src = write_zou(tmp_path / 'src', 'Stone331', range(331))
        status, _, err = run('stone331', src, tmp_path / 'out')
        assert status == 0, err
        manifest = read_manifest(tmp_path / 'out')
        assert manifest['counts'] == {'test': 331}
        assert manifest['sizes'] == {'60x48': 331}

    def test_stone_alone_is_labelled(self, src, run, tmp_path):
        run('stone331', src, tmp_path / 'out', '--allow-partial')
        found = stored_mask(tmp_path / 'out', 'test', '738')
        assert found.shape == (48, 60)
        label = cv2.imread(str(src / 'Stone331_gt/738.bmp'), 0) > 0
        stone = cv2.imread(str(src / 'Stone331_mask/738.bmp'), 0) > 0
        wanted = np.where(stone, label, 255).astype(np.uint8)
        np.testing.assert_array_equal(
            found, wanted.repeat(2, axis=0).repeat(2, axis=1))
        # The disc of radius 8 holds 17 pixels of the line of 20.
        assert (found == 1).sum() == 4 * 17
        (record, *_) = read_manifest(tmp_path / 'out')['images']
        assert record['ignored_share'] == pytest.approx(
            1 - stone.mean(), abs=1e-8)

    def test_dilation_counts_pixels_of_the_photograph(
            self, src, run, tmp_path):
        options = '--allow-partial', '--dilate', 1
        run('stone331', src, tmp_path / 'out', *options)
        found = stored_mask(tmp_path / 'out', 'test', '1')
        # Two rows of the photograph and one on each side.
        assert (found[:, 30] == 1).sum() == 4

    def test_bad_input(self, src, run, fails, tmp_path):
        args = 'stone331', src, tmp_path / 'out'
        assert 'must have 331 pairs in all, got 3' in fails(*args)
        args = *args, '--allow-partial'
        path = src / 'Stone331_mask/2.bmp'
        mask(path, array=np.zeros((24, 30), np.uint8))
        assert '2.bmp must be white inside, got black everywhere' in fails(
            *args)
        mask(path, array=np.full((20, 30), 255, np.uint8))
        assert '2.bmp is 30x20 but its image is 60x48, wanted the same' in (
            fails(*args))
        path.unlink()
        assert "a region for each photograph, got none for 1 (first: '2')" in (
            fails(*args[:3]))
        _, text, _ = run(*args)
        assert 'left out, no region: 1 (Stone331/2.jpg)' in text
        assert 'must have the folder nowhere/' in fails(
            *args, '--region', 'nowhere')
