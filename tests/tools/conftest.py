"""A tiny data set, a tiny stock network, and the commands as functions."""

import importlib.util
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIG = """
default_scope = 'mmseg'
data_root = {root!r}
crop = dict(type='Resize', scale=(64, 48), keep_ratio=False)
load = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
train_pipeline = load + [dict(type='PackSegInputs')]
test_pipeline = [load[0], crop, load[1], dict(type='PackSegInputs')]
classes = dict(classes=('background', 'crack'),
               palette=[[0, 0, 0], [255, 255, 255]])
train_dataloader = dict(
    batch_size=2, num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='BaseSegDataset', data_root=data_root,
                 metainfo=classes, img_suffix='.png', seg_map_suffix='.png',
                 data_prefix=dict(img_path='images/train',
                                  seg_map_path='masks/train'),
                 pipeline=train_pipeline))
test_dataloader = dict(
    batch_size=1, num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='BaseSegDataset', data_root=data_root,
                 metainfo=classes, img_suffix='.png', seg_map_suffix='.png',
                 data_prefix=dict(img_path='images/test',
                                  seg_map_path='masks/test'),
                 pipeline=test_pipeline))
val_dataloader = test_dataloader
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
norm_cfg = dict(type='GN', num_groups=2)
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(type='SegDataPreProcessor', bgr_to_rgb=True,
                           mean=[128, 128, 128], std=[64, 64, 64],
                           pad_val=0, seg_pad_val=255, size=(48, 64)),
    backbone=dict(type='UNet', base_channels=4, num_stages=2,
                  strides=(1, 1), enc_num_convs=(1, 1), dec_num_convs=(1, ),
                  downsamples=(True, ), enc_dilations=(1, 1),
                  dec_dilations=(1, ), norm_cfg=norm_cfg),
    decode_head=dict(type='FCNHead', in_channels=4, in_index=1, channels=4,
                     num_convs=1, concat_input=False, dropout_ratio=0.,
                     num_classes=2, norm_cfg=norm_cfg),
    train_cfg=dict(), test_cfg=dict(mode='whole'))
optim_wrapper = dict(type='OptimWrapper',
                     optimizer=dict(type='SGD', lr=0.05, momentum=0.9))
param_scheduler = [dict(type='PolyLR', power=0.9, by_epoch=True, begin=0,
                        end=4)]
train_cfg = dict(by_epoch=True, max_epochs=2, val_interval=1)
val_cfg = dict()
test_cfg = dict()
randomness = dict(seed=0)
default_hooks = dict(
    logger=dict(type='LoggerHook', interval=1),
    checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=3,
                    save_best='mIoU'),
    visualization=dict(type='mmcrack.CrackVisualizationHook'))
env_cfg = dict(mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
               dist_cfg=dict(backend='nccl'))
visualizer = dict(type='SegLocalVisualizer', name='visualizer',
                  vis_backends=[dict(type='LocalVisBackend')])
{tail}
"""


@pytest.fixture(scope='session')
def tiny_data(tmp_path_factory):
    """Eight training and three test images of 48 x 64 with a dark line."""
    root = tmp_path_factory.mktemp('tiny')
    rng = np.random.default_rng(0)
    for split, count in (('train', 8), ('test', 3)):
        for folder in ('images', 'masks'):
            (root / folder / split).mkdir(parents=True)
        for index in range(count):
            image = rng.integers(150, 200, (48, 64, 3), dtype=np.uint8)
            mask = np.zeros((48, 64), np.uint8)
            ends = rng.integers(0, 48, 2)
            cv2.line(mask, (0, int(ends[0])), (63, int(ends[1])), 1, 3)
            image[mask > 0] //= 4
            name = f'{split}_{index}.png'
            cv2.imwrite(str(root / 'images' / split / name), image)
            cv2.imwrite(str(root / 'masks' / split / name), mask)
    return root


@pytest.fixture
def write_config(tiny_data, tmp_path):
    """Write the tiny config; ``tail`` is added at its end."""

    def write(name, *, tail='', root=None):
        path = tmp_path / f'{name}.py'
        path.write_text(CONFIG.format(root=str(root or tiny_data), tail=tail))
        return str(path)

    return write


@pytest.fixture(scope='session')
def trained(tiny_data, tool, tmp_path_factory):
    """Config, last checkpoint and folder of a tiny training."""
    folder = tmp_path_factory.mktemp('trained')
    config = folder / 'trained.py'
    config.write_text(CONFIG.format(root=str(tiny_data), tail=''))
    forget_runs()
    tool('train').main([str(config), '--work-dir', str(folder / 'run')])
    return str(config), folder / 'run' / 'epoch_2.pth', folder / 'run'


@pytest.fixture
def vary(trained, tmp_path):
    """Write the trained config with something added."""

    def write(name, text):
        path = tmp_path / f'{name}.py'
        path.write_text(open(trained[0]).read() + text)
        return str(path)

    return write


@pytest.fixture(scope='session')
def tool():
    """Return a command of ``tools/`` as a module."""

    def load(name):
        path = REPOSITORY / 'tools' / f'{name}.py'
        title = f'mmcrack_tool_{path.stem}'
        spec = importlib.util.spec_from_file_location(title, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[title] = module
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def timing_tool(tool, monkeypatch):
    """Return a command of ``tools/benchmark``, which changes settings."""
    import torch
    monkeypatch.setattr(sys, 'path', list(sys.path))
    monkeypatch.setattr(torch.backends.cudnn, 'benchmark', False)
    return lambda name: tool(f'benchmark/{name}')


def forget_runs():
    """Drop what MMEngine keeps for a whole process: log, scalars, pictures.

    Two runs that start in one second share a name, and the logger of the
    first writes to a stream that has been closed since.
    """
    from mmengine.logging import MessageHub, MMLogger
    from mmseg.visualization import SegLocalVisualizer
    for kept in (MessageHub, MMLogger, SegLocalVisualizer):
        kept._instance_dict.clear()


@pytest.fixture
def run(tool, capsys):
    """Run a command in this process: (exit code, what it said on stderr)."""
    from mmcrack.engine.sentences import run_tool

    def call(name, *arguments):
        forget_runs()
        main = tool(name).main
        code = run_tool(lambda: main([str(a) for a in arguments]),
                        f'{name}.py')
        said = capsys.readouterr().err
        print(said)
        return code, said

    return call
