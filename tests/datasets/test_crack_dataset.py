"""Crack data sets: what loads, what is refused, and in which words."""

import logging
from pathlib import Path

import numpy as np
import pytest
from conftest import real_data
from mmengine.config import Config
from mmengine.registry import DATASETS, init_default_scope
from PIL import Image
from torch.utils.data import DataLoader

import mmcrack.datasets.crack_dataset as module
from mmcrack.datasets import (
    CFDDataset,
    Crack500Dataset,
    CrackDataset,
    CrackTree200Dataset,
    DeepCrackDataset,
    HighResolutionCrackDataset,
)
from mmcrack.datasets.images import UnreadableImageError
from mmcrack.datasets.splits import photograph_of, seeded_order

PREFIX = dict(img_path='images/train', seg_map_path='masks/train')
LOAD = [
    dict(type='mmcrack.LoadCrackImage'),
    dict(type='mmcrack.LoadCrackAnnotations'),
]
PACK = dict(type='mmseg.PackSegInputs')
CONFIGS = ('cfd', 'crack500', 'crack_hr', 'crackseg5k', 'crackseg9k',
           'cracktree200', 'cracktree260', 'deepcrack', 'masonry',
           'mixed1200', 'nha12d', 'omnicrack30k', 'synthetic', 'uav75')


