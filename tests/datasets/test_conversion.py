"""Splits, checks and writing that the converters share."""

import hashlib
import json
from collections import Counter
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from mmcrack.datasets.conversion import (
    Plan,
    Sample,
    convert,
    crossing_groups,
    drop_leaks,
    exif_orientation,
    mask_reader,
)
from mmcrack.datasets.converted import read_manifest, read_pairs
from mmcrack.datasets.images import read_image
from mmcrack.datasets.splits import (
    apportion,
    assign_splits,
    check_counts,
    photograph_of,
    read_split_lists,
    seeded_order,
    split_by_groups,
)


def photograph(seed, *, height=24, width=36):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / 'source'
    folder.mkdir()
    return folder


def pair(folder, stem, split, *, seed=None, group=None, mask=None):
    seed = int(hashlib.sha256(stem.encode()).hexdigest()[:6], 16) if (
        seed is None) else seed
    pixels = photograph(seed)
    Image.fromarray(pixels).save(folder / f'{stem}.jpg', quality=95)
    if mask is None:
        mask = np.zeros(pixels.shape[:2], np.uint8)
        mask[5] = 255
    cv2.imwrite(str(folder / f'{stem}.png'), mask)
    return Sample(
        stem=stem,
        split=split,
        group=group or stem,
        source_id=f'{stem}.jpg',
        image=folder / f'{stem}.jpg',
        read_mask=mask_reader(folder / f'{stem}.png'),
    )


def plan(folder, samples, **changes):
    values = dict(
        dataset='demo', sources=[folder], samples=samples, settings={'a': 1}
    )
    return Plan(**{**values, **changes})


def write(plan_, out, *, overwrite=False, drop_duplicates=False):
    return convert(
        plan_, out, overwrite=overwrite, drop_duplicates=drop_duplicates
    )


def content(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file()
    }


class TestApportion:
    @pytest.mark.parametrize(
        ('total', 'weights', 'parts'),
        [
            (1200, [900, 150, 150], [900, 150, 150]),
            (10, [0.75, 0.125, 0.125], [8, 1, 1]),
            (118, [60, 12, 46], [60, 12, 46]),
            (5, [0.8, 0.0, 0.2], [4, 0, 1]),
            (300, [0.9, 0.1], [270, 30]),
            (0, [1, 1], [0, 0]),
        ],
    )
    def test_known(self, total, weights, parts):
        assert apportion(total, weights) == parts

    @pytest.mark.parametrize('total', range(0, 60, 7))
    def test_adds_up_and_is_within_one(self, total):
        weights = [0.7, 0.2, 0.0, 0.1]
        parts = apportion(total, weights)
        assert sum(parts) == total
        assert parts[2] == 0
        for part, weight in zip(parts, weights, strict=True):
            assert abs(part - total * weight) < 1

    def test_bad_weights(self):
        with pytest.raises(ValueError, match='weights must be >= 0'):
            apportion(3, [0, 0])


class TestSplitByGroups:
    def test_group_safe_exact_and_deterministic(self):
        groups = {f'{g}-{i}': str(g) for g in range(40) for i in range(g % 7)}
        groups |= {f's{i}': f's{i}' for i in range(30)}
        total = len(groups)
        sizes = apportion(total, [0.8, 0.1, 0.1])
        counts = dict(zip(('train', 'val', 'test'), sizes, strict=True))
        lists = split_by_groups(groups, counts=counts, seed=3)
        assert {s: len(stems) for s, stems in lists.items()} == counts
        assert sorted(sum(lists.values(), [])) == sorted(groups)
        for one in lists:
            for other in set(lists) - {one}:
                assert not {groups[s] for s in lists[one]} & {
                    groups[s] for s in lists[other]
                }
        backwards = dict(reversed(groups.items()))
        assert split_by_groups(backwards, counts=counts, seed=3) == lists
        assert split_by_groups(groups, counts=counts, seed=4) != lists

    def test_no_photograph_dominates_a_small_split(self):
        groups = {f'{g}-{i}': g for g in 'abc' for i in range(20)}
        groups |= {f's{i}': f's{i}' for i in range(60)}
        lists = split_by_groups(
            groups, counts={'train': 90, 'val': 30}, seed=0
        )
        largest = Counter(groups[stem] for stem in lists['val'])
        assert max(largest.values()) <= 6

    def test_seeded_order_is_pinned(self):
        # Stored lists stay valid only while this order never changes.
        assert seeded_order('abcdef', seed=0) == list('fdacbe')

    def test_counts_must_add_up(self):
        with pytest.raises(ValueError, match='must add up to the 1 images'):
            split_by_groups({'a': 'a'}, counts={'train': 2}, seed=0)


