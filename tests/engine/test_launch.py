"""What the commands make of a config and of their options."""

import argparse
import importlib.util
import os

import pytest
import torch
from mmengine.config import Config

from mmcrack.engine import launch
from mmcrack.engine.runner import CrackRunner


@pytest.fixture
def said(monkeypatch):
    """Lines that the commands log, with their level."""
    lines = []
    monkeypatch.setattr(
        launch, 'print_log',
        lambda text, logger=None, level=20: lines.append((level, text)))
    return lines


@pytest.fixture(params=[False, True], ids=['cpu', 'gpu'])
def cuda(request, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: request.param)
    return request.param


@pytest.fixture
def no_cuda(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)


@pytest.fixture
def config(tmp_path):
    def write(text='work_dir = None\n'):
        path = tmp_path / 'a.py'
        path.write_text(text)
        return str(path)

    return write


def options_of(*words):
    parser = argparse.ArgumentParser()
    launch.add_common_arguments(parser)
    return parser.parse_args(words)


def test_options_are_those_of_openmmlab():
    args = options_of('--cfg-options', 'a.b=1', 'c=[1,(2,x)]', 'd=1,2',
                      'e=True', '--launcher', 'slurm', '--local-rank', '3')
    assert args.cfg_options == {
        'a.b': 1, 'c': [1, (2, 'x')], 'd': [1, 2], 'e': True}
    assert (args.launcher, args.local_rank, args.work_dir) == (
        'slurm', 3, None)


def test_a_word_that_is_no_pair_is_named(capsys):
    with pytest.raises(SystemExit):
        options_of('--cfg-options', 'a=1', 'lr')
    assert "--cfg-options takes KEY=VALUE, got 'lr'" in \
        capsys.readouterr().err


def test_options_change_the_config(config):
    path = config('model = dict(a=1, parts=[dict(b=2), dict(b=3)])\n')
    cfg = launch.load_config(path, {
        'model.a': 5, 'model.parts.1.b': 7, 'randomness.seed': 4})
    assert cfg.model == dict(a=5, parts=[dict(b=2), dict(b=7)])
    assert cfg.randomness == dict(seed=4)


@pytest.mark.parametrize(('work_dir', 'option', 'wanted'), [
    ('given', 'chosen', 'chosen'), ('given', None, 'given'),
    (None, None, './work_dirs/my_net')])
def test_working_folder(work_dir, option, wanted):
    cfg = Config(dict(work_dir=work_dir))
    launch.set_work_dir(cfg, 'configs/x/my_net.py', option)
    assert cfg.work_dir == wanted


@pytest.mark.parametrize(('more', 'options', 'wanted'), [
    ({}, {}, ['LocalVisBackend', 'TensorboardVisBackend']),
    ({}, {'tensorboard': False}, ['LocalVisBackend']),
    ({}, {'visualizer.vis_backends': []}, ['LocalVisBackend']),
    (dict(vis_backends=[dict(type='TensorboardVisBackend')]), {},
     ['TensorboardVisBackend'])])
def test_tensorboard_is_added_where_it_is_installed(monkeypatch, more,
                                                    options, wanted):
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: True)
    backends = [dict(type='LocalVisBackend')]
    cfg = Config(dict(visualizer=dict(vis_backends=backends) | more))
    cfg.merge_from_dict({k: v for k, v in options.items()
                         if k == 'tensorboard'})
    launch.enable_tensorboard(cfg, options)
    assert [b.type for b in cfg.visualizer.vis_backends] == wanted


def test_without_tensorboard_nothing_is_added(monkeypatch):
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    cfg = Config(dict(visualizer=dict(vis_backends=[])))
    launch.enable_tensorboard(cfg)
    assert cfg.visualizer.vis_backends == []
    launch.enable_tensorboard(Config(dict(visualizer=None)))


