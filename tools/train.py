"""Train a network: ``python tools/train.py CONFIG``."""

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    from mmcrack.engine.launch import add_common_arguments
    parser = argparse.ArgumentParser(description='Train a segmentor')
    parser.add_argument('config', nargs='?', help='config file')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='PATH',
        help='go on from PATH, or without PATH from the newest whole '
        'checkpoint in the working folder')
    parser.add_argument(
        '--amp', action='store_true', help='train in mixed precision')
    add_common_arguments(parser)
    args = parser.parse_args(argv)
    if args.config is None and str(args.resume).endswith('.py'):
        args.config, args.resume = args.resume, 'auto'
    if args.config is None:
        parser.error('the following arguments are required: config')
    return args


def main(argv: Sequence[str] | None = None) -> None:
    """Prepare the config, build the runner, train."""
    from mmcrack.engine import launch
    from mmcrack.engine.checkpoint import install_safe_loading
    from mmcrack.engine.hooks import CheckpointGuardHook
    args = parse_args(argv)
    cfg = launch.load_config(args.config, args.cfg_options)
    launch.set_work_dir(cfg, args.config, args.work_dir)
    launch.prepare_launcher(cfg, args.launcher, args.local_rank)
    launch.enable_tensorboard(cfg, args.cfg_options)
    if args.amp:
        launch.enable_amp(cfg)
    install_safe_loading()
    mode = launch.prepare_start(cfg, args.resume, args.cfg_options)
    runner = launch.build_runner(cfg)
    runner.register_hook(CheckpointGuardHook(mode=mode))
    runner.train()
    del runner
    launch.leave_processes()


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    return run_tool(main, 'train.py')


if __name__ == '__main__':
    sys.exit(command())
