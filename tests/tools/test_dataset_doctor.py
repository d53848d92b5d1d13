"""The command: exit status, files, and a sentence for each bad input."""

import importlib.util
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIG = """
default_scope = 'mmseg'
classes = dict(classes=('background', 'crack'),
               palette=[[0, 0, 0], [255, 255, 255]])
stock = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
ours = [dict(type='mmcrack.LoadCrackImage'),
        dict(type='TestTimeAug', transforms=[
            [dict(type='mmcrack.LoadCrackAnnotations')]])]
train_dataloader = dict(dataset=dict(
    type='RepeatDataset', times=2, dataset=dict(
        type='BaseSegDataset', data_root={root!r}, metainfo=classes,
        img_suffix='.png', seg_map_suffix='.png', pipeline=stock,
        data_prefix=dict(img_path='images/train',
                         seg_map_path='masks/train'))))
val_dataloader = dict(dataset=dict(
    type='mmcrack.CrackDataset', data_root={root!r}, pipeline=ours,
    data_prefix=dict(img_path='images/test', seg_map_path='masks/test'),
    {extra}))
test_dataloader = val_dataloader
"""


@pytest.fixture(scope='module')
def tool():
    path = REPOSITORY / 'tools' / 'dataset_doctor.py'
    spec = importlib.util.spec_from_file_location('dataset_doctor', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def data(tmp_path):
    """Three pairs with a dark line, masks of 0 and 255."""
    rng = np.random.default_rng(0)
    root = tmp_path / 'data'
    for number, split in enumerate(('train', 'train', 'test')):
        image = rng.integers(120, 200, (64, 80, 3)).astype(np.uint8)
        image = cv2.GaussianBlur(image, (0, 0), 1.5)
        mask = np.zeros((64, 80), np.uint8)
        cv2.line(mask, (10, 5 + 9 * number), (70, 50), 255, 3)
        image[mask > 0] = 20
        for kind, picture in (('images', image), ('masks', mask)):
            folder = root / kind / split
            folder.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / f'{number}.png'), picture)
    return root


def spoil(data):
    mask = cv2.imread(str(data / 'masks/train/0.png'), 0)
    cv2.imwrite(str(data / 'masks/train/0.png'), mask[:60])


def test_status_0_with_warnings_only(tool, data, tmp_path, capsys):
    out = tmp_path / 'report'
    assert tool.command([str(data), '--out', str(out)]) == 0
    said = capsys.readouterr().out
    assert 'WARNING 1: Masks hold 0 and 255' in said
    assert '0 grave, 1 warning, 0 notes' in said
    report = json.loads((out / 'report.json').read_text())
    assert report['grave'] is False
    finding, = report['findings']
    assert (finding['number'], finding['files']) == (
        1, ['test/2', 'train/0', 'train/1'])
    share = (cv2.imread(str(data / 'masks/test/2.png'), 0) > 0).mean()
    assert report['figures']['test']['crack_share']['median'] == (
        pytest.approx(share, abs=1e-6))
    page = (out / 'page.html').read_text()
    assert page.count('<img ') == 3
    assert not re.search(r'(src|href)="?http', page)
    assert '3 of 3 masks hold 0 and 255' in (out / 'report.md').read_text()


def test_status_1_and_the_mended_copy_is_clean(tool, data, tmp_path, capsys):
    spoil(data)
    fixed = tmp_path / 'fixed'
    assert tool.command([str(data), '--fix', str(fixed)]) == 1
    assert 'left out, image and mask differ in size: 1 (train/0)' in (
        capsys.readouterr().out)
    assert tool.command([str(fixed)]) == 0
    assert 'nothing found' in capsys.readouterr().out
    assert tool.command(
        [str(data), '--fix', str(fixed), '--overwrite']) == 1


def test_every_cure_names_a_command_that_exists():
    from mmcrack.datasets.doctor.findings import CHECKS
    assert [c.number for c in CHECKS.values()] == list(range(1, 18))
    for check in CHECKS.values():
        for path in re.findall(r'tools/\S+\.py', check.cure):
            assert (REPOSITORY / path).is_file()


def test_workers_change_nothing(tool, data, tmp_path):
    spoil(data)
    for workers in '12':
        assert tool.command([str(data), '--out', str(tmp_path / workers),
                             '--workers', workers]) == 1
    assert (tmp_path / '1/report.json').read_text() == (
        tmp_path / '2/report.json').read_text()


