"""CIRL in two processes: through the switch, killed and resumed behind it.

Two processes with one image each average the gradients of two losses. That
is one process with two images only as far as each loss is a mean of equal
parts: Aseg is, over pixels of which none is ignored, and so is CI, the mean
over images. BCE in phase II is divided by the pixels that are left, in each
process by its own (``test_cirl_edge_cases.py`` states by how much it
differs): there two processes equal one that accumulates the gradients of two
batches of one image, not one with a batch of two. NNCLR draws at random and
normalises over the pixels of a process: it equals neither.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time

import pytest
import torch

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which('bash') is None, reason='the scripts need bash'),
]
TAIL = """
model['decode_head'] = dict(
    type='mmcrack.CIRLHead', seg_head=model['decode_head'], std_weight=.1,
    variance_threshold='q0.5',
    loss_ci=dict(type='mmcrack.CILoss', num_neighbors=4))
custom_hooks = [dict(type='mmcrack.TwoPhaseHook', switch_at=1)]
param_scheduler = []
train_cfg = dict(by_epoch=True, max_epochs=3)
val_dataloader = val_cfg = val_evaluator = None
default_hooks['checkpoint'] = dict(type='CheckpointHook', interval=1)
"""
NNCLR = """
model['decode_head']['loss_ci'] = dict(
    type='mmcrack.PixelNNCLRLoss', queue_size=64, max_pixels=32)
"""
FROZEN = 'model.decode_head.std_source=frozen'
SMALL = 'train_dataloader.batch_size=1'


def start(repository, config, work_dir, *options, resume=()):
    """Start ``tools/dist_train.sh`` with two processes."""
    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        port = server.getsockname()[1]
    environment = dict(
        os.environ, PYTHON=sys.executable, PORT=str(port),
        OMP_NUM_THREADS='1', CUDA_VISIBLE_DEVICES='')
    return subprocess.Popen(
        ['bash', str(repository / 'tools' / 'dist_train.sh'), config, '2',
         '--work-dir', str(work_dir), *resume, '--cfg-options', SMALL,
         *options],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True)


def finish(process):
    said = process.communicate(timeout=300)[1]
    assert process.returncode == 0, said[-3000:]


def weights(work_dir, epoch):
    return torch.load(
        work_dir / f'epoch_{epoch}.pth', weights_only=False)['state_dict']


def scalars(work_dir):
    """Logged figures of the training iterations."""
    path = next(work_dir.glob('*/vis_data/scalars.json'))
    return [json.loads(line) for line in path.read_text().splitlines()]


def assert_equal_weights(one, two):
    assert one.keys() == two.keys()
    for key, value in one.items():
        torch.testing.assert_close(
            two[key], value, rtol=1e-4, atol=1e-5, msg=lambda text, key=key:
            f'{key}: {text}')


@pytest.fixture
def config(write_config):
    return write_config('cirl', tail=TAIL)


@pytest.fixture
def alone(run, config, tmp_path):
    """Train in this process; returns the folder."""

    def train(name, *options):
        work_dir = tmp_path / name
        code, said = run('train', config, '--work-dir', work_dir,
                         '--cfg-options', *options)
        assert code == 0, said
        return work_dir

    return train


def test_two_processes_are_one_that_accumulates(config, alone, repository,
                                                tmp_path):
    two = tmp_path / 'two'
    finish(start(repository, config, two))
    accumulated = alone('one', SMALL, 'optim_wrapper.accumulative_counts=2')
    doubled = alone('doubled', 'train_dataloader.batch_size=2',
                    'train_cfg.max_epochs=1')
    for epoch in (1, 3):
        assert_equal_weights(
            weights(accumulated, epoch), weights(two, epoch))
    assert_equal_weights(weights(doubled, 1), weights(two, 1))
    logs = scalars(two)
    assert [('decode.loss_aseg' in x, 'decode.loss_ci' in x)
            for x in logs] == [(True, False)] * 4 + [(False, True)] * 8
    # 'q0.5' leaves half of the margin.
    assert all(45 < x['decode.ambiguous_share'] < 51 for x in logs)


def test_frozen_killed_in_phase_two_and_resumed(config, alone, repository,
                                                tmp_path):
    killed, resumed = tmp_path / 'killed', tmp_path / 'resumed'
    process = start(
        repository, config, killed, FROZEN, 'train_cfg.max_epochs=500')
    end = time.monotonic() + 300
    while not (killed / 'epoch_2.pth').exists():
        assert process.poll() is None, process.communicate()[1][-3000:]
        assert time.monotonic() < end
        time.sleep(.1)
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert not (killed / 'epoch_500.pth').exists()
    finish(start(repository, config, resumed, FROZEN,
                 resume=('--resume', str(killed / 'epoch_2.pth'))))
    whole = alone('one', SMALL, FROZEN, 'optim_wrapper.accumulative_counts=2')
    for epoch, folder in ((1, killed), (2, killed), (3, resumed)):
        assert_equal_weights(weights(whole, epoch), weights(folder, epoch))
    # The copy is that of the switch, before and after.
    for folder, epoch in ((killed, 2), (resumed, 3)):
        kept = torch.load(folder / f'epoch_{epoch}.pth', weights_only=False)
        assert_equal_weights(weights(whole, 1), kept['mmcrack_frozen'])
    logs = scalars(resumed)
    assert len(logs) == 4
    assert all('decode.loss_ci' in x for x in logs)


def test_nnclr_trains_its_own_layers_in_phase_two(write_config, repository,
                                                  tmp_path):
    two = tmp_path / 'two'
    finish(start(repository, write_config('nnclr', tail=TAIL + NNCLR), two))
    first, last = weights(two, 1), weights(two, 3)
    own = [k for k in last if '.loss_ci.' in k and k.endswith('.weight')]
    assert len(own) == 6
    for key in own:
        assert torch.isfinite(last[key]).all()
        assert not torch.equal(first[key], last[key])
    # 8 iterations of 32 pixels each have filled the queue of 64.
    assert first['decode_head.loss_ci.filled'] == 0
    assert last['decode_head.loss_ci.filled'] == 64
    logs = scalars(two)
    assert [('decode.loss_aseg' in x, 'decode.loss_nnclr' in x)
            for x in logs] == [(True, False)] * 4 + [(False, True)] * 8
    assert all(x['decode.loss_nnclr'] > 0 for x in logs[4:])
