"""The README's section on mixing: its pieces run as they stand, and work."""

import copy
import re
from importlib.metadata import PackageNotFoundError, distribution

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import METRICS, DefaultScope, init_default_scope
from mmengine.runner import Runner
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample


@pytest.fixture
def pieces(repository):
    """The code of the section, in its order."""
    text = (repository / 'README.md').read_text(encoding='utf-8')
    section = text.split('\n## Mixing\n')[1].split('\n## ')[0]
    pieces = re.findall(r'^```python\n(.*?)^```', section, re.S | re.M)
    assert len(pieces) == 6
    return pieces


@pytest.fixture
def piece(pieces, tmp_path, monkeypatch):
    """Run the n-th piece of the section; return what it has defined."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)

    def run(number):
        names = {'__name__': 'piece'}
        exec(compile(pieces[number], f'README piece {number}', 'exec'), names)
        return names

    yield run
    init_default_scope('mmseg')


def batch(size, num=2):
    """Random photographs with one labelled crack each."""
    inputs, samples = [], []
    for _ in range(num):
        inputs.append(torch.randint(0, 256, (3, *size), dtype=torch.uint8))
        label = torch.zeros(1, *size, dtype=torch.long)
        label[:, 20:28] = 1
        sample = SegDataSample(metainfo=dict(img_shape=size, ori_shape=size))
        sample.gt_sem_seg = PixelData(data=label)
        samples.append(sample)
    return dict(inputs=inputs, data_samples=samples)


def train_once(model):
    """One step of training: the losses, and the step each weight made."""
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-3)
    log = model.train().train_step(batch((64, 64)), OptimWrapper(optimiser))
    moved = {n for n, p in model.named_parameters()
             if not torch.equal(p, before[n])}
    return log, moved, set(before)


def cracks(tmp_path):
    """Two pictures with masks; a data set of them without augmentation."""
    for folder in ('images', 'masks'):
        (tmp_path / 'data' / folder).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for index in range(2):
        image = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        mask = np.zeros((64, 64), np.uint8)
        cv2.line(mask, (0, 10 + 20 * index), (63, 40), 1, 5)
        name = f'{index}.png'
        cv2.imwrite(str(tmp_path / 'data' / 'images' / name), image)
        cv2.imwrite(str(tmp_path / 'data' / 'masks' / name), mask)
    return dict(
        type='BaseSegDataset',
        data_root='data',
        data_prefix=dict(img_path='images', seg_map_path='masks'),
        img_suffix='.png',
        seg_map_suffix='.png',
        metainfo=dict(classes=('background', 'crack')),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
            dict(type='PackSegInputs')
        ])


def on(cfg, dataset):
    """Let a config work with a tiny data set."""
    cfg.work_dir = 'work'
    for loader in (cfg.train_dataloader, cfg.val_dataloader,
                   cfg.test_dataloader):
        loader.update(num_workers=0, persistent_workers=False, batch_size=2)
        # ``update`` would merge it into the old one.
        loader.dataset = copy.deepcopy(dataset)
    cfg.val_dataloader.batch_size = cfg.test_dataloader.batch_size = 1


def wrapped_in_cirl(cfg, tmp_path):
    """Train a shrunk config over the switch: phases, losses, variance."""
    on(cfg, cracks(tmp_path))
    # Everything in the margin is ambiguous, so that CI has work.
    cfg.model.decode_head.update(variance_threshold=0.)
    cfg.model.data_preprocessor.size = (64, 64)
    cfg.train_cfg.update(max_iters=4, val_interval=4)
    cfg.custom_hooks[0].switch_at = 0.5
    cfg.val_evaluator = cfg.test_evaluator = dict(type='mmcrack.CrackMetric')
    cfg.default_hooks.logger.interval = 1
    runner = Runner.from_cfg(cfg)
    head, seen = runner.model.decode_head, []
    original = head.loss

    def loss(*args):
        losses = original(*args)
        seen.append((head.phase, {k for k in losses if 'loss' in k}))
        return losses

    head.loss = loss
    runner.train()
    assert seen == [(1, {'loss_aseg'})] * 2 + [
        (2, {'loss_ce', 'loss_ci', 'loss_std'})] * 2
    assert 0 <= runner.test()['crack/IoU'] <= 100
    return head


@pytest.mark.parametrize('way', ['path', 'mmseg::'])
def test_cirl_around_a_stock_config_file(way, pieces, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = {}
    for text in pieces[:2]:
        name = re.match(r'# (\w+\.py)\n', text).group(1)
        files[name] = tmp_path / name
        files[name].write_text(text)
    if way == 'mmseg::':
        try:
            distribution('mmsegmentation')
        except PackageNotFoundError:
            pytest.skip('only the original packages know this way')
        first = files['upernet_crack.py']
        first.write_text(re.sub(
            r'_base_ = .*?\)\n', "_base_ = 'mmseg::upernet/"
            "upernet_r50_4xb4-80k_ade20k-512x512.py'\n",
            first.read_text(), flags=re.S))
    cfg = Config.fromfile(files['cirl_upernet_crack.py'])
    assert cfg.custom_hooks[0].switch_at * 2 == cfg.train_cfg.max_iters
    norm = dict(type='BN')
    cfg.model.pretrained = None
    cfg.model.backbone.update(
        depth=18, base_channels=4, stem_channels=4, type='ResNet',
        norm_cfg=norm)
    cfg.model.decode_head.seg_head.update(
        in_channels=[4, 8, 16, 32], channels=8, norm_cfg=norm)
    cfg.model.auxiliary_head.update(
        in_channels=16, channels=4, norm_cfg=norm)
    head = wrapped_in_cirl(cfg, tmp_path)
    assert type(head.seg_head).__name__ == 'UPerHead'


def test_cirl_around_a_stock_config_in_python(piece, tmp_path):
    cfg = piece(2)['cfg']
    cfg.model.backbone.update(
        init_cfg=None, embed_dims=8, num_layers=[1, 1, 1, 1])
    cfg.model.decode_head.seg_head.update(
        in_channels=[8, 16, 40, 64], channels=8, norm_cfg=dict(type='BN'))
    head = wrapped_in_cirl(cfg, tmp_path)
    assert type(head.seg_head).__name__ == 'SegformerHead'


def test_our_metrics_in_a_stock_config(piece, tmp_path):
    cfg = piece(3)['cfg']
    assert cfg.model.backbone.type == 'UNet'
    cfg.merge_from_dict(dict(
        # The configured network, with fewer channels.
        model=dict(
            backbone=dict(base_channels=4, norm_cfg=dict(type='BN')),
            decode_head=dict(
                in_channels=4, channels=4, norm_cfg=dict(type='BN')),
            auxiliary_head=dict(
                in_channels=8, channels=4, norm_cfg=dict(type='BN')),
            data_preprocessor=dict(size=(64, 64))),
        train_cfg=dict(max_iters=2, val_interval=2)))
    on(cfg, cracks(tmp_path))
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.iter == 2
    metrics = runner.test()
    assert {'mIoU', 'crack/IoU', 'crack/mBA'} <= set(metrics)
    # mmseg's mIoU and ours are one figure, mmseg's rounded.
    assert metrics['crack/mIoU'] == pytest.approx(metrics['mIoU'], abs=6e-3)


def test_our_head_on_a_stock_backbone(piece):
    names = piece(4)
    model, logits = names['model'], names['logits']
    assert type(model.backbone).__module__.startswith('mmseg.')
    assert logits.shape == (1, 2, 128, 128)
    assert logits.isfinite().all()
    model.data_preprocessor.size = (64, 64)
    log, moved, every = train_once(model)
    assert {'decode.heat_loss_ce', 'decode.point_loss_ce'} <= set(log)
    assert 0.5 < float(log['decode.point_loss_ce'].detach()) < 1
    assert {n for n in every if 'point_mlp' in n} <= moved
    assert any(n.startswith('backbone') for n in moved)


def test_from_another_library_s_scope(piece):
    model = piece(5)['model']
    assert DefaultScope.get_current_instance().scope_name == 'mmpretrain'
    inner = type(model.backbone.backbone)
    assert inner.__module__.startswith('mmpretrain.')
    model.data_preprocessor.size = (64, 64)
    log, moved, every = train_once(model)
    assert {'decode.heat_loss_ce', 'decode.point_loss_ce'} <= set(log)
    assert {n for n in every if 'edge_encoder' in n} - moved == set()
    metric = METRICS.build(dict(type='mmcrack.CrackMetric'))
    metric.dataset_meta = dict(classes=('background', 'crack'))
    data = batch((64, 64))
    with torch.no_grad():
        results = model.eval().test_step(data)
    metric.process({}, [r.to_dict() for r in results])
    scores = metric.evaluate(2)
    guess = torch.stack([r.pred_sem_seg.data for r in results]) == 1
    truth = torch.stack([r.gt_sem_seg.data for r in results]) == 1
    iou = (guess & truth).sum() / (guess | truth).sum()
    assert scores['crack/IoU'] == pytest.approx(100 * float(iou), abs=1e-3)