def write_pair(root, stem, split='train', size=(24, 32), image='.jpg',
               mask='.png', level=255):
    rng = np.random.default_rng(len(stem))
    photograph = rng.integers(90, 160, (*size, 3), np.uint8)
    labels = np.zeros(size, np.uint8)
    labels[size[0] // 2, 3:20] = level
    for folder, suffix, array in (('images', image, photograph),
                                  ('masks', mask, labels)):
        if suffix is not None:
            path = root / folder / split / f'{stem}{suffix}'
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(path)


@pytest.fixture
def root(tmp_path):
    for stem in 'abcde':
        write_pair(tmp_path, stem)
    return tmp_path


@pytest.fixture
def warned(monkeypatch):
    """Warnings that the data set logged."""
    messages = []

    def keep(message, logger, level):
        assert level == logging.WARNING
        messages.append(message)

    monkeypatch.setattr(module, 'print_log', keep)
    return messages


def build(root, kind=CrackDataset, **options):
    options.setdefault('data_prefix', PREFIX)
    return kind(data_root=str(root), **options)


def stems(dataset):
    return [
        Path(dataset.get_data_info(i)['img_path']).stem
        for i in range(len(dataset))
    ]


def test_loads_pairs_as_mmseg_expects(root):
    dataset = build(root, pipeline=[*LOAD, PACK])
    assert dataset.metainfo['classes'] == ('background', 'crack')
    assert stems(dataset) == list('abcde')
    item = dataset[2]
    assert item['inputs'].shape == (3, 24, 32)
    labels = item['data_samples'].gt_sem_seg.data
    assert labels.shape == (1, 24, 32)
    assert labels.sum() == 17
    assert labels[0, 12, 3:20].all()
    assert dataset.unpaired == ((), ())


@pytest.mark.parametrize('kind', [
    'CrackDataset', 'CFDDataset', 'Crack500Dataset', 'CrackTree200Dataset',
    'DeepCrackDataset', 'HighResolutionCrackDataset'
])
def test_each_is_registered_for_any_scope(root, kind):
    built = DATASETS.build(
        dict(type=f'mmcrack.{kind}', data_root=str(root),
             data_prefix=PREFIX))
    assert type(built).__name__ == kind
    assert len(built) == 5


def test_suffixes_of_any_kind_and_case(tmp_path):
    write_pair(tmp_path, 'a', image='.JPG')
    write_pair(tmp_path, 'b', image='.tiff', mask='.gif')
    write_pair(tmp_path, 'c', image='.png', mask='.bmp')
    dataset = build(tmp_path, pipeline=LOAD)
    assert stems(dataset) == list('abc')
    assert [int(dataset[i]['gt_seg_map'].sum()) for i in range(3)] == [17] * 3
    assert stems(build(tmp_path, img_suffix='.png')) == ['c']


def test_masks_beside_images(tmp_path):
    """Crack500's own layout: x.jpg and x_mask.png in one folder."""
    write_pair(tmp_path, 'a')
    folder = tmp_path / 'images/train'
    (tmp_path / 'masks/train/a.png').rename(folder / 'a_mask.png')
    dataset = build(
        folder, data_prefix=dict(img_path='', seg_map_path=''),
        seg_map_suffix='_mask.png', pipeline=LOAD)
    assert dataset[0]['gt_seg_map'].sum() == 17


def test_unpaired_are_listed_and_warned_of_once(root, warned):
    write_pair(root, 'lonely', mask=None)
    write_pair(root, 'orphan', image=None)
    dataset = build(root)
    assert stems(dataset) == list('abcde')
    assert [Path(p).name for p in dataset.unpaired.images] == ['lonely.jpg']
    assert [Path(p).name for p in dataset.unpaired.masks] == ['orphan.png']
    assert all(Path(p).is_file() for part in dataset.unpaired for p in part)
    assert len(warned) == 1
    assert '1 images without a mask (lonely.jpg) and 1 masks' in warned[0]


def test_images_without_masks_may_be_wanted(root):
    write_pair(root, 'a2', mask=None)
    dataset = build(root, require_masks=False, pipeline=LOAD[:1])
    assert stems(dataset) == ['a', 'a2', *'bcde']
    assert 'seg_map_path' not in dataset[1]
    assert dataset[1]['img'].shape == (24, 32, 3)
    only = build(root, require_masks=False, pipeline=LOAD,
                 data_prefix=dict(img_path='images/train'))
    assert len(only) == 6
    with pytest.raises(ValueError, match='has no mask to load'):
        only[0]
    with pytest.raises(ValueError, match='must name the folders'):
        build(root, data_prefix=dict(img_path='images/train'))


def test_nothing_pairs(tmp_path):
    write_pair(tmp_path, 'a', mask=None)
    write_pair(tmp_path, 'a_gt', image=None)
    with pytest.raises(ValueError, match=(
            r'1 images such as a\.jpg and 1 masks such as a_gt\.png share no '
            r'stem; rename them alike')):
        build(tmp_path)


def test_two_images_with_one_stem(root):
    write_pair(root, 'a', image='.png')
    with pytest.raises(ValueError, match="have the stem 'a'"):
        build(root)


@pytest.mark.parametrize(('kind', 'command'), [
    (CrackDataset, 'folder.py'), (CFDDataset, 'cfd.py'),
    (Crack500Dataset, 'crack500.py'), (CrackTree200Dataset,
                                       'cracktree200.py'),
    (DeepCrackDataset, 'deepcrack.py'),
    (HighResolutionCrackDataset, 'folder.py')
])
def test_missing_root_names_folder_and_command(tmp_path, kind, command,
                                               monkeypatch):
    monkeypatch.delenv('MMCRACK_DATA', raising=False)
    with pytest.raises(FileNotFoundError) as caught:
        build(tmp_path / 'nowhere', kind)
    message = str(caught.value)
    assert str(tmp_path / 'nowhere/images/train') in message
    assert f'`python tools/dataset_converters/{command} ' in message
    assert 'MMCRACK_DATA (not set now)' in message


def test_missing_mask_folder_and_empty_folder(tmp_path):
    (tmp_path / 'images/train').mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match='no mask folder .*masks'):
        build(tmp_path)
    (tmp_path / 'masks/train').mkdir(parents=True)
    (tmp_path / 'images/train/readme.txt').touch()
    with pytest.raises(FileNotFoundError, match=(
            r'no image ending with .* in the folder .*images/train. '
            r'\(1 other files\): prepare the data with `python mine.py`')):
        build(tmp_path, prepare='python mine.py')