def test_two_folders(tool, data, capsys):
    for path in (data / 'masks').rglob('*.png'):
        path.rename(path.with_name(f'{path.stem}_mask.png'))
    assert tool.command(['--images', str(data / 'images'), '--masks',
                         str(data / 'masks'), '--mask-suffix',
                         '_mask.png']) == 0
    assert '3 of 3 masks hold 0 and 255' in capsys.readouterr().out


def write_config(data, tmp_path, extra=''):
    path = tmp_path / 'config.py'
    path.write_text(CONFIG.format(root=str(data), extra=extra))
    return str(path)


def test_config(tool, data, tmp_path, capsys):
    out = tmp_path / 'report'
    assert tool.command([write_config(data, tmp_path), '--out',
                         str(out)]) == 1
    report = json.loads((out / 'report.json').read_text())
    assert [(f['key'], f['severity'], f['files'])
            for f in report['findings']] == [
        ('zero_255', 'grave', ['train/0', 'train/1']),
        ('zero_255', 'note', ['val/2'])]
    assert 'LoadAnnotations' in capsys.readouterr().out


def test_config_whose_ignore_value_hides_the_crack(tool, data, tmp_path):
    out = tmp_path / 'report'
    config = write_config(data, tmp_path, 'ignore_value=255')
    assert tool.command([config, '--out', str(out)]) == 1
    report = json.loads((out / 'report.json').read_text())
    finding, = report['findings']
    assert (finding['severity'], finding['files']) == (
        'grave', ['train/0', 'train/1', 'val/2'])


@pytest.fixture
def refused(tool, capsys):
    """Runs a command that must fail; returns its one sentence."""

    def run(*arguments):
        assert tool.command([str(a) for a in arguments]) == 2
        said = capsys.readouterr()
        assert 'grave' not in said.out
        lines = [line for line in said.err.splitlines()
                 if line.startswith('dataset_doctor.py: error: ')]
        assert len(lines) == 1
        assert 'Traceback' not in said.err
        return lines[0].removeprefix('dataset_doctor.py: error: ')

    return run


def test_bad_paths(refused, data, tmp_path):
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'bare/images/train').mkdir(parents=True)
    (tmp_path / 'bare/masks/train').mkdir(parents=True)
    image = data / 'images/test/2.png'
    assert 'there is no data folder' in refused(tmp_path / 'nowhere')
    assert 'must be a folder, got a file' in refused(image)
    assert 'has no images and no masks' in refused(tmp_path / 'empty')
    assert 'holds no image' in refused(tmp_path / 'bare')
    assert 'there is no mask folder' in refused(
        '--images', data / 'images', '--masks', tmp_path / 'nowhere')
    assert 'has a mask of its name' in refused(
        '--images', data / 'images', '--masks', data / 'masks/test')
    (data / 'masks/train/0.bmp').write_bytes(b'')
    assert "have the stem 'train/0'" in refused(data)


def test_bad_options(refused, data, tmp_path):
    assert 'give either DATA' in refused()
    assert 'give either DATA' in refused('--images', data)
    assert 'give either DATA' in refused(data, '--images', data)
    assert 'go with --images' in refused(data, '--mask-suffix', '.png')
    assert '--cfg-options goes with' in refused(data, '--cfg-options', 'a=1')
    assert 'workers must be at least 1' in refused(data, '--workers', 0)
    for option in ('--fix', '--out'):
        assert 'must lie apart' in refused(data, option, data / 'inside')
        assert 'must be a folder, got a file' in refused(
            data, option, write_config(data, tmp_path))
    full = tmp_path / 'full'
    full.mkdir()
    (full / 'thesis.txt').write_text('x')
    assert 'must be new or empty' in refused(data, '--fix', full)


def test_bad_configs(refused, data, tmp_path):
    assert 'does not exist' in refused(tmp_path / 'nowhere.py')
    config = write_config(data, tmp_path, 'mask_sufix=1')
    assert "CrackDataset has no argument 'mask_sufix'" in refused(config)
    config = write_config(data, tmp_path)
    assert "no key 'val_dataloadr'" in refused(
        config, '--cfg-options', 'val_dataloadr.dataset.data_root=1')
    assert 'finds no image folder' in refused(
        config, '--cfg-options',
        f'val_dataloader.dataset.data_root={tmp_path}/nowhere')
    (tmp_path / 'none.py').write_text('model = dict()\n')
    assert 'names no data set' in refused(tmp_path / 'none.py')
