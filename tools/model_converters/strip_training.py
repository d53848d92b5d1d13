"""Turns a CIRL checkpoint into one of the plain, wrapped head.

The std head and the losses of a ``mmcrack.CIRLHead`` serve training only.
Without them, and with the wrapped head's weights under the names that it has
on its own, the plain config of the head loads the checkpoint. Optimiser and
schedule are left out. Usage::

    python tools/model_converters/strip_training.py CIRL.pth PLAIN.pth
"""

import argparse
import importlib.util
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch  # noqa: E402
from torch import Tensor  # noqa: E402

MARK = re.compile(r'^(?P<head>.*?)(?:^|\.)std_head\.')
TRAINING = ('std_head', 'loss_aseg', 'loss_ci')


def strip(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the wrapped heads' weights; drop what only trains.

    Args:
        state_dict (Mapping[str, Tensor]): Of a model with CIRL heads.

    Returns:
        dict[str, Tensor]: Of the same model with the plain heads.

    Raises:
        ValueError: If there is no CIRL head in it.
    """
    heads = {match.group('head') for key in state_dict
             if (match := MARK.match(key))}
    if not heads:
        raise ValueError(
            'the checkpoint holds no std head, so it is none of a '
            'mmcrack.CIRLHead: there is nothing to strip')
    out = {}
    for key, value in state_dict.items():
        head = next((h for h in sorted(heads, key=len, reverse=True)
                     if key.startswith(f'{h}.' if h else '')), None)
        if head is None:
            out[key] = value
            continue
        part, _, rest = key[len(head) + bool(head):].partition('.')
        if part == 'seg_head':
            out[f'{head}.{rest}' if head else rest] = value
        elif part not in TRAINING:
            out[key] = value
    return out


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Make a CIRL checkpoint one of the plain head.')
    parser.add_argument('checkpoint', type=Path, help='of a CIRLHead')
    parser.add_argument('out', type=Path, help='file to write')
    parser.add_argument(
        '--overwrite', action='store_true', help='replace OUT')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Load, strip, save.

    Raises:
        FileExistsError: If OUT is there and ``--overwrite`` is not given.
    """
    from mmcrack.engine.checkpoint import load_checkpoint, state_dict_of
    args = parse_args(argv)
    if args.out.exists() and not args.overwrite:
        raise FileExistsError(
            f'{args.out} is there already; give another name or --overwrite')
    checkpoint = load_checkpoint(args.checkpoint)
    before = state_dict_of(checkpoint)
    after = strip(before)
    meta = checkpoint.get('meta', {}) if 'state_dict' in checkpoint else {}
    meta = {k: v for k, v in meta.items() if k != 'cfg'}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    part = args.out.with_name(f'{args.out.name}.part')
    torch.save(dict(meta=meta, state_dict=after), part)
    os.replace(part, args.out)
    print(f'{args.out}: {len(after)} of {len(before)} tensors; load it with '
          "the plain config of the wrapped head (decode_head=seg_head's "
          'settings)')


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    return run_tool(main, 'strip_training.py')


if __name__ == '__main__':
    sys.exit(command())