def test_split_list(root):
    (root / 'some.txt').write_text('# seed 0\nd\n\nb.jpg\n')
    assert stems(build(root, ann_file='some.txt')) == ['b', 'd']
    (root / 'some.txt').write_text('d\nzz\n')
    with pytest.raises(FileNotFoundError, match=(
            r'some\.txt. names zz \(1 of 2 lines\) without an image')):
        build(root, ann_file='some.txt')
    (root / 'some.txt').write_text('# nothing\n')
    with pytest.raises(FileNotFoundError, match='names nothing'):
        build(root, ann_file='some.txt')
    with pytest.raises(FileNotFoundError, match='no list ann_file=.*none.tx'):
        build(root, ann_file='none.txt')


def test_exclude(root):
    assert stems(build(root, exclude=('a', '[cd]'))) == ['b', 'e']
    assert stems(build(root, exclude='a*')) == list('bcde')
    (root / 'some.txt').write_text('a\nb\n')
    assert stems(build(root, exclude='a', ann_file='some.txt')) == ['b']
    with pytest.raises(ValueError, match=r"exclude=\('\*',\) leaves no image"):
        build(root, exclude='*')


def test_random_parts_are_disjoint_complete_and_the_same(tmp_path):
    for n in range(10):
        write_pair(tmp_path, f'p{n}')
    parts = [stems(build(tmp_path, part=(k, 4))) for k in (1, 2, 3, 4)]
    assert sorted(sum(parts, [])) == [f'p{n}' for n in range(10)]
    assert [len(part) for part in parts] == [3, 3, 2, 2]
    assert parts[0] == ['p0', 'p1', 'p2']  # the same on every machine
    with pytest.raises(ValueError, match=r'k between 1 and n, got \(5, 4\)'):
        build(tmp_path, part=(5, 4))
    with pytest.raises(ValueError, match='cannot give 10 images to part=.2'):
        build(tmp_path, part=(2, 11))


def test_leaks_are_left_out_of_the_test_part_only(tmp_path):
    leaks = ['11142-1', '11289-10', 'IMG_6536-3', '11216']
    for split in ('train', 'test'):
        for stem in ['11143-1', '112161', *leaks]:
            write_pair(tmp_path, stem, split)
    test = dict(img_path='images/test', seg_map_path='masks/test')
    part = build(tmp_path, DeepCrackDataset, data_prefix=test)
    assert stems(part) == ['11143-1', '112161']
    assert len(build(tmp_path, DeepCrackDataset)) == 6
    whole = build(tmp_path, DeepCrackDataset, data_prefix=test,
                  exclude_leaks=False)
    assert len(whole) == 6


@pytest.mark.parametrize(('options', 'message'), [
    (dict(reduce_zero_label=True), 'reduce_zero_label=True: leave it'),
    (dict(ignore_value=1), 'ignore_value must lie in 2'),
    (dict(lossy_masks=True, ignore_value=255), 'exclude each other'),
])
def test_bad_options(root, options, message):
    with pytest.raises(ValueError, match=message):
        build(root, **options)


@pytest.mark.parametrize('kind', [CrackDataset, DeepCrackDataset])
def test_typo_is_refused(root, kind):
    with pytest.raises(TypeError, match='ignore_valeu'):
        build(root, kind, ignore_valeu=255)


def test_mask_options_reach_the_loader(tmp_path):
    write_pair(tmp_path, 'a')
    labels = np.zeros((24, 32), np.uint8)
    labels[0], labels[1] = 1, 255
    Image.fromarray(labels).save(tmp_path / 'masks/train/a.png')
    with pytest.raises(ValueError, match=r'a\.png.*\{0, 1, 255\}'):
        build(tmp_path, pipeline=LOAD)[0]
    loaded = build(tmp_path, pipeline=LOAD, ignore_value=255)[0]['gt_seg_map']
    assert np.array_equal(loaded, labels)
    labels[:2] = 100
    Image.fromarray(labels).save(tmp_path / 'masks/train/a.png')
    lossy = build(tmp_path, pipeline=LOAD, lossy_masks=True)
    with pytest.raises(ValueError, match=r'a\.png. has 8\.3% of its pixels'):
        lossy[0]
    labels[:2] = 230
    Image.fromarray(labels).save(tmp_path / 'masks/train/a.png')
    loaded = build(tmp_path, pipeline=LOAD, lossy_masks=True)[0]['gt_seg_map']
    assert loaded.sum() == 64


