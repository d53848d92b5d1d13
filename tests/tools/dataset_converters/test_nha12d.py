"""NHA12D from its repository's folders."""

import cv2
import numpy as np
import pytest
from conftest import real_data
from converter_sources import (
    HEIGHT,
    WIDTH,
    mask,
    stems,
    stored_mask,
    write_nha12d,
)

from mmcrack.datasets.converted import read_manifest


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    return write_nha12d(tmp_path_factory.mktemp('nha12d'))


@pytest.fixture
def src(tmp_path):
    return write_nha12d(tmp_path / 'src', numbers=(1, 2, 5, 6))


class TestNHA12D:
    def test_whole_set(self, whole, run, tmp_path):
        status, _, err = run('nha12d', whole, tmp_path / 'out')
        assert status == 0, err
        manifest = read_manifest(tmp_path / 'out')
        # Of the twins only CPFD_05/06 and APFD_18/19 are in this copy.
        assert manifest['counts'] == {'train': 38, 'val': 12, 'test': 28}
        assert sorted(e['source_id'].split('/')[-1]
                      for e in manifest['left_out']) == [
            'APFD_19.jpg', 'CPFD_06.jpg']
        lists = stems(tmp_path / 'out')
        assert [n for n in lists['val'] if n.startswith('AP')] == [
            'APFD_10', 'APFD_11', 'APFD_12', 'APVD_11', 'APVD_12', 'APVD_13']
        for name in ('train/APFD_01', 'test/CPVD_20'):
            found = stored_mask(tmp_path / 'out', *name.split('/'))
            wanted = np.zeros((HEIGHT, WIDTH), np.uint8)
            wanted[3, 2:7] = 1
            np.testing.assert_array_equal(found, wanted)

    def test_given_and_single_split(self, whole, run, tmp_path):
        run('nha12d', whole, tmp_path / 'a', '--split', 0, 0, 1)
        assert read_manifest(tmp_path / 'a')['counts'] == {'test': 78}
        root = whole / 'NHA12D_dataset'
        run('nha12d', root, tmp_path / 'b', '--split-file',
            tmp_path / 'a/splits')
        assert stems(tmp_path / 'a') == stems(tmp_path / 'b')

    def test_bad_input(self, src, fails, tmp_path):
        args = 'nha12d', src, tmp_path / 'out'
        assert 'must have 80 pairs in all, got 16' in fails(*args)
        args = *args, '--allow-partial'
        assert 'add up to 1' in fails(*args, '--split', 1, 1, 0)
        path = src / 'NHA12D_dataset/Asphalt_pavement_VD/Masks/APVD_02.png'
        mask(path, array=np.full((HEIGHT, WIDTH), 255, np.uint8))
        assert ('APVD_02.png must be black where there is no crack, got '
                '100.0% of it not black') in fails(*args)
        mask(path, size=(9, 9))
        assert 'APVD_02.png is 9x9 but its image is 12x8' in fails(*args)
        path.unlink()
        assert 'APVD_02.jpg has no partner' in fails(*args[:3])
        assert ('must have the folder NHA12D_dataset/Asphalt_pavement_FD/ or '
                'Asphalt_pavement_FD/') in fails(args[0], tmp_path, args[2])

    def test_real_images(self, run, tmp_path):
        """The colours of the repository, rebuilt from real masks."""
        root = real_data('nha12d')
        folders = {
            'APFD': 'Asphalt_pavement_FD', 'APVD': 'Asphalt_pavement_VD',
            'CPFD': 'Concrete_pavement_FD', 'CPVD': 'Concrete_pavement_VD'}
        wanted = {}
        for short, folder in folders.items():
            path = sorted((root / 'masks/test').glob(f'{short}*.png'))[0]
            wanted[path.stem] = cv2.imread(str(path), -1)
            colours = np.zeros((*wanted[path.stem].shape, 3), np.uint8)
            colours[wanted[path.stem] == 1] = 138, 156, 191
            part = tmp_path / 'src' / folder
            mask(part / f'Masks/{path.name}', array=colours)
            (part / 'Raw_images').mkdir()
            (part / f'Raw_images/{path.stem}.jpg').write_bytes(
                (root / f'images/test/{path.stem}.jpg').read_bytes())
        options = '--allow-partial', '--split', 0, 0, 1
        run('nha12d', tmp_path / 'src', tmp_path / 'out', *options)
        assert stems(tmp_path / 'out') == {'test': sorted(wanted)}
        for stem, array in wanted.items():
            np.testing.assert_array_equal(
                stored_mask(tmp_path / 'out', 'test', stem), array)
            assert array.shape == (1080, 1920)
