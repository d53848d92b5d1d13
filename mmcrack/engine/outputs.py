"""What ``tools/test.py`` writes beside the figures."""

import inspect
import os
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config
from mmengine.registry import METRICS
from mmengine.runner import Runner

PICTURE_HOOK = 'CrackVisualizationHook'


def check_test_parts(cfg: Config, name: str) -> None:
    """Make sure that a config can be tested.

    Args:
        cfg (Config): The config.
        name (str): Its file, for the message.

    Raises:
        ValueError: If a part is missing.
    """
    missing = [key for key in ('model', 'test_dataloader', 'test_cfg',
                               'test_evaluator') if cfg.get(key) is None]
    if missing:
        raise ValueError(f'The config {name!r} cannot be tested: it has no '
                         f'{", no ".join(missing)}.')


def enable_pictures(cfg: Config, show_dir: str | None, show: bool,
                    wait_time: float) -> None:
    """Turn the visualisation hook of a config on.

    Args:
        cfg (Config): ``default_hooks.visualization`` is changed: mmcrack's
            hook gets ``out_dir``; any other is used in MMSegmentation's way
            (``visualizer.save_dir``).
        show_dir (str, optional): Where to write pictures.
        show (bool): Whether to show them in a window.
        wait_time (float): For how many seconds.

    Raises:
        ValueError: If the config has no visualisation hook.
    """
    hook = (cfg.get('default_hooks') or {}).get('visualization')
    if hook is None:
        raise ValueError(
            '--show and --show-dir need a visualisation hook in the config: '
            'default_hooks = dict(visualization=dict('
            f"type='mmcrack.{PICTURE_HOOK}')).")
    hook.draw = True
    if show:
        hook.show, hook.wait_time = True, wait_time
    if not show_dir:
        return
    if str(hook.get('type')).endswith(PICTURE_HOOK):
        hook.out_dir = show_dir
    elif cfg.get('visualizer') is not None:
        cfg.visualizer.save_dir = show_dir


def picture_folder(runner: Runner, cfg: Config) -> str | None:
    """Return where pictures were written, if any were.

    Args:
        runner (Runner): After the test.
        cfg (Config): After :func:`enable_pictures`.
    """
    for hook in runner.hooks:
        folder = getattr(hook, 'written_to', None)
        if folder is not None:
            return str(folder)
    hook = (cfg.get('default_hooks') or {}).get('visualization') or {}
    visualizer = cfg.get('visualizer') or {}
    if hook.get('draw') and PICTURE_HOOK not in str(hook.get('type')):
        return visualizer.get('save_dir')
    return None


def enable_tta(cfg: Config) -> None:
    """Test with the augmentations that a config names.

    Args:
        cfg (Config): Its model and test pipeline are replaced.

    Raises:
        ValueError: If the config names none.
    """
    missing = [key for key in ('tta_model', 'tta_pipeline')
               if cfg.get(key) is None]
    if missing:
        raise ValueError(
            f'--tta: the config has no {" and no ".join(missing)}; leave '
            '--tta out, or give both in the config as '
            'configs/_base_/datasets/ shows.')
    for dataset in _innermost(cfg.test_dataloader.dataset):
        dataset.pipeline = cfg.tta_pipeline
    cfg.tta_model.module = cfg.model
    cfg.model = cfg.tta_model


def _innermost(dataset: Any) -> Iterator[Any]:
    """Yield the data sets inside wrappers such as ``ConcatDataset``."""
    if 'datasets' in dataset:
        for part in dataset.datasets:
            yield from _innermost(part)
    elif 'dataset' in dataset:
        yield from _innermost(dataset.dataset)
    else:
        yield dataset


def give_metrics_folder(cfg: Config, folder: str) -> bool:
    """Hand ``--out`` to the metrics that write predictions.

    Args:
        cfg (Config): ``test_evaluator``: a metric, a list of them, or an
            evaluator with ``metrics``.
        folder (str): Where to write.

    Returns:
        bool: Whether a metric took it; if not, somebody else has to write.
    """
    os.makedirs(folder, exist_ok=True)
    metrics = cfg.test_evaluator
    if isinstance(metrics, dict) and 'metrics' in metrics:
        metrics = metrics.metrics
    if isinstance(metrics, dict):
        metrics = [metrics]
    taken = False
    scope = cfg.get('default_scope', 'mmengine')
    for metric in metrics:
        with METRICS.switch_scope_and_registry(scope) as registry:
            kind = metric.get('type')
            kind = registry.get(kind) if isinstance(kind, str) else kind
        if kind is None:
            continue
        accepted = inspect.signature(kind.__init__).parameters
        if 'output_dir' in accepted:
            metric.output_dir = folder
            taken = True
        if 'keep_results' in accepted:
            metric.keep_results = True
    return taken
