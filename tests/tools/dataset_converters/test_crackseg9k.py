"""CrackSeg9k in its three layouts."""

import numpy as np
import pytest
from converter_sources import (
    HEIGHT,
    WIDTH,
    mask,
    photograph,
    stems,
    stored_mask,
    write_pairs,
)

from mmcrack.datasets.converted import read_manifest

NAMES = [
    *(f'CRACK500_2016022{n}_081011_{x}_1' for n in range(10) for x in (1, 2)),
    *(f'Rissbilder_for_Florian_9S6A{n}_0_{x}_9_9' for n in range(10)
      for x in (1, 2)),
    *(f'DeepCrack_{n}-{i}' for n in range(5) for i in (1, 2)),
    *(f'CFD_{n:03d}' for n in range(10)),
]


def volumes(root, names=NAMES, *, nested=False):
    """Version 4: two volumes of images, the masks in the first."""
    one, two = ('Final-Dataset-Vol1', 'Final-Dataset-Vol2')
    if nested:
        one, two = f'{one}/{one}', f'{two}/{two}'
    masks = root / one / 'Final_Masks/Masks'
    write_pairs(root / one / 'Images', masks, names[::2])
    write_pairs(root / two / 'Images-2', masks, names[1::2])
    return root


@pytest.mark.parametrize(('stem', 'subset', 'photograph'), [
    ('CRACK500_20160307_164400_1281_721', 'crack500',
     'CRACK500_20160307_164400'),
    ('Rissbilder_for_Florian_9S6A2782_0_0_3840_5760', 'rissbilder',
     'Rissbilder_for_Florian_9S6A2782'),
    ('Volker_DSC01692_316_1370_932_1128', 'volker', 'Volker_DSC01692'),
    ('noncrack_noncrack_concrete_wall_20_71', 'noncrack',
     'noncrack_noncrack_concrete_wall_20'),
    ('GAPS384_train_0552_1_641', 'gaps', 'GAPS384_train_0552'),
    ('DeepCrack_IMG_6516-4', 'deepcrack', 'DeepCrack_IMG_6516'),
    ('a_31_16', 'masonry', 'masonry_a_31'),
    ('Mason_a_31_16', 'masonry', 'masonry_a_31'),
    ('Masonry_a_31_17', 'masonry', 'masonry_a_31'),
    ('cracktree200_6774', 'cracktree', 'cracktree200_6774'),
    ('CFD_001', 'cfd', 'CFD_001'),
])
def test_names(tool, stem, subset, photograph):
    module = tool('crackseg9k')
    assert module.subset_of(stem) == subset
    assert module.photograph_of_crop(stem) == photograph


class TestCrackSeg9k:
    @pytest.mark.parametrize('nested', [False, True])
    def test_volumes(self, run, tmp_path, nested):
        src = volumes(tmp_path / 'src', nested=nested)
        status, _, err = run('crackseg9k', src, tmp_path / 'out')
        assert status == 0, err
        manifest = read_manifest(tmp_path / 'out')
        assert manifest['settings']['layout'] == 'volumes'
        assert manifest['settings']['split'] == [0.9, 0.05, 0.05]
        assert manifest['counts'] == {'train': 54, 'val': 3, 'test': 3}
        assert manifest['notes'] == []
        where = {}
        for record in manifest['images']:
            where.setdefault(record['group'], set()).add(record['split'])
        assert len(where) == 35
        assert all(len(splits) == 1 for splits in where.values())

    def test_flat_layout_tells_of_rissbilder(self, run, tmp_path):
        write_pairs(tmp_path / 'src/Images', tmp_path / 'src/Masks', NAMES,
                    kind='.jpg')
        args = 'crackseg9k', tmp_path / 'src', tmp_path / 'out'
        _, text, _ = run(*args)
        assert 'warning: version 2 has 744 pairs of Rissbilder' in text
        _, text, _ = run(*args, '--overwrite', '--without', 'rissbilder')
        assert 'warning' not in text
        assert sum(read_manifest(args[2])['counts'].values()) == 40

    def test_corrected_version(self, run, tmp_path):
        src = tmp_path / 'src'
        parts = {'train': NAMES[:50:2] + NAMES[50:], 'val': NAMES[1:25:2],
                 'test': NAMES[25:50:2]}
        for split, names in parts.items():
            write_pairs(src / f'img_dir/{split}', src / f'ann_dir/{split}',
                        names)
        _, text, _ = run('crackseg9k', src, tmp_path / 'a')
        assert '25 held-out images show 25 photographs of an earlier' in text
        assert stems(tmp_path / 'a') == {
            k: sorted(v) for k, v in parts.items()}
        run('crackseg9k', src, tmp_path / 'b', '--drop-leaks')
        assert read_manifest(tmp_path / 'b')['counts'] == {'train': 35}

    def test_lists_of_the_download(self, run, fails, tmp_path):
        src = volumes(tmp_path / 'src')
        args = 'crackseg9k', src, tmp_path / 'out', '--lists'
        assert 'needs train.txt and test.txt' in fails(*args)
        lists = src / 'Final-Dataset-Vol1/Final_Masks'
        (lists / 'train.txt').write_text(
            ''.join(f'{n}.png\n' for n in NAMES[:50]))
        (lists / 'test.txt').write_text('\n'.join(NAMES[50:59]))
        assert ("got 1 on no list and 0 that are not there (first: 'CFD_009')"
                ) in fails(*args)
        run(*args, '--allow-partial')
        assert read_manifest(tmp_path / 'out')['counts'] == {
            'train': 50, 'test': 9}
        assert read_manifest(tmp_path / 'out')['left_out'] == [{
            'source_id': 'Final-Dataset-Vol2/Images-2/CFD_009.png',
            'reason': 'on no split list'}]

    def test_soft_edges_are_cut_in_the_middle(self, run, tmp_path):
        src = volumes(tmp_path / 'src')
        soft = np.zeros((HEIGHT, WIDTH), np.uint8)
        soft[2], soft[1, :2], soft[3, :2] = 255, 127, 128
        path = src / 'Final-Dataset-Vol1/Final_Masks/Masks/CFD_000.png'
        mask(path, array=soft)
        run('crackseg9k', src, tmp_path / 'out', '--split', 0, 0, 1)
        found = stored_mask(tmp_path / 'out', 'test', 'CFD_000')
        np.testing.assert_array_equal(found, soft > 127)

    def test_bad_input(self, run, fails, tmp_path):
        src = volumes(tmp_path / 'src')
        args = 'crackseg9k', src, tmp_path / 'out'
        assert ('got volkr; it has cfd, crack500, deepcrack, rissbilder'
                ) in fails(*args, '--without', 'Volkr')
        photograph(src / 'Final-Dataset-Vol2/Images-2/CFD_900.png', seed=1)
        assert 'Images-2/CFD_900.png has no partner (no mask' in fails(*args)
        _, text, _ = run(*args, '--allow-partial')
        assert 'left out, no mask: 1' in text
        photograph(src / 'Final-Dataset-Vol1/Images/CFD_001.png', seed=2)
        assert 'must have a name of its own' in fails(
            *args, '--allow-partial', '--overwrite')
        assert 'must have the folder Images/ or images/' in fails(
            args[0], tmp_path, args[2])
