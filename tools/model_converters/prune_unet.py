"""Makes a narrower U-Net of a trained one, to be trained further.

Whole channels of least magnitude go; what is left is an ordinary config and
checkpoint, see docs/export.md. Usage::

    python tools/model_converters/prune_unet.py CONFIG CHECKPOINT \
        --base-channels 8 --out pruned.pth --out-config pruned.py
    python tools/train.py pruned.py
"""

import argparse
import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Make a narrower U-Net of a trained one.')
    add = parser.add_argument
    add('config', help='config of a UNet with an FCNHead, plain or CIRL')
    add('checkpoint', help='its weights')
    add('--base-channels', type=int, required=True, metavar='N',
        help='channels of the first stage that stay')
    add('--out', type=Path, required=True, metavar='FILE.pth',
        help='weights to write')
    add('--out-config', type=Path, required=True, metavar='FILE.py',
        help='config to write; it loads --out')
    return parser.parse_args(argv)


def config_text(base: str, model: Mapping, weights: Path) -> str:
    """Return a config that is BASE with a narrower network.

    Inherited and not copied, so that what BASE takes from the environment,
    such as the folder of the data, is still taken from there.

    Args:
        base (str): The config file.
        model (Mapping): The narrower network.
        weights (Path): What it starts from.

    Returns:
        str: Python.
    """
    head = model['decode_head']
    own = head.get('seg_head', head)
    widths = (f"in_channels={own['in_channels']}, "
              f"channels={own['channels']}")
    if own is not head:
        widths = f'seg_head=dict({widths})'
    return '\n'.join([
        f'_base_ = [{str(Path(base).resolve())!r}]',
        'model = dict(',
        f"    backbone=dict(base_channels={model['backbone']['base_channels']}"
        '),',
        f'    decode_head=dict({widths}),',
        '    auxiliary_head=None)',
        f'load_from = {str(weights.resolve())!r}',
        'resume = False', ''])


def main(argv: Sequence[str] | None = None) -> None:
    """Prune and save.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.

    Raises:
        FileExistsError: If a file is there already.
        ValueError: If the network is none that can be pruned.
    """
    import torch

    from mmcrack.engine.launch import load_config
    from mmcrack.engine.trained import load_trained
    from mmcrack.inference.backend import build_network
    from mmcrack.inference.export_pruning import narrow_config, prune_unet
    args = parse_args(argv)
    for path in (args.out, args.out_config):
        if path.exists():
            raise FileExistsError(
                f'{str(path)!r} is there already; give another name.')
    cfg = load_config(args.config)
    small_cfg = narrow_config(cfg, args.base_channels)
    model = build_network(cfg)
    checkpoint = load_trained(model, args.checkpoint)
    small = prune_unet(model, small_cfg)
    meta = checkpoint.get('meta', {}) if isinstance(checkpoint, dict) else {}
    meta = {k: v for k, v in meta.items() if k == 'dataset_meta'}
    for path in (args.out, args.out_config):
        path.parent.mkdir(parents=True, exist_ok=True)
    part = args.out.with_name(f'{args.out.name}.part')
    torch.save(dict(meta=meta, state_dict=small.state_dict()), part)
    os.replace(part, args.out)
    args.out_config.write_text(
        config_text(args.config, small_cfg.model, args.out))
    counts = [sum(p.numel() for p in m.parameters()) for m in (model, small)]
    print(f'{args.out}: {counts[1]} of {counts[0]} parameters '
          f'({100 * counts[1] / counts[0]:.0f} %); now train it further: '
          f'python tools/train.py {args.out_config}')


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    return run_tool(main, 'prune_unet.py')


if __name__ == '__main__':
    sys.exit(command())
