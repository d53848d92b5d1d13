"""What the commands do to a config before the runner sees it."""

import argparse
import difflib
import gc
import importlib.util
import inspect
import os
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config, ConfigDict, DictAction
from mmengine.logging import print_log
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from mmcrack.engine.checkpoint import newest_good_checkpoint
from mmcrack.engine.optim_wrapper import CPUAmpOptimWrapper
from mmcrack.engine.runner import CrackRunner
from mmcrack.engine.sentences import did_you_mean
from mmcrack.paths import config_path

TOOL_KEYS = frozenset({
    'first_stage', 'tensorboard', 'runner_type', 'activation_checkpointing',
    'efficient_conv_bn_eval', 'compile', 'sync_bn', 'find_unused_parameters',
    'model_wrapper_cfg', 'tta_model', 'tta_pipeline', 'custom_imports',
    'default_scope'
})
WARNING = 30
CPU_AMP = f'mmcrack.{CPUAmpOptimWrapper.__name__}'


class KeyValues(DictAction):
    """``KEY=VALUE`` pairs; MMEngine's action with a word for what is not."""

    def __call__(self, parser: argparse.ArgumentParser,
                 namespace: argparse.Namespace, values: Any,
                 option_string: str | None = None) -> None:
        """Read the pairs, or end in one sentence."""
        wrong = [v for v in values or () if '=' not in v]
        if wrong:
            parser.error(f'{option_string} takes KEY=VALUE, got {wrong[0]!r}')
        super().__call__(parser, namespace, values, option_string)


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that ``train.py`` and ``test.py`` share.

    Args:
        parser (ArgumentParser): Gets ``--work-dir``, ``--cfg-options``,
            ``--launcher`` and ``--local_rank``.
    """
    parser.add_argument(
        '--work-dir', help='the folder to save logs and results in')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=KeyValues,
        help='override settings of the config, key=value; a list is '
        'key="[a,b]" or key=a,b, nested ones are key="[(a,b),(c,d)]", '
        'without white space')
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='job launcher')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def load_config(path: str, options: dict | None = None) -> Config:
    """Read a config and change it by ``--cfg-options``.

    Args:
        path (str): The file.
        options (dict, optional): Dotted keys and values.

    Returns:
        Config: Any OpenMMLab config.

    Raises:
        FileNotFoundError: If there is no such file; names near ones.
        ValueError: If the file cannot be read, or if an option names a key
            that has no effect.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f'The config {path!r} does not exist.{_near_configs(path)}')
    try:
        cfg = Config.fromfile(path)
    except Exception as error:
        cause = error.__cause__ or error.__context__
        reason = f'{type(error).__name__}: {error}'
        if cause is not None and str(cause) not in reason:
            reason += f' ({type(cause).__name__}: {cause})'
        raise ValueError(
            f'The config {path!r} cannot be read: {reason}') from error
    if options:
        _check_options(cfg, options)
        try:
            cfg.merge_from_dict(options)
        except (KeyError, TypeError, IndexError) as error:
            raise ValueError(
                f'--cfg-options {", ".join(options)} does not fit the '
                f'config {path!r}: {error.args[0]}') from error
    return cfg


def _near_configs(path: str) -> str:
    """Name up to three configs that the user may have meant."""
    base = Path(config_path('_base_/default_runtime')).parent.parent
    known = {p.stem: p for p in base.rglob('*.py') if '_base_' not in p.parts}
    folder = Path(path).parent
    if folder.is_dir():
        known.update({p.stem: p for p in folder.glob('*.py')})
    near = difflib.get_close_matches(
        Path(path).stem, sorted(known), n=3, cutoff=0.4)
    if not near:
        return f" mmcrack's own lie in {str(base)!r}."
    return f' Nearest: {", ".join(os.path.relpath(known[n]) for n in near)}.'


def _check_options(cfg: Config, options: dict) -> None:
    """Refuse a new top-level key that nothing reads."""
    runner = set(inspect.signature(Runner.__init__).parameters) - {'self'}
    for option in options:
        key = option.split('.')[0]
        if key in cfg or key in runner or key in TOOL_KEYS:
            continue
        hint = did_you_mean(key, {*cfg.keys(), *runner, *TOOL_KEYS})
        raise ValueError(
            f'--cfg-options {option}: the config has no key {key!r} and '
            f'nothing reads one.{hint}')


def set_work_dir(cfg: Config, config: str, work_dir: str | None) -> None:
    """Choose the working folder: option, else config, else file name.

    Args:
        cfg (Config): Gets ``work_dir``.
        config (str): Path of the config file.
        work_dir (str, optional): ``--work-dir``.
    """
    if work_dir is not None:
        cfg.work_dir = work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = os.path.join('./work_dirs', Path(config).stem)


