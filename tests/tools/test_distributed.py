"""Two processes with one image each do what one does with two images."""

import json
import os
import shutil
import socket
import subprocess
import sys

import pytest
import torch

pytestmark = pytest.mark.skipif(
    shutil.which('bash') is None, reason='the scripts need bash')


def free_port():
    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        return server.getsockname()[1]


def start(repository, script, *arguments):
    """Run a script of ``tools/`` in two processes."""
    environment = dict(
        os.environ, PYTHON=sys.executable, PORT=str(free_port()),
        OMP_NUM_THREADS='1', CUDA_VISIBLE_DEVICES='')
    done = subprocess.run(
        ['bash', str(repository / 'tools' / script), *map(str, arguments)],
        env=environment, capture_output=True, text=True, timeout=300,
        check=False)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.slow
def test_two_processes_get_the_figures_of_one(trained, repository, run,
                                              tmp_path):
    config, checkpoint, work_dir = trained
    start(repository, 'dist_train.sh', config, 2, '--work-dir',
          tmp_path / 'two', '--cfg-options', 'train_dataloader.batch_size=1')
    one, two = (torch.load(folder / 'epoch_2.pth', weights_only=False)
                for folder in (work_dir, tmp_path / 'two'))
    assert two['meta']['iter'] == one['meta']['iter'] == 8
    assert one['state_dict'].keys() == two['state_dict'].keys()
    for key, value in one['state_dict'].items():
        torch.testing.assert_close(two['state_dict'][key], value, rtol=1e-4,
                                   atol=1e-5)

    start(repository, 'dist_test.sh', config, checkpoint, 2, '--work-dir',
          tmp_path / 'test_two', '--show-dir', tmp_path / 'pictures',
          '--out', tmp_path / 'out')
    assert run('test', config, checkpoint, '--work-dir',
               tmp_path / 'test_one')[0] == 0
    figures = [json.loads(next(folder.glob('*/*.json')).read_text())
               for folder in (tmp_path / 'test_one', tmp_path / 'test_two')]
    names = ('aAcc', 'mIoU', 'mAcc')
    assert [figures[0][n] for n in names] == [figures[1][n] for n in names]
    for folder in ('pictures', 'out'):
        assert len(list((tmp_path / folder).glob('*.png'))) == 3


@pytest.fixture
def one_of_one(monkeypatch):
    """The environment of a launcher that started one process."""
    for name, value in dict(
            RANK=0, WORLD_SIZE=1, LOCAL_RANK=0, MASTER_ADDR='127.0.0.1',
            MASTER_PORT=free_port()).items():
        monkeypatch.setenv(name, str(value))
    yield
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


@pytest.mark.skipif(torch.cuda.is_available(), reason='SyncBN has its GPU')
@pytest.mark.parametrize('tail', [
    "sync_bn = 'torch'\n",
    "model['backbone']['norm_cfg'] = dict(type='SyncBN')\n",
], ids=['key', 'layers'])
def test_sync_bn_becomes_bn_without_a_gpu(write_config, run, one_of_one,
                                          tmp_path, monkeypatch, tail):
    """As stock configs of MMSegmentation ask for; torch would refuse."""
    tail = "norm_cfg.update(type='BN')\nnorm_cfg.pop('num_groups')\n" + tail
    said = []
    for module in ('launch', 'runner'):
        monkeypatch.setattr(
            f'mmcrack.engine.{module}.print_log',
            lambda message, **kwargs: said.append(message))
    assert run('train', write_config('sync', tail=tail), '--work-dir',
               tmp_path / 'sync', '--launcher', 'pytorch', '--cfg-options',
               'train_cfg.max_epochs=1')[0] == 0
    assert [m for m in said if 'SyncBN works on a GPU only' in m]
    state = torch.load(tmp_path / 'sync' / 'epoch_1.pth',
                       weights_only=False)['state_dict']
    counters = {int(v) for k, v in state.items()
                if k.endswith('num_batches_tracked')}
    assert counters == {4}


@pytest.mark.parametrize(('script', 'count'), [('dist_train.sh', 1),
                                               ('dist_test.sh', 2)])
def test_script_says_how_to_call_it(repository, script, count):
    done = subprocess.run(
        ['bash', str(repository / 'tools' / script), *['x'] * count],
        capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert 'usage:' in done.stderr
