"""CrackTree260, CRKWH100 and CrackLS315 from their download."""

import numpy as np
import pytest
from converter_sources import (
    content,
    mask,
    stems,
    stored_mask,
    write_zou,
)

from mmcrack.datasets.converted import read_manifest

SETS = {
    'cracktree260': ('CrackTree260', 260, '.jpg', 'train'),
    'crkwh100': ('CRKWH100', 100, '.png', 'test'),
    'crackls315': ('CrackLS315', 315, '.jpg', 'test'),
}


@pytest.mark.parametrize('tool_name', SETS)
class TestEach:
    def test_whole_set(self, tool_name, run, tmp_path):
        """All in the split that Zou et al. use them for, lines kept."""
        name, pairs, kind, split = SETS[tool_name]
        src = write_zou(
            tmp_path / 'src', name, range(1000, 1000 + pairs), kind=kind)
        before = content(src)
        status, _, err = run(tool_name, src, tmp_path / 'a')
        assert status == 0, err
        manifest = read_manifest(tmp_path / 'a')
        assert manifest['dataset'] == tool_name
        assert manifest['counts'] == {split: pairs}
        assert manifest['notes'] == manifest['left_out'] == []
        assert manifest['sizes'] == {'30x24': pairs}
        found = stored_mask(tmp_path / 'a', split, '1007')
        wanted = np.zeros((24, 30), np.uint8)
        wanted[12, 5:25] = 1
        np.testing.assert_array_equal(found, wanted)
        assert content(src) == before

    def test_bad_input(self, tool_name, run, fails, tmp_path):
        name, pairs, kind, _ = SETS[tool_name]
        src = write_zou(tmp_path / 'src', name, 'abc', kind=kind)
        args = tool_name, src, tmp_path / 'out'
        assert f'{name} must have {pairs} pairs in all, got 3' in fails(*args)
        args = *args, '--allow-partial'
        assert '--dilate must be a radius >= 0' in fails(*args, '--dilate', -1)
        assert '--threshold must lie in 0...254, got 255' in fails(
            *args, '--threshold', 255)
        assert 'add up to 1' in fails(*args, '--split', 1, 1, 1)
        assert f'must have the folder {name}/' in fails(
            args[0], tmp_path, args[2])
        assert 'must have the folder labels/gt/ or labels/' in fails(
            *args, '--masks', 'labels')
        path = src / f'{name}_gt/b.bmp'
        mask(path, array=np.full((24, 30), 255, np.uint8))
        assert 'b.bmp must hold thin lines above 0 on at most 10%' in fails(
            *args)
        mask(path, size=(12, 15))
        assert 'b.bmp is 15x12 but its image is 30x24' in fails(*args)
        path.unlink()
        assert f'{name}/b{kind} has no partner (no mask; and 0 more)' in fails(
            *args[:3])
        assert run(*args)[0] == 0
        left = read_manifest(tmp_path / 'out')['left_out']
        assert left == [
            {'source_id': f'{name}/b{kind}', 'reason': 'no mask'}]


def test_labels_may_be_nested_and_folders_named(run, tmp_path):
    src = write_zou(tmp_path / 'a', 'CrackTree260', 'ab', gt='{}_gt/gt')
    assert run('cracktree260', src, tmp_path / 'o', '--allow-partial')[0] == 0
    src = write_zou(tmp_path / 'b', 'image', 'ab', gt='ground_truth')
    args = 'cracktree260', src, tmp_path / 'p', '--allow-partial'
    args = *args, '--images', 'image', '--masks', 'ground_truth'
    assert run(*args)[0] == 0
    assert stems(tmp_path / 'p') == {'train': ['a', 'b']}


def test_threshold_and_dilation(run, tmp_path):
    src = write_zou(tmp_path / 'src', 'CRKWH100', 'a', kind='.png')
    levels = np.zeros((24, 30), np.uint8)
    levels[12, 5:25] = [80] * 5 + [81] * 5 + [127] * 5 + [128] * 5
    mask(src / 'CRKWH100_gt/a.bmp', array=levels)
    crack = {}
    for threshold in (0, 80, 127):
        out = tmp_path / f'{threshold}'
        run('crkwh100', src, out, '--allow-partial', '--threshold', threshold)
        crack[threshold] = int(stored_mask(out, 'test', 'a').sum())
    assert crack == {0: 20, 80: 15, 127: 5}
    out = tmp_path / 'wide'
    run('crkwh100', src, out, '--allow-partial', '--dilate', 1)
    # 20 pixels, as many above and below, and one at each end.
    assert stored_mask(out, 'test', 'a').sum() == 62
    assert read_manifest(out)['settings']['dilate'] == 1


def test_parts_of_a_recording_stay_together(run, tmp_path):
    names = [f'{n:04d}-{part}' for n in range(10) for part in (1, 2)]
    src = write_zou(tmp_path / 'src', 'CrackLS315', names)
    options = '--allow-partial', '--split', 0.8, 0, 0.2
    run('crackls315', src, tmp_path / 'out', *options)
    lists = stems(tmp_path / 'out')
    assert [len(lists[s]) for s in ('train', 'test')] == [16, 4]
    assert not {s[:4] for s in lists['train']} & {s[:4] for s in lists['test']}
    options = *options, '--group-by', '.*'
    run('crackls315', src, tmp_path / 'b', *options, '--seed', 1)
    again = stems(tmp_path / 'b')
    assert {s[:4] for s in again['train']} & {s[:4] for s in again['test']}
    run('crackls315', src, tmp_path / 'c', '--allow-partial', '--split-file',
        tmp_path / 'out/splits')
    assert stems(tmp_path / 'c') == lists