def enable_tensorboard(cfg: Config, options: dict | None = None) -> None:
    """Log to TensorBoard too where it is installed.

    ``--cfg-options tensorboard=False``, ``tensorboard = False`` in the
    config, or ``--cfg-options visualizer.vis_backends=...`` leaves it out.

    Args:
        cfg (Config): Its ``visualizer`` gets a backend more.
        options (dict, optional): ``--cfg-options``.
    """
    chosen = any('vis_backends' in key for key in options or ())
    visualizer = cfg.get('visualizer')
    if chosen or visualizer is None or not cfg.get('tensorboard', True):
        return
    if importlib.util.find_spec('tensorboard') is None:
        return
    backends = list(visualizer.get('vis_backends') or ())
    if all(b.get('type') != 'TensorboardVisBackend' for b in backends):
        backends.append(ConfigDict(type='TensorboardVisBackend'))
        visualizer.vis_backends = backends


def enable_amp(cfg: Config) -> None:
    """Train in mixed precision: float16 on a GPU, bfloat16 on a CPU.

    Args:
        cfg (Config): Its ``optim_wrapper`` is changed.

    Raises:
        ValueError: If the config has another kind of optimiser wrapper.
    """
    wrapper = cfg.get('optim_wrapper')
    if wrapper is None:
        raise ValueError('--amp needs an optim_wrapper in the config, which '
                         'has none.')
    kind = wrapper.get('type', 'OptimWrapper')
    if kind == 'AmpOptimWrapper' and torch.cuda.is_available():
        print_log('The config already trains in mixed precision.',
                  logger='current', level=WARNING)
        return
    if kind not in ('OptimWrapper', 'AmpOptimWrapper', CPU_AMP):
        raise ValueError('--amp works with optim_wrapper.type='
                         f"'OptimWrapper' only, got {kind!r}.")
    if torch.cuda.is_available():
        wrapper.type = 'AmpOptimWrapper'
        wrapper.setdefault('loss_scale', 'dynamic')
        return
    wrapper.type = CPU_AMP
    for key in ('loss_scale', 'dtype', 'use_fsdp'):
        wrapper.pop(key, None)


def prepare_launcher(cfg: Config, launcher: str, local_rank: int = 0) -> None:
    """Set up running in several processes, also without a GPU.

    Args:
        cfg (Config): Gets ``launcher``; without a GPU also the backend
            'gloo' and a model wrapper that names no device, and loses
            ``sync_bn``, since SyncBN needs a GPU (:class:`CrackRunner`
            replaces the layers that a config names itself).
        launcher (str): 'none', 'pytorch', 'slurm' or 'mpi'.
        local_rank (int): ``--local_rank``.

    Raises:
        ValueError: If the launcher's environment variables are missing.
    """
    os.environ.setdefault('LOCAL_RANK', str(local_rank))
    cfg.launcher = launcher
    if launcher == 'none':
        return
    names = {'pytorch': 'RANK', 'slurm': 'SLURM_PROCID',
             'mpi': 'OMPI_COMM_WORLD_RANK'}
    if names[launcher] not in os.environ:
        starter = {'pytorch': 'torchrun (tools/dist_train.sh)',
                   'slurm': 'srun', 'mpi': 'mpirun'}[launcher]
        raise ValueError(
            f'--launcher {launcher} needs {starter} to start the command: '
            f'the environment variable {names[launcher]} is not set.')
    if torch.cuda.is_available():
        return
    env_cfg = cfg.setdefault('env_cfg', ConfigDict())
    env_cfg.setdefault('dist_cfg', ConfigDict()).backend = 'gloo'
    wrapper = cfg.get('model_wrapper_cfg') or ConfigDict(
        type='MMDistributedDataParallel',
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False))
    wrapper.setdefault('device_ids', None)
    cfg.model_wrapper_cfg = wrapper
    if cfg.get('sync_bn'):
        print_log('sync_bn is left out: SyncBN works on a GPU only.',
                  logger='current', level=WARNING)
        cfg.sync_bn = None
    _start_gloo(launcher)


def _start_gloo(launcher: str) -> None:
    """Join the processes; MMEngine's own way asks for a GPU."""
    if torch.distributed.is_initialized():
        return
    sizes = {'slurm': ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
             'mpi': ('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE',
                     'OMPI_COMM_WORLD_LOCAL_RANK')}
    for target, source in zip(('RANK', 'WORLD_SIZE', 'LOCAL_RANK'),
                              sizes.get(launcher, ()), strict=False):
        os.environ[target] = os.environ[source]
    os.environ.setdefault('MASTER_ADDR', '127.0.0.1')
    os.environ.setdefault('MASTER_PORT', '29500')
    torch.distributed.init_process_group(backend='gloo')