def spoil(root, stem='c'):
    path = root / f'images/train/{stem}.jpg'
    path.write_bytes(path.read_bytes()[:-120])


@pytest.mark.parametrize('workers', [0, 2])
def test_corrupt_image_stops_training_with_its_name(root, workers):
    spoil(root)
    loader = DataLoader(
        build(root, pipeline=[*LOAD, PACK]), num_workers=workers,
        collate_fn=list)
    with pytest.raises(UnreadableImageError, match=r'train/c\.jpg'):
        list(loader)


@pytest.mark.parametrize('workers', [0, 2])
def test_corrupt_image_may_be_skipped_in_training(root, workers):
    spoil(root)
    loader = DataLoader(
        build(root, pipeline=[*LOAD, PACK], skip_unreadable=True),
        num_workers=workers, collate_fn=list)
    names = [Path(batch[0]['data_samples'].img_path).stem
             for batch in loader]
    assert len(names) == 5
    assert 'c' not in names


def test_skipping_warns_once_per_file(root, warned):
    spoil(root)
    (root / 'masks/train/d.png').write_bytes(b'')
    dataset = build(root, pipeline=LOAD, skip_unreadable=True)
    for _ in range(3):
        for index in range(5):
            assert Path(dataset[index]['img_path']).stem in 'abe'
    assert len(warned) == 2
    assert 'c.jpg' in warned[0]
    assert 'd.png' in warned[1]


def test_a_test_never_skips(root):
    spoil(root)
    dataset = build(
        root, pipeline=LOAD, skip_unreadable=True, test_mode=True)
    with pytest.raises(UnreadableImageError, match=r'train/c\.jpg'):
        dataset[2]


def test_a_wrong_mask_is_never_skipped(root):
    Image.fromarray(np.full((24, 32), 2, np.uint8)).save(
        root / 'masks/train/c.png')
    dataset = build(root, pipeline=LOAD, skip_unreadable=True)
    with pytest.raises(ValueError, match=r'c\.png.* holds \{2\}'):
        dataset[2]


def test_mask_of_another_size_names_both(root):
    Image.fromarray(np.zeros((32, 24), np.uint8)).save(
        root / 'masks/train/c.png')
    with pytest.raises(ValueError, match=(
            r'c\.png. is 24 x 32 .* image .*c\.jpg. is 32 x 24')):
        build(root, pipeline=LOAD)[2]


def test_one_class_of_two(root):
    dataset = build(root, pipeline=LOAD, metainfo=dict(classes=('crack', )))
    labels = dataset[0]['gt_seg_map']
    assert (labels == 0).sum() == 17
    assert (labels == 255).sum() == labels.size - 17


def config(name, repository):
    init_default_scope('mmseg')
    return Config.fromfile(
        repository / f'configs/_base_/datasets/{name}.py')


@pytest.mark.parametrize('name', CONFIGS)
def test_config_names_data_by_the_environment(name, repository, monkeypatch):
    monkeypatch.setenv('MMCRACK_DATA', '/some where/data')
    roots = [config(name, repository)[f'{part}_dataloader'].dataset.data_root
             for part in ('train', 'val', 'test')]
    assert all(r.startswith('/some where/data/') for r in roots)
    monkeypatch.delenv('MMCRACK_DATA')
    cfg = config(name, repository)
    assert cfg.train_dataloader.dataset.data_root.startswith('data/')
    monkeypatch.chdir(repository / 'tests')
    with pytest.raises(FileNotFoundError, match='tools/dataset_converters/'):
        DATASETS.build(cfg.train_dataloader.dataset)


