"""Sets of synthetic pictures on disk: files, manifest, reuse, refusal."""

import hashlib
import json

import cv2
import numpy as np
import pytest
from mmengine.registry import init_default_scope

from mmcrack.datasets import CrackDataset
from mmcrack.datasets.synthetic import (
    SceneStyle,
    generate_scene,
    read_truth,
    scene_seed,
    write_dataset,
)

SIZE = (48, 64)
SPLITS = {'train': 3, 'val': 0, 'test': 2}
ASKED = dict(splits=SPLITS, size=SIZE, seed=4, progress=False)


@pytest.fixture(scope='module')
def written(tmp_path_factory):
    """A small set and its manifest."""
    folder = tmp_path_factory.mktemp('synthetic') / 'set'
    return folder, write_dataset(folder, **ASKED)


def content(folder):
    """Every file's path and bytes."""
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob('*')) if path.is_file()}


def test_files_and_manifest_agree(written):
    folder, manifest = written
    assert json.loads((folder / 'manifest.json').read_text()) == manifest
    assert manifest['complete'] is True
    stems = [(f['split'], f['stem']) for f in manifest['files']]
    assert stems == [('train', 'train_00000'), ('train', 'train_00001'),
                     ('train', 'train_00002'), ('test', 'test_00000'),
                     ('test', 'test_00001')]
    expected = {'manifest.json'}
    for record in manifest['files']:
        expected |= {record['image'], record['mask'], record['truth']}
        for key in ('image', 'mask'):
            data = (folder / record[key]).read_bytes()
            assert hashlib.sha256(data).hexdigest() == record[f'{key}_sha256']
        mask = cv2.imread(str(folder / record['mask']), -1)
        assert mask.shape == SIZE
        assert mask.dtype == np.uint8
        assert set(np.unique(mask)) <= {0, 1}
        assert record['crack_share'] == pytest.approx(mask.mean())
        assert len(read_truth(folder / record['truth'])) == record['cracks']
    assert set(content(folder)) == expected
    assert len({f['seed'] for f in manifest['files']}) == 5


def test_pictures_are_those_of_the_scene(tmp_path):
    style = SceneStyle(jpeg_quality=None)
    manifest = write_dataset(
        tmp_path / 'set', splits={'test': 2}, size=SIZE, seed=1, style=style,
        image_format='png', progress=False)
    for index, record in enumerate(manifest['files']):
        scene = generate_scene(scene_seed(1, 'test', index), SIZE,
                               style=style)
        image = cv2.imread(str(tmp_path / 'set' / record['image']))
        assert np.array_equal(image[..., ::-1], scene.image)
        truth = read_truth(tmp_path / 'set' / record['truth'])
        for read, drawn in zip(truth, scene.cracks, strict=True):
            assert abs(read.points - drawn.points).max() <= 5.1e-7
            assert abs(read.widths - drawn.widths).max() <= 5.1e-7
            assert (read.length, read.parent) == (drawn.length, drawn.parent)


def test_a_second_encoding_as_jpeg_changes_little(written):
    folder, manifest = written
    for index, record in enumerate(manifest['files'][:3]):
        scene = generate_scene(scene_seed(4, 'train', index), SIZE)
        assert record['jpeg_quality'] == scene.jpeg_quality
        image = cv2.imread(str(folder / record['image']))[..., ::-1]
        assert abs(image.astype(int) - scene.image).mean() < 0.5


def test_processes_do_not_change_the_files(written, tmp_path):
    folder, _ = written
    write_dataset(tmp_path / 'set', workers=2, **ASKED)
    assert content(tmp_path / 'set') == content(folder)


def test_an_interrupted_set_is_completed(written, tmp_path, monkeypatch):
    import mmcrack.datasets.synthetic_writer as module
    folder, _ = written
    painted = []

    def paint(seed, size, *, style):
        if len(painted) == 2:
            raise KeyboardInterrupt
        painted.append(seed)
        return generate_scene(seed, size, style=style)

    monkeypatch.setattr(module, 'generate_scene', paint)
    with pytest.raises(KeyboardInterrupt):
        write_dataset(tmp_path / 'set', **ASKED)
    manifest = json.loads((tmp_path / 'set' / 'manifest.json').read_text())
    assert manifest['complete'] is False
    painted = painted[2:]
    monkeypatch.setattr(module, 'generate_scene', lambda *a, **k: (
        painted.append(a) or generate_scene(*a, **k)))
    write_dataset(tmp_path / 'set', **ASKED)
    assert len(painted) == 3
    assert content(tmp_path / 'set') == content(folder)


def test_a_complete_set_is_reused(written, monkeypatch):
    import mmcrack.datasets.synthetic_writer as module
    folder, manifest = written
    monkeypatch.setattr(module, 'generate_scene', None)
    assert write_dataset(folder, **ASKED) == manifest


def test_overwriting_deletes_only_what_it_wrote(tmp_path):
    folder = tmp_path / 'set'
    write_dataset(folder, **ASKED)
    (folder / 'notes.txt').write_text('mine')
    other = ASKED | {'splits': {'test': 1}}
    with pytest.raises(FileExistsError, match='made with other options'):
        write_dataset(folder, **other)
    write_dataset(folder, overwrite=True, **other)
    assert sorted(content(folder)) == [
        'images/test/test_00000.jpg', 'manifest.json',
        'masks/test/test_00000.png', 'notes.txt',
        'truth/test/test_00000.json']


def test_the_layout_loads_as_a_crack_dataset(written):
    folder, manifest = written
    init_default_scope('mmseg')
    dataset = CrackDataset(
        data_root=str(folder),
        data_prefix=dict(img_path='images/train',
                         seg_map_path='masks/train'),
        pipeline=[dict(type='mmcrack.LoadCrackImage'),
                  dict(type='mmcrack.LoadCrackAnnotations')])
    assert len(dataset) == 3
    for sample, record in zip(dataset, manifest['files'], strict=False):
        mask = cv2.imread(str(folder / record['mask']), -1)
        image = cv2.imread(str(folder / record['image']))
        assert np.array_equal(sample['gt_seg_map'], mask)
        assert np.array_equal(sample['img'], image)


@pytest.mark.parametrize(('change', 'error', 'words'), [
    ({'splits': {}}, ValueError, 'splits must be a dict of at least one'),
    ({'splits': {'a/b': 1}}, ValueError, 'splits must be named by letters'),
    ({'splits': {'a': 1.0}}, TypeError, 'must be a whole number, got 1.0'),
    ({'splits': {'a': -2}}, ValueError, 'must be at least 0, got -2'),
    ({'splits': {'a': 0}}, ValueError, 'at least one picture'),
    ({'workers': 0}, ValueError, 'workers must be at least 1, got 0'),
    ({'image_format': 'bmp'}, ValueError, 'image_format must be one of'),
])
def test_bad_options_are_named_before_anything_is_written(
        tmp_path, change, error, words):
    with pytest.raises(error) as caught:
        write_dataset(tmp_path / 'set', **(ASKED | change))
    assert words in str(caught.value)
    assert not (tmp_path / 'set').exists()


def test_truth_files_that_are_none_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='a.json does not exist'):
        read_truth(tmp_path / 'a.json')
    for text in ('{', '[]', '{"cracks": [1]}'):
        (tmp_path / 'b.json').write_text(text)
        with pytest.raises(ValueError, match=r'b\.json is no truth file'):
            read_truth(tmp_path / 'b.json')