def leave_processes() -> None:
    """Wait for the other processes of a run and part from them.

    A process that ends while a group is still open can be aborted in its
    last moment, and its launcher then calls a finished run a failed one.
    A network in DistributedDataParallel keeps its group open, so drop the
    runner first; it is part of a cycle, which only a collection breaks.
    """
    if torch.distributed.is_initialized():
        gc.collect()
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


def prepare_start(cfg: Config, resume: str | None,
                  options: dict | None = None) -> str:
    """Decide from which weights a training starts.

    In this order: ``--resume PATH``; ``--resume`` with ``--cfg-options
    load_from=PATH`` (OpenMMLab's way to name a checkpoint); ``--resume``
    with the newest whole checkpoint in the working folder; ``load_from``;
    the newest match of ``first_stage.checkpoint``; the initial weights.

    A config that fine-tunes what another one trained says so by ::

        first_stage = dict(
            checkpoint='work_dirs/cbprn_r50_lr/best_*.pth',
            command='python tools/train.py configs/cbprn/cbprn_r50_lr.py')

    ``checkpoint`` is a pattern below the current folder; where nothing
    matches, one warning names the command and training starts without.

    Args:
        cfg (Config): ``load_from`` and ``resume`` are set.
        resume (str, optional): None, 'auto' or a path.
        options (dict, optional): ``--cfg-options``.

    Returns:
        str: 'complete' if a run goes on, 'partial' if weights are taken
        over, for :class:`CheckpointGuardHook`.

    Raises:
        FileNotFoundError: If a named checkpoint does not exist.
        CheckpointError: If a run cannot be resumed.
    """
    options = options or {}
    if resume is None and options.get('resume'):
        resume = 'auto'
    cfg.resume = False
    if resume is not None:
        named = options.get('load_from') if resume == 'auto' else resume
        if named:
            _must_exist(named, '--resume')
            cfg.load_from, cfg.resume = named, True
            return 'complete'
        if _resume_newest(cfg):
            return 'complete'
        print_log(f'Nothing to resume in {cfg.work_dir!r}: a new run starts.',
                  logger='current', level=WARNING)
    if cfg.get('load_from'):
        _must_exist(cfg.load_from, 'load_from')
    elif cfg.get('first_stage'):
        cfg.load_from = _first_stage(cfg.first_stage)
    return 'partial'


def _must_exist(path: str, name: str) -> None:
    if '://' not in path and not Path(path).expanduser().is_file():
        raise FileNotFoundError(
            f'The checkpoint {path!r} of {name} does not exist.')


def _resume_newest(cfg: Config) -> bool:
    """Point ``last_checkpoint`` at the newest whole checkpoint."""
    path, complaints = newest_good_checkpoint(cfg.work_dir)
    if path is None:
        return False
    if int(os.environ.get('RANK', 0)) == 0:
        for complaint in complaints:
            print_log(f'{complaint} Resuming from {path.name} instead.',
                      logger='current', level=WARNING)
        pointer = Path(cfg.work_dir) / 'last_checkpoint'
        pointer.write_text(str(path))
    cfg.load_from, cfg.resume = None, True
    return True


def _first_stage(stage: dict) -> str | None:
    """Return the newest checkpoint of an earlier training, or warn."""
    unknown = set(stage) - {'checkpoint', 'command'}
    if unknown or 'checkpoint' not in stage:
        raise ValueError(
            "first_stage takes the keys 'checkpoint' and 'command', got "
            f'{sorted(stage)}.')
    pattern = Path(stage['checkpoint']).expanduser()
    root = Path(pattern.anchor) if pattern.is_absolute() else Path()
    found = root.glob(str(pattern.relative_to(pattern.anchor)))
    files = sorted((p for p in found if p.is_file()),
                   key=lambda path: path.stat().st_mtime)
    if files:
        print_log(f'Fine-tuning starts from {files[-1]}.', logger='current')
        return str(files[-1])
    hint = f'; train it first with `{stage["command"]}`' \
        if stage.get('command') else ''
    print_log(
        f'No checkpoint matches {str(pattern)!r}, so training starts without '
        f'the first stage{hint}, or give --cfg-options load_from=PATH.',
        logger='current', level=WARNING)
    return None


def build_runner(cfg: Config) -> Runner:
    """Build the runner that a config asks for.

    Args:
        cfg (Config): With ``runner_type`` if it wants its own.

    Returns:
        Runner: :class:`CrackRunner` unless the config names another.
    """
    if cfg.get('runner_type') in (None, 'Runner'):
        return CrackRunner.from_cfg(cfg)
    return RUNNERS.build(cfg)