@pytest.mark.parametrize(
    ('dataset', 'stem', 'group'),
    [
        ('cfd', '001', 'block00'),
        ('cfd', '006', 'block00'),
        ('cfd', '007', 'block01'),
        ('cfd', '118', 'block19'),
        ('crack500', '20160222_081011_1_361', '20160222_081011'),
        ('crack500', 'IMG_6469_641_1', 'IMG_6469'),
        ('crack500', '0017', '0017'),
        ('deepcrack', '11240-7', '11240'),
        ('deepcrack', 'IMG_6536-2', 'IMG_6536'),
        ('deepcrack', '11171', '11171'),
        ('deepcrack', '11216', '11158'),
    ],
)
def test_photograph_of(dataset, stem, group):
    assert photograph_of(dataset, stem) == group


def test_photograph_of_unknown_set():
    with pytest.raises(ValueError, match='must be cfd, crack500'):
        photograph_of('drive', '01')


class TestSplitLists:
    def test_json_and_folder_agree(self, tmp_path):
        lists = {'train': ['a', 'b'], 'test': ['c']}
        path = tmp_path / 'lists.json'
        path.write_text(json.dumps(lists))
        (tmp_path / 'train.txt').write_text('a\nb\n')
        (tmp_path / 'test.txt').write_text('c\r\n\n')
        assert read_split_lists(path) == lists
        assert read_split_lists(tmp_path) == lists

    @pytest.mark.parametrize(
        ('text', 'message'),
        [
            ('{', 'that is no JSON'),
            ('{"training": []}', r"got \['training'\]"),
            ('{"train": "abc"}', 'lists of stems'),
            ('{"train": [1]}', 'lists of stems'),
            ('["a"]', 'must map train, val, test'),
            ('{"train": ["a"], "val": ["a"]}', "got 'a' more than once"),
        ],
    )
    def test_bad_file(self, tmp_path, text, message):
        path = tmp_path / 'lists.json'
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            read_split_lists(path)

    def test_missing(self, tmp_path):
        with pytest.raises(FileNotFoundError, match='does not exist'):
            read_split_lists(tmp_path / 'nothing')
        with pytest.raises(FileNotFoundError, match='holds none of'):
            read_split_lists(tmp_path)

    def test_assign(self):
        lists = {'train': ['a'], 'val': ['b']}
        assert assign_splits('abc', lists, allow_partial=True) == (
            {'a': 'train', 'b': 'val'},
            ['c'],
        )
        with pytest.raises(ValueError, match="on no list .first: 'c'"):
            assign_splits('abc', lists, allow_partial=False)
        with pytest.raises(FileNotFoundError, match="first: 'b'"):
            assign_splits('a', lists, allow_partial=False)


def test_check_counts():
    found, wanted = {'train': 2}, {'train': 2, 'test': 1}
    assert check_counts(wanted, wanted, name='X', allow_partial=False) == []
    with pytest.raises(ValueError, match='X must have 2/1 pairs .*got 2/0'):
        check_counts(found, wanted, name='X', allow_partial=False)
    (note,) = check_counts(found, wanted, name='X', allow_partial=True)
    assert 'not comparable' in note


