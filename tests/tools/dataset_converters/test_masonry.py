"""The masonry set of Dais et al. from its repository."""

import pytest
from converter_sources import mask, stems, write_pairs

from mmcrack.datasets.converted import read_manifest

IMAGES, MASKS = 'crack_detection_224_images', 'crack_detection_224_masks'


@pytest.fixture
def src(tmp_path):
    root = tmp_path / 'src'
    names = [f'a_{n}_{patch}' for n in range(10) for patch in (0, 11)]
    write_pairs(root / 'dataset' / IMAGES, root / 'dataset' / MASKS, names)
    return root


class TestMasonry:
    def test_whole_set(self, run, tmp_path):
        root = tmp_path / 'src' / 'dataset'
        names = [f'a_{n // 3}_{n % 3}' for n in range(240)]
        write_pairs(root / IMAGES, root / MASKS, names)
        for src, out in ((root.parent, 'a'), (root, 'b')):
            status, _, err = run('masonry', src, tmp_path / out)
            assert status == 0, err
            assert read_manifest(tmp_path / out)['counts'] == {
                'train': 192, 'val': 24, 'test': 24}
        assert stems(tmp_path / 'a') == stems(tmp_path / 'b')

    def test_patches_of_a_photograph_stay_together(self, src, run, tmp_path):
        run('masonry', src, tmp_path / 'out', '--allow-partial')
        groups = {}
        for record in read_manifest(tmp_path / 'out')['images']:
            assert record['stem'].startswith(record['group'] + '_')
            groups.setdefault(record['group'], set()).add(record['split'])
        assert len(groups) == 10
        assert all(len(splits) == 1 for splits in groups.values())

    def test_bad_input(self, src, fails, tmp_path):
        args = 'masonry', src, tmp_path / 'out'
        assert 'Masonry must have 240 pairs in all, got 20' in fails(*args)
        args = *args, '--allow-partial'
        path = src / 'dataset' / MASKS / 'a_0_11.png'
        mask(path, size=(4, 4))
        assert 'a_0_11.png' in fails(*args)
        path.write_bytes(b'')
        assert 'is an empty file' in fails(*args)
        path.unlink()
        assert 'a_0_11.png has no partner (no mask' in fails(*args[:3])
        assert f'must have the folder dataset/{IMAGES}/ or {IMAGES}/' in fails(
            args[0], tmp_path, args[2])
