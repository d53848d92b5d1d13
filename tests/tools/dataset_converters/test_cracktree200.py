"""CrackTree200 from its layout as distributed."""

import numpy as np
import pytest
from converter_sources import (
    content,
    mask,
    stems,
    stored_mask,
    write_cracktree200,
)

from mmcrack.datasets.converted import read_manifest


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """All 206 pairs, in small."""
    return write_cracktree200(tmp_path_factory.mktemp('cracktree200'))


@pytest.fixture
def part(tmp_path):
    return write_cracktree200(tmp_path / 'src', pairs=3)


def count_crack(out):
    return {r['stem']: round(r['crack_share'] * r['width'] * r['height'])
            for r in read_manifest(out)['images']}


class TestCrackTree200:
    def test_whole_set(self, whole, run, tmp_path):
        before = content(whole)
        assert run('cracktree200', whole, tmp_path / 'a')[0] == 0
        manifest = read_manifest(tmp_path / 'a')
        assert manifest['counts'] == {'train': 164, 'test': 42}
        assert manifest['settings']['dilate'] == 4
        assert manifest['notes'] == manifest['left_out'] == []
        lists = stems(tmp_path / 'a')
        assert sorted(lists['train'] + lists['test']) == [
            f'{n}' for n in range(6000, 6206)]
        # 20 x 9 pixels and a disc of radius 4 (49 pixels) less a column,
        # in training and in the test.
        assert set(count_crack(tmp_path / 'a').values()) == {180 + 49 - 9}
        lists = tmp_path / 'a' / 'splits'
        run('cracktree200', whole, tmp_path / 'b', '--split-file', lists)
        given = content(tmp_path / 'b')
        made = content(tmp_path / 'a')
        del given['manifest.json'], made['manifest.json']
        assert given == made
        assert content(whole) == before

    def test_seed_and_val(self, whole, run, tmp_path):
        args = 'cracktree200', whole
        run(*args, tmp_path / 'a', '--dilate', 0)
        run(*args, tmp_path / 'b', '--dilate', 0, '--val-share', 0.1)
        run(*args, tmp_path / 'c', '--dilate', 0, '--seed', 1)
        assert set(count_crack(tmp_path / 'a').values()) == {20}
        a, b, c = (stems(tmp_path / n) for n in 'abc')
        assert [len(b[s]) for s in ('train', 'val', 'test')] == [148, 16, 42]
        assert b['test'] == a['test'] != c['test']
        assert sorted(b['train'] + b['val']) == a['train']

    def test_whatever_is_above_zero_is_crack(self, part, run, tmp_path):
        levels = np.zeros((24, 30), np.uint8)
        levels[3, :5] = 1, 2, 100, 254, 255
        mask(part / 'cracktree200_gt/6000.png', array=levels)
        colours = np.zeros((24, 30, 3), np.uint8)
        colours[3, :3] = np.eye(3, dtype=np.uint8) * 9
        mask(part / 'cracktree200_gt/6001.png', array=colours)
        mask(part / 'cracktree200_gt/6002.png', array=levels * 0)
        options = '--allow-partial', '--dilate', 0
        run('cracktree200', part, tmp_path / 'out', *options)
        assert count_crack(tmp_path / 'out') == {
            '6000': 5, '6001': 3, '6002': 0}
        (stem, ) = stems(tmp_path / 'out')['test']
        assert set(np.unique(stored_mask(tmp_path / 'out', 'test', stem))
                   ) <= {0, 1}

    def test_nested_archives(self, part, run, tmp_path):
        for name in ('cracktree200rgb', 'cracktree200_gt'):
            (part / name).rename(tmp_path / name)
            (part / name).mkdir()
            (tmp_path / name).rename(part / name / name)
        args = 'cracktree200', part, tmp_path / 'out', '--allow-partial'
        assert run(*args)[0] == 0
        manifest = read_manifest(tmp_path / 'out')
        assert manifest['counts'] == {'train': 2, 'test': 1}
        assert {r['source_id'] for r in manifest['images']} == {
            f'cracktree200rgb/cracktree200rgb/{n}.jpg'
            for n in (6000, 6001, 6002)}

    def test_bad_input(self, part, fails, tmp_path):
        args = 'cracktree200', part, tmp_path / 'out'
        assert 'must have 206 pairs in all, got 3' in fails(*args)
        args = *args, '--allow-partial'
        assert '--dilate must be a radius >= 0' in fails(*args, '--dilate', -1)
        assert '--val-share must be in [0, 1), got 1.0' in fails(
            *args, '--val-share', 1)
        lines = np.zeros((24, 30), np.uint8)
        lines[12, 5:25] = 255
        path = part / 'cracktree200_gt/6001.png'
        mask(path, array=255 - lines)
        assert (
            '6001.png must hold thin lines above 0 on at most 10% of its '
            'pixels, got 97.2%; is it inverted'
        ) in fails(*args)
        wide = lines.copy()
        wide[11:14, 5:25] = 255
        mask(path, array=wide)
        assert '6001.png must be one pixel wide to be dilated by 4' in fails(
            *args)
        mask(path, array=lines[1:])
        assert '6001.png is 30x23 but its image is 30x24' in fails(*args)
        path.write_bytes(b'')
        assert '6001.png' in fails(*args)
        path.unlink()
        assert '6001.jpg has no partner' in fails(*args)
        assert 'There is no image folder' in fails(args[0], tmp_path, args[2])
        assert sorted(p.name for p in tmp_path.iterdir()) == ['src']

    def test_wide_lines_may_be_kept(self, part, run, tmp_path):
        """A copy that was dilated before."""
        wide = np.zeros((24, 30), np.uint8)
        wide[11:14, 5:25] = 255
        mask(part / 'cracktree200_gt/6001.png', array=wide)
        args = 'cracktree200', part, tmp_path / 'out', '--allow-partial'
        assert run(*args, '--dilate', 0)[0] == 0
        assert count_crack(tmp_path / 'out')['6001'] == 60
