"""CBPRN's mix of three data sets."""

import pytest
from converter_sources import (
    DEEPCRACK_TEST,
    DEEPCRACK_TRAIN,
    content,
    stems,
    write_cfd,
    write_crack500,
    write_deepcrack,
)

from mmcrack.datasets.converted import read_manifest


class TestMixed1200:
    def test_the_numbers_of_the_paper(self, tool):
        """1200 = 118 + 545 + 537, exact, group-safe, the same each time."""
        module = tool('mixed1200')
        assert module.COUNTS == {'cfd': 118, 'crack500': 545, 'deepcrack': 537}
        assert module.SPLIT_COUNTS == {'train': 900, 'val': 150, 'test': 150}
        groups = {
            'cfd': {f'{n:03d}': f'block{(n - 1) // 6}' for n in range(1, 119)},
            'crack500': {f'{p}_{i}': f'{p}' for p in range(500) for i in range(
                p % 9 + 3)},
            'deepcrack': {f'{n}': f'{n // 9}' for n in range(400)}
            | {f'x{n}': f'x{n}' for n in range(137)},
        }
        options = dict(
            counts=module.COUNTS, split_counts=module.SPLIT_COUNTS, seed=0
        )
        chosen = module.choose(groups, **options)
        totals = dict.fromkeys(module.SPLIT_COUNTS, 0)
        for name, lists in chosen.items():
            taken = [stem for stems in lists.values() for stem in stems]
            assert len(taken) == len(set(taken)) == module.COUNTS[name]
            where = {}
            for split, names in lists.items():
                totals[split] += len(names)
                share = len(names) / module.COUNTS[name]
                wanted = 0.75 if split == 'train' else 0.125
                assert abs(share - wanted) < 0.06
                for stem in names:
                    where.setdefault(groups[name][stem], set()).add(split)
            assert all(len(splits) == 1 for splits in where.values())
        assert totals == module.SPLIT_COUNTS
        assert module.choose(groups, **options) == chosen

    @pytest.fixture
    def sets(self, tmp_path, run):
        """The three sets, small, as the converters write them."""
        write_cfd(tmp_path / 'src/cfd', pairs=18)
        write_crack500(tmp_path / 'src/crack500')
        write_deepcrack(
            tmp_path / 'src/deepcrack',
            train=[*DEEPCRACK_TRAIN, '7', '8', '9'],
            test=DEEPCRACK_TEST,
        )
        roots = {}
        for name in ('cfd', 'crack500', 'deepcrack'):
            roots[name] = tmp_path / 'data' / name
            args = name, tmp_path / 'src' / name, roots[name]
            assert run(*args, '--allow-partial')[0] == 0
        return [f'--{name}={root}' for name, root in roots.items()]

    COUNTS = '--counts', 'cfd=18', 'crack500=3', 'deepcrack=13'

    def test_mix(self, sets, run, tmp_path):
        args = 'mixed1200', *sets
        options = *self.COUNTS, '--split-counts', 20, 7, 7
        status, text, err = run(*args, tmp_path / 'a', *options)
        assert status == 0, err
        assert 'must have 900/150/150 pairs' in text
        manifest = read_manifest(tmp_path / 'a')
        assert manifest['counts'] == {'train': 20, 'val': 7, 'test': 7}
        assert manifest['sizes'] == {'256x256': 34}
        groups = {}
        for record in manifest['images']:
            groups.setdefault(record['group'], set()).add(record['split'])
        assert all(len(splits) == 1 for splits in groups.values())
        stem_groups = {r['stem']: r['group'] for r in manifest['images']}
        assert stem_groups['deepcrack_11216'] == 'deepcrack_11158'
        assert stem_groups['deepcrack_11289-1_test'] == 'deepcrack_11289'
        run(*args, tmp_path / 'b', *options)
        assert content(tmp_path / 'a') == content(tmp_path / 'b')
        lists = tmp_path / 'a' / 'splits'
        given = '--split-file', lists, '--allow-partial'
        run(*args, tmp_path / 'c', *given)
        assert stems(tmp_path / 'c') == stems(tmp_path / 'a')

    def test_mask_modes(self, sets, run, tmp_path):
        """Shrunk to 4x2, a row of 8 survives 'area' only."""
        options = *self.COUNTS, '--size', 4, 2, '--split-counts', 20, 7, 7
        shares = {}
        for mode in ('area', 'nearest'):
            out = tmp_path / mode
            args = 'mixed1200', *sets, out, *options, '--mask-mode', mode
            status, _, err = run(*args)
            assert status == 0, err
            shares[mode] = {
                record['stem']: record['crack_share']
                for record in read_manifest(out)['images']
            }
        assert shares['area']['deepcrack_7'] == 0.5
        assert shares['nearest']['deepcrack_7'] == 0

    def test_bad_input(self, sets, fails, tmp_path):
        out = tmp_path / 'out'
        args = 'mixed1200', *sets, out
        assert '118 images of cfd are wanted, got 18' in fails(*args)
        assert 'like cfd=118 crack500=545' in fails(*args, '--counts', 'cfd=0')
        assert "got 'drive=3'" in fails(*args, '--counts', 'drive=3')
        assert 'must add up to' in fails(
            *args, *self.COUNTS, '--split-counts', 1, 1, 1)
        options = *self.COUNTS, '--size', 0, 2
        assert '--size must be two pixels' in fails(*args, *options)
        assert 'a folder must be given for each' in fails(
            'mixed1200', sets[0], out)
        swapped = f'--cfd={sets[1].partition("=")[2]}'
        assert 'got crack500 in' in fails('mixed1200', swapped, out)
        assert 'cannot be met without cutting a photograph' in fails(
            'mixed1200', sets[0], out, '--counts', 'cfd=18',
            '--split-counts', 16, 1, 1)
        lists = tmp_path / 'lists.json'
        lists.write_text('{"train": ["cfd_001"]}')
        assert 'must have 900/150/150' in fails(*args, '--split-file', lists)
        assert 'no folder images' in fails(
            'mixed1200', f'--cfd={tmp_path}', out)