@pytest.mark.parametrize('kind', [None, 'OptimWrapper', 'AmpOptimWrapper'])
def test_amp_on_either_machine(cuda, said, kind):
    wrapper = dict(optimizer=dict(type='SGD'), loss_scale=512.,
                   clip_grad=dict(max_norm=1))
    cfg = Config(dict(optim_wrapper=wrapper | (
        dict(type=kind) if kind else {})))
    launch.enable_amp(cfg)
    if cuda:
        assert cfg.optim_wrapper.type == 'AmpOptimWrapper'
        assert cfg.optim_wrapper.loss_scale == 512.
    else:
        # bfloat16 has float32's range: nothing to scale.
        assert cfg.optim_wrapper.type == 'mmcrack.CPUAmpOptimWrapper'
        assert 'loss_scale' not in cfg.optim_wrapper
    assert cfg.optim_wrapper.clip_grad == dict(max_norm=1)
    already = cuda and kind == 'AmpOptimWrapper'
    assert [level for level, _ in said] == [30] * already


def test_amp_scales_the_loss_on_a_gpu_by_itself(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    cfg = Config(dict(optim_wrapper=dict(optimizer=dict(type='SGD'))))
    launch.enable_amp(cfg)
    assert cfg.optim_wrapper.loss_scale == 'dynamic'


def test_amp_without_an_optimiser():
    with pytest.raises(ValueError, match='--amp needs an optim_wrapper'):
        launch.enable_amp(Config(dict(model=1)))


LAUNCHERS = {
    'pytorch': dict(RANK=3, WORLD_SIZE=8, LOCAL_RANK=1),
    'slurm': dict(SLURM_PROCID=3, SLURM_NTASKS=8, SLURM_LOCALID=1),
    'mpi': dict(OMPI_COMM_WORLD_RANK=3, OMPI_COMM_WORLD_SIZE=8,
                OMPI_COMM_WORLD_LOCAL_RANK=1),
}


@pytest.fixture
def launched(monkeypatch):
    """Set a launcher's variables; records what torch is asked for."""
    asked = []
    for names in LAUNCHERS.values():
        for name in (*names, 'MASTER_ADDR', 'MASTER_PORT'):
            # Set and delete, so that the test's own settings are undone.
            monkeypatch.setenv(name, '')
            monkeypatch.delenv(name)
    monkeypatch.setattr(
        torch.distributed, 'init_process_group',
        lambda backend: asked.append(
            (backend, *(os.environ[n] for n in (
                'RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR')))))

    def start(launcher):
        for name, value in LAUNCHERS[launcher].items():
            monkeypatch.setenv(name, str(value))
        return asked

    return start


@pytest.mark.parametrize('launcher', LAUNCHERS)
def test_each_launcher_without_a_gpu(launched, no_cuda, launcher, said):
    asked = launched(launcher)
    cfg = Config(dict(sync_bn='torch', env_cfg=dict(
        cudnn_benchmark=True, dist_cfg=dict(backend='nccl'))))
    launch.prepare_launcher(cfg, launcher)
    assert asked == [('gloo', '3', '8', '1', '127.0.0.1')]
    assert cfg.env_cfg.dist_cfg.backend == 'gloo'
    assert cfg.env_cfg.cudnn_benchmark
    assert cfg.launcher == launcher
    assert cfg.model_wrapper_cfg == dict(
        type='MMDistributedDataParallel', broadcast_buffers=False,
        find_unused_parameters=False, device_ids=None)
    assert cfg.sync_bn is None
    assert len(said) == 1
    assert 'sync_bn is left out' in said[0][1]


def test_own_wrapper_and_unused_parameters_are_kept(launched, no_cuda):
    launched('pytorch')
    cfg = Config(dict(find_unused_parameters=True))
    launch.prepare_launcher(cfg, 'pytorch')
    assert cfg.model_wrapper_cfg.find_unused_parameters
    cfg = Config(dict(model_wrapper_cfg=dict(
        type='MMDistributedDataParallel', static_graph=True)))
    launch.prepare_launcher(cfg, 'pytorch')
    assert cfg.model_wrapper_cfg == dict(
        type='MMDistributedDataParallel', static_graph=True, device_ids=None)


def test_with_a_gpu_everything_is_left_to_mmengine(launched, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    asked = launched('pytorch')
    cfg = Config(dict(sync_bn='torch'))
    launch.prepare_launcher(cfg, 'pytorch')
    assert asked == []
    assert cfg.to_dict() == dict(sync_bn='torch', launcher='pytorch')


@pytest.mark.parametrize(('launcher', 'words'), [
    ('slurm', 'needs srun'), ('mpi', 'needs mpirun')])
def test_a_launcher_that_did_not_start_us(launched, launcher, words):
    with pytest.raises(ValueError, match=words):
        launch.prepare_launcher(Config({}), launcher)


def test_one_process_changes_nothing_else(launched):
    cfg = Config(dict(sync_bn='torch'))
    launch.prepare_launcher(cfg, 'none', 2)
    assert cfg.to_dict() == dict(sync_bn='torch', launcher='none')
    assert os.environ['LOCAL_RANK'] == '2'


def checkpoint(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(dict(meta={}, state_dict={'a': torch.ones(1)}, optimizer={}),
               path)
    return str(path)


def start(tmp_path, resume=None, options=None, **cfg):
    cfg = Config(dict(work_dir=str(tmp_path / 'run'), **cfg))
    cfg.merge_from_dict(options or {})
    mode = launch.prepare_start(cfg, resume, options)
    return mode, cfg.get('load_from'), cfg.resume


def test_where_a_run_starts(tmp_path, said):
    own = checkpoint(tmp_path / 'run' / 'epoch_3.pth')
    named = checkpoint(tmp_path / 'named.pth')
    assert start(tmp_path) == ('partial', None, False)
    # A config's own `resume` never acts without the option.
    assert start(tmp_path, resume='auto') == ('complete', None, True)
    pointer = tmp_path / 'run' / 'last_checkpoint'
    assert pointer.read_text() == own
    assert start(tmp_path, named) == ('complete', named, True)
    assert start(tmp_path, 'auto', dict(load_from=named)) == (
        'complete', named, True)
    assert start(tmp_path, None, dict(resume=True)) == (
        'complete', None, True)
    assert start(tmp_path, load_from=named) == ('partial', named, False)
    assert not said


def test_nothing_to_resume_starts_anew_with_a_warning(tmp_path, said):
    named = checkpoint(tmp_path / 'named.pth')
    assert start(tmp_path, 'auto', load_from=named) == (
        'partial', named, False)
    assert [level for level, _ in said] == [30]
    assert 'Nothing to resume' in said[0][1]


def test_a_damaged_newest_checkpoint_is_said(tmp_path, said):
    good = checkpoint(tmp_path / 'run' / 'epoch_3.pth')
    os.utime(good, (1, 1))
    (tmp_path / 'run' / 'epoch_4.pth').write_bytes(b'PK')
    assert start(tmp_path, 'auto') == ('complete', None, True)
    assert len(said) == 1
    assert said[0][1].endswith('Resuming from epoch_3.pth instead.')


def test_the_newest_match_of_the_first_stage(tmp_path, said):
    for age, name in enumerate(('best_9', 'best_10', 'epoch_99')):
        path = checkpoint(tmp_path / 'first' / f'{name}.pth')
        os.utime(path, (1000 + age, 1000 + age))
    stage = dict(checkpoint=str(tmp_path / 'first' / 'best_*.pth'))
    newest = str(tmp_path / 'first' / 'best_10.pth')
    assert start(tmp_path, first_stage=stage) == ('partial', newest, False)
    # What is named wins.
    named = checkpoint(tmp_path / 'named.pth')
    assert start(tmp_path, first_stage=stage, load_from=named) == (
        'partial', named, False)
    assert said == [(20, f'Fine-tuning starts from {newest}.')]


def test_addresses_are_not_looked_for_on_the_disk(tmp_path):
    address = 'https://example.org/a.pth'
    assert start(tmp_path, load_from=address)[1] == address
    with pytest.raises(FileNotFoundError, match="'no.pth' of --resume"):
        start(tmp_path, 'no.pth')


def test_our_runner_unless_the_config_names_another(tmp_path, monkeypatch):
    built = []
    monkeypatch.setattr(CrackRunner, 'from_cfg', built.append)
    monkeypatch.setattr(launch.RUNNERS, 'build', lambda cfg: 'another')
    for kind in ({}, dict(runner_type='Runner')):
        launch.build_runner(Config(kind))
    assert len(built) == 2
    assert launch.build_runner(Config(dict(runner_type='X'))) == 'another'


def test_processes_part_at_the_end(tmp_path):
    launch.leave_processes()
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{tmp_path}/store', rank=0, world_size=1)
    launch.leave_processes()
    assert not torch.distributed.is_initialized()
