"""A CBPRN trains and tests on images of any kind and size."""

import json

import cv2
import numpy as np
import pytest

from mmcrack.paths import config_path

CONFIG = """
_base_ = {base!r}
data_root = {root!r}
train_pipeline = [
    dict(type='mmcrack.LoadCrackImage'),
    dict(type='mmcrack.LoadCrackAnnotations'),
    dict(type='mmcrack.CrackCrop', crop_size=(64, 64), crack_prob=0.5),
    dict(type='PackSegInputs')]
train_dataloader = dict(
    batch_size=3, dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = None
val_cfg = None
val_evaluator = None
test_dataloader = dict(dataset=dict(data_root=data_root))
model = dict(data_preprocessor=dict(size=(64, 64)))
param_scheduler = None
default_hooks = dict(
    checkpoint=dict(interval=1, save_best=None),
    logger=dict(interval=1))
train_cfg = dict(_delete_=True, by_epoch=True, max_epochs=1)
"""
KINDS = ('grey', 'rgb', 'rgba', 'deep', 'deep_rgb')


def photographs(rng):
    """One picture in five encodings, a tiny one, one without crack."""
    grey = rng.integers(120, 200, (40, 52), dtype=np.uint8)
    mask = np.zeros((40, 52), np.uint8)
    cv2.line(mask, (0, 10), (51, 30), 1, 3)
    grey[mask > 0] = 30
    rgb = np.repeat(grey[..., None], 3, axis=2)
    alpha = rng.integers(0, 256, (40, 52, 1), dtype=np.uint8)
    pictures = dict(
        grey=grey, rgb=rgb, rgba=np.concatenate([rgb, alpha], axis=2),
        deep=grey.astype(np.uint16) * 256 + 7,
        deep_rgb=rgb.astype(np.uint16) * 256 + 200)
    masks = dict.fromkeys(pictures, mask)
    pictures['small'], masks['small'] = rgb[:20, :20], mask[:20, :20]
    pictures['plain'], masks['plain'] = rgb[::-1], np.zeros_like(mask)
    return pictures, masks


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    root = tmp_path_factory.mktemp('odd')
    pictures, masks = photographs(np.random.default_rng(0))
    for split in ('train', 'test'):
        for folder, content in (('images', pictures), ('masks', masks)):
            (root / folder / split).mkdir(parents=True)
            for name, array in content.items():
                cv2.imwrite(str(root / folder / split / f'{name}.png'), array)
    path = root / 'odd.py'
    path.write_text(CONFIG.format(
        base=config_path('demo/cbprn_demo'), root=str(root)))
    return path


def test_every_kind_trains_and_is_predicted_at_its_own_size(config, run,
                                                            tmp_path):
    work_dir = tmp_path / 'run'
    code, said = run('train', config, '--work-dir', work_dir)
    assert code == 0, said
    log = next(work_dir.glob('*/vis_data/scalars.json')).read_text()
    losses = [json.loads(line)['loss'] for line in log.splitlines()
              if '"loss"' in line]
    assert len(losses) == 3
    assert np.isfinite(losses).all()
    out, shown = tmp_path / 'out', tmp_path / 'shown'
    code, said = run('test', config, work_dir / 'epoch_1.pth', '--out', out,
                     '--show-dir', shown, '--work-dir', tmp_path / 'test')
    assert code == 0, said
    figures = json.loads(
        next((tmp_path / 'test').glob('*/*.json')).read_text())
    assert figures['crack/images'] == 7
    assert figures['crack/images_without_crack'] == 1
    found = {path.stem: cv2.imread(str(path), -1) for path in out.iterdir()}
    assert found['small'].shape == (20, 20)
    assert found['plain'].shape == (40, 52)
    # One picture is one picture, however it is stored.
    for kind in KINDS[1:]:
        np.testing.assert_array_equal(found[kind], found['grey'])
    drawn = {kind: cv2.imread(str(shown / f'{kind}.png')) for kind in KINDS}
    for kind in KINDS[1:]:
        np.testing.assert_array_equal(drawn[kind], drawn['grey'])
    # The last panel, the heat map, is not of one colour.
    heat = drawn['grey'][24:, -260:].reshape(-1, 3)
    assert len(np.unique(heat, axis=0)) > 10
