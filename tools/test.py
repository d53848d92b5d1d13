"""Test a network: ``python tools/test.py CONFIG CHECKPOINT``."""

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
    parser = argparse.ArgumentParser(description='Test (and eval) a model')
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument(
        '--out', help='folder to save predicted label maps (PNG) in')
    parser.add_argument(
        '--show', action='store_true', help='show each result in a window')
    parser.add_argument(
        '--show-dir', help='folder to save a picture of each result in')
    parser.add_argument(
        '--wait-time',
        type=float,
        default=2,
        help='seconds for which --show shows a result; 0: until a key')
    parser.add_argument(
        '--tta',
        action='store_true',
        help="test-time augmentation, by the config's tta_model")
    add_common_arguments(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> dict:
    """Prepare the config, build the runner, test; returns the figures."""
    from mmcrack.engine import launch, outputs
    from mmcrack.engine.checkpoint import install_safe_loading
    from mmcrack.engine.hooks import (
        CheckpointGuardHook,
        PredictionTimerHook,
        SavePredictionHook,
    )
    args = parse_args(argv)
    cfg = launch.load_config(args.config, args.cfg_options)
    launch.set_work_dir(cfg, args.config, args.work_dir)
    launch.prepare_launcher(cfg, args.launcher, args.local_rank)
    install_safe_loading()
    cfg.load_from, cfg.resume = args.checkpoint, False
    outputs.check_test_parts(cfg, args.config)
    if args.show or args.show_dir:
        outputs.enable_pictures(cfg, args.show_dir, args.show,
                                args.wait_time)
    if args.tta:
        outputs.enable_tta(cfg)
    saved = args.out is None or outputs.give_metrics_folder(cfg, args.out)
    runner = launch.build_runner(cfg)
    runner.register_hook(CheckpointGuardHook(mode='complete'))
    runner.register_hook(PredictionTimerHook())
    if not saved:
        runner.register_hook(SavePredictionHook(out_dir=args.out))
    figures = runner.test()
    for what, folder in (('Predictions', args.out),
                         ('Pictures', outputs.picture_folder(runner, cfg))):
        if folder:
            runner.logger.info(f'{what} are in {folder}')
    del runner
    launch.leave_processes()
    return figures


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    return run_tool(main, 'test.py')


if __name__ == '__main__':
    sys.exit(command())