@pytest.mark.parametrize('name', CONFIGS)
def test_config_loads_a_data_set_of_its_layout(name, repository, tmp_path,
                                               monkeypatch):
    monkeypatch.setenv('MMCRACK_DATA', str(tmp_path))
    folders = {
        'crack_hr': ('nha12d', 'hr_concrete'),
        'cracktree260': ('cracktree260', 'crkwh100'),
    }.get(name, (name, ))
    lists = repository / 'configs/_base_/datasets/splits'
    listed = {'deepcrack': [
        line for part in ('train', 'val')
        for line in (lists / f'deepcrack_{part}.txt').read_text().split('\n')
        if line and line[0] != '#']}.get(name, ['x'])
    for folder in folders:
        for split in ('train', 'val', 'test'):
            for stem in listed if split == 'train' else ['x']:
                write_pair(tmp_path / folder, stem, split, (24, 24))
    cfg = config(name, repository)
    crop = {'crack_hr': 512, 'nha12d': 512, 'mixed1200': 24,
            'masonry': 24}.get(name, 256)
    sizes = {'train': crop, 'val': 24, 'test': 24}
    for part, size in sizes.items():
        dataset = DATASETS.build(cfg[f'{part}_dataloader'].dataset)
        item = dataset[0]
        assert item['inputs'].shape == (3, size, size)
        assert dataset.test_mode is (part != 'train')
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    views = DATASETS.build(cfg.test_dataloader.dataset)[0]
    plain, across, down = views['inputs']
    assert np.array_equal(across.flip(-1), plain)
    assert np.array_equal(down.flip(-2), plain)
    assert [s.metainfo.get('flip_direction') for s in views['data_samples']
            ] == [None, 'horizontal', 'vertical']


def split_list(repository, part):
    path = repository / f'configs/_base_/datasets/splits/deepcrack_{part}.txt'
    return [s for s in path.read_text().split('\n') if s and s[0] != '#']


def test_deepcrack_lists_are_a_seeded_split_by_photograph(repository):
    train, val = (split_list(repository, p) for p in ('train', 'val'))
    assert (len(train), len(val)) == (263, 37)
    photographs = {photograph_of('deepcrack', s) for s in train + val}
    assert len(photographs) == 101
    assert {photograph_of('deepcrack', s) for s in val} == set(
        seeded_order(sorted(photographs), seed=0)[:10])
    assert not {photograph_of('deepcrack', s) for s in train} & {
        photograph_of('deepcrack', s) for s in val}


@pytest.mark.parametrize(('name', 'counts'), [
    ('cfd', (60, 12, 46)), ('deepcrack', (263, 37, 99)),
    ('crack_hr', (23, 8, 2))
])
def test_config_on_real_data(name, counts, repository):
    real_data({'crack_hr': 'nha12d'}.get(name, name))
    cfg = config(name, repository)
    for part, count in zip(('train', 'val', 'test'), counts, strict=True):
        dataset = DATASETS.build(cfg[f'{part}_dataloader'].dataset)
        assert len(dataset) == count
        assert dataset.unpaired == ((), ())
        if part != 'test':
            labels = dataset[1]['data_samples'].gt_sem_seg.data
            assert set(labels.unique().tolist()) <= {0, 1}


@pytest.mark.parametrize('name', ['crackseg5k', 'cracktree200', 'drive'])
def test_augmentation_of_cirl(name, repository):
    """CIRL 4.1: crops of 256, flips, turns by 90, 180, 270; batches of 2."""
    loader = config(name, repository).train_dataloader
    assert loader.batch_size == 2
    steps = [dict(step) for step in loader.dataset.pipeline[2:]
             if 'FieldOfView' not in step.type]
    assert steps == [
        dict(type='mmcrack.CrackCrop', crop_size=(256, 256), crack_prob=0.),
        dict(type='RandomFlip', prob=0.5, direction='horizontal'),
        # Each of the four directions with the same probability.
        dict(type='mmcrack.RandomRotate90', prob=0.75),
        dict(type='PackSegInputs'),
    ]