def test_leaks_keep_the_earliest_split(source):
    samples = [
        pair(source, 'a-1', 'test', group='a'),
        pair(source, 'a-2', 'val', group='a'),
        pair(source, 'b-1', 'test', group='b'),
        pair(source, 'b-2', 'test', group='b'),
    ]
    assert crossing_groups(samples) == {'a': ['test/a-1', 'val/a-2']}
    kept, dropped = drop_leaks(samples)
    assert [s.stem for s in dropped] == ['a-1']
    assert [s.stem for s in kept] == ['a-2', 'b-1', 'b-2']


class TestConvert:
    def test_layout_and_manifest(self, source, tmp_path):
        mask = np.zeros((24, 36), np.uint8)
        mask[:, 3] = 255
        samples = [
            pair(source, 'b', 'train', group='g', mask=mask),
            pair(source, 'a', 'train'),
            pair(source, 'c', 'test'),
        ]
        out = tmp_path / 'deep' / 'out'
        manifest = write(
            plan(
                source,
                samples,
                notes=['note'],
                left_out=[{'source_id': 'x.jpg', 'reason': 'no mask'}],
            ),
            out,
        )
        assert sorted(content(out)) == [
            'images/test/c.jpg',
            'images/train/a.jpg',
            'images/train/b.jpg',
            'manifest.json',
            'masks/test/c.png',
            'masks/train/a.png',
            'masks/train/b.png',
            'splits/test.txt',
            'splits/train.txt',
        ]
        assert (out / 'splits' / 'train.txt').read_text() == 'a\nb\n'
        assert read_manifest(out) == manifest
        assert manifest['counts'] == {'train': 2, 'test': 1}
        assert manifest['sizes'] == {'36x24': 3}
        record = manifest['images'][1]
        jpeg = (source / 'b.jpg').read_bytes()
        assert (out / 'images/train/b.jpg').read_bytes() == jpeg
        assert record['sha256'] == hashlib.sha256(jpeg).hexdigest()
        assert record['crack_share'] == round(24 / (24 * 36), 8)
        assert (record['width'], record['height']) == (36, 24)
        assert (record['group'], record['source_id']) == ('g', 'b.jpg')
        stored = cv2.imread(str(out / 'masks/train/b.png'), -1)
        np.testing.assert_array_equal(stored, mask // 255)

    def test_second_run_is_byte_identical(self, source, tmp_path):
        samples = [pair(source, s, 'train') for s in 'abc']
        write(plan(source, samples), tmp_path / 'one')
        write(plan(source, samples[::-1]), tmp_path / 'two')
        assert content(tmp_path / 'one') == content(tmp_path / 'two')

    def test_source_is_untouched(self, source, tmp_path):
        samples = [pair(source, s, 'train') for s in 'ab']
        before = content(source)
        write(plan(source, samples), tmp_path / 'out')
        assert content(source) == before

    def test_exif_is_applied_and_saved_without_loss(self, source, tmp_path):
        sample = pair(source, 'a', 'train', mask=np.eye(36, 24, dtype='u1'))
        exif = Image.Exif()
        exif[274] = 6
        Image.open(source / 'a.jpg').save(source / 'a.jpg', exif=exif)
        assert exif_orientation(source / 'a.jpg') == 6
        manifest = write(plan(source, [sample]), tmp_path / 'out')
        (record,) = manifest['images']
        assert record['image'] == 'images/train/a.png'
        assert (record['width'], record['height']) == (24, 36)
        assert 'orientation 6' in record['changed']
        np.testing.assert_array_equal(
            read_image(tmp_path / 'out' / record['image']),
            read_image(source / 'a.jpg'),
        )
        assert exif_orientation(tmp_path / 'out' / record['image']) == 1

    def test_webp_becomes_png(self, source, tmp_path):
        sample = pair(source, 'a', 'train')
        Image.open(source / 'a.jpg').save(source / 'a.webp', lossless=True)
        sample = replace(sample, image=source / 'a.webp')
        (record,) = write(plan(source, [sample]), tmp_path / 'out')['images']
        assert record['changed'] == 'was .webp, saved as PNG'
        np.testing.assert_array_equal(
            read_image(tmp_path / 'out' / 'images/train/a.png'),
            read_image(source / 'a.jpg'),
        )

    def test_upper_case_suffix_becomes_lower(self, source, tmp_path):
        sample = pair(source, 'a', 'train')
        sample.image.rename(source / 'a.JPG')
        sample = replace(sample, image=source / 'a.JPG')
        manifest = write(plan(source, [sample]), tmp_path / 'out')
        assert manifest['images'][0]['image'] == 'images/train/a.jpg'

    def test_duplicates_across_splits(self, source, tmp_path):
        samples = [
            pair(source, 'a', 'train', seed=1),
            pair(source, 'b', 'test', seed=1),
            pair(source, 'c', 'train'),
        ]
        out = tmp_path / 'out'
        with pytest.raises(ValueError, match='train/a and test/b'):
            write(plan(source, samples), out)
        assert sorted(p.name for p in tmp_path.iterdir()) == ['source']
        manifest = write(plan(source, samples), out, drop_duplicates=True)
        assert [r['stem'] for r in manifest['images']] == ['c', 'b']
        assert manifest['left_out'][0]['source_id'] == 'a.jpg'
        assert 'train/a and test/b' in manifest['notes'][0]
        assert not (out / 'images/train/a.jpg').exists()
        assert (out / 'splits/train.txt').read_text() == 'c\n'

    def test_duplicate_of_another_encoding_is_found(self, source, tmp_path):
        first = pair(source, 'a', 'train')
        second = pair(source, 'b', 'val')
        Image.open(source / 'a.jpg').save(source / 'b.bmp')
        second = replace(second, image=source / 'b.bmp')
        with pytest.raises(ValueError, match='train/a and val/b'):
            write(plan(source, [first, second]), tmp_path / 'out')

    def test_duplicates_in_one_split_are_noted(self, source, tmp_path):
        samples = [pair(source, s, 'train', seed=1) for s in 'ab']
        manifest = write(plan(source, samples), tmp_path / 'out')
        assert manifest['counts'] == {'train': 2}
        assert 'train/a and train/b' in manifest['notes'][0]

    def test_an_interrupted_run_leaves_nothing(self, source, tmp_path):
        def stop(_):
            raise KeyboardInterrupt

        good = pair(source, 'a', 'train')
        bad = replace(pair(source, 'b', 'train'), read_mask=stop)
        with pytest.raises(KeyboardInterrupt):
            write(plan(source, [good, bad]), tmp_path / 'out')
        assert sorted(p.name for p in tmp_path.iterdir()) == ['source']

    def test_overwrite_keeps_the_old_one_on_failure(self, source, tmp_path):
        out = tmp_path / 'out'
        sample = pair(source, 'a', 'train')
        write(plan(source, [sample]), out)
        before = content(out)
        with pytest.raises(ValueError, match='must be new or empty'):
            write(plan(source, [sample]), out)
        broken = pair(source, 'b', 'train', mask=np.full((3, 3), 1, 'u1'))
        with pytest.raises(ValueError, match=r'3 x 3 pixels'):
            write(plan(source, [broken]), out, overwrite=True)
        assert content(out) == before
        other = pair(source, 'c', 'val')
        write(plan(source, [other]), out, overwrite=True)
        assert not (out / 'images/train').exists()
        assert (out / 'images/val/c.jpg').exists()
        assert sorted(p.name for p in tmp_path.iterdir()) == ['out', 'source']

    def test_overwrite_refuses_a_folder_of_something_else(
        self, source, tmp_path
    ):
        out = tmp_path / 'out'
        out.mkdir()
        (out / 'thesis.txt').write_text('x')
        with pytest.raises(ValueError, match='an earlier conversion only'):
            write(
                plan(source, [pair(source, 'a', 'train')]), out, overwrite=True
            )
        assert (out / 'thesis.txt').exists()

    def test_empty_folder_is_fine_and_a_file_is_not(self, source, tmp_path):
        (tmp_path / 'empty').mkdir()
        samples = [pair(source, 'a', 'train')]
        write(plan(source, samples), tmp_path / 'empty')
        (tmp_path / 'file').write_text('x')
        with pytest.raises(ValueError, match='must be a folder, got a file'):
            write(plan(source, samples), tmp_path / 'file')

    @pytest.mark.parametrize('where', ['.', 'below', '..'])
    def test_output_apart_from_the_source(self, source, where):
        samples = [pair(source, 'a', 'train')]
        with pytest.raises(ValueError, match='must lie apart'):
            write(plan(source, samples), source / where)

    def test_bad_samples(self, source, tmp_path):
        sample = pair(source, 'a', 'train')
        out = tmp_path / 'out'
        with pytest.raises(ValueError, match='got none'):
            write(plan(source, []), out)
        other = replace(sample, stem='A')
        with pytest.raises(ValueError, match="would both be called 'A'"):
            write(plan(source, [sample, other]), out)
        other = replace(sample, split='training')
        with pytest.raises(ValueError, match="got 'training'"):
            write(plan(source, [other]), out)


class TestReadConverted:
    def test_round_trip(self, source, tmp_path):
        mask = np.zeros((24, 36), np.uint8)
        mask[2], mask[3] = 1, 255
        sample = pair(source, 'a', 'val', group='g', mask=mask)
        reader = mask_reader(source / 'a.png', ignore_value=255)
        sample = replace(sample, read_mask=reader)
        write(plan(source, [sample]), tmp_path / 'out')
        (found,) = read_pairs(tmp_path / 'out')
        assert (found.stem, found.split, found.group) == ('a', 'val', 'g')
        np.testing.assert_array_equal(found.read_mask((24, 36)), mask)

    def test_without_manifest(self, source, tmp_path):
        samples = [pair(source, 'a', 'val'), pair(source, 'b', 'train')]
        write(plan(source, samples), tmp_path / 'out')
        (tmp_path / 'out' / 'manifest.json').unlink()
        found = read_pairs(tmp_path / 'out')
        assert [(s.split, s.stem) for s in found] == [
            ('train', 'b'),
            ('val', 'a'),
        ]
        (tmp_path / 'out' / 'masks/val/a.png').unlink()
        with pytest.raises(ValueError, match='a.jpg has no mask'):
            read_pairs(tmp_path / 'out')

    def test_bad_folders(self, source, tmp_path):
        with pytest.raises(FileNotFoundError, match='no folder images'):
            read_pairs(tmp_path)
        with pytest.raises(FileNotFoundError, match='has no manifest.json'):
            read_manifest(tmp_path)
        (tmp_path / 'images').mkdir()
        with pytest.raises(ValueError, match='got none'):
            read_pairs(tmp_path)
        (tmp_path / 'manifest.json').write_text('{')
        with pytest.raises(ValueError, match='unreadable text'):
            read_manifest(tmp_path)
        (tmp_path / 'manifest.json').write_text('{"format": 99}')
        with pytest.raises(ValueError, match='of format 1, got 99'):
            read_manifest(tmp_path)

    def test_missing_file_is_named(self, source, tmp_path):
        write(plan(source, [pair(source, 'a', 'val')]), tmp_path / 'out')
        (tmp_path / 'out' / 'images/val/a.jpg').unlink()
        with pytest.raises(FileNotFoundError, match='a.jpg is not there'):
            read_pairs(tmp_path / 'out')
