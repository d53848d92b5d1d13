"""The command ``tools/export_onnx.py``."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mmcrack.datasets.images import read_image
from mmcrack.datasets.masks import read_mask
from mmcrack.engine.launch import KeyValues, load_config
from mmcrack.inference.backend import TorchBackend
from mmcrack.inference.export import (
    OPSETS,
    ExportError,
    Parity,
    batches,
    classes_of,
    compare,
    export_onnx,
    middle,
    set_padding,
)
from mmcrack.inference.export_int8 import METHODS, cost_of, quantise
from mmcrack.inference.inputs import list_photographs
from mmcrack.inference.onnx_runtime import OnnxSegmentor

#: Calibration runs without ONNX Runtime's optimisations and so needs much
#: memory (ResNet-50 at 768 pixels: over 11 GB).
CALIBRATION_EDGE = 512


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Write a trained network as one ONNX file: uint8 RGB '
        '(N, 3, H, W) of any size in, probability of crack (N, H, W) out. '
        'Runs with tools/infer.py --backend onnxruntime.')
    add = parser.add_argument
    add('config', help='config file, any EncoderDecoder of MMSegmentation')
    add('checkpoint', help='its weights')
    add('--out', type=Path, required=True, metavar='FILE.onnx')
    add('--opset', type=int, default=18, metavar='N',
        help=f'{OPSETS[0]} to {OPSETS[-1]} (default %(default)s)')
    add('--variance', action='store_true',
        help="put out CIRL's variance as well")
    add('--size-divisor', type=int, metavar='N',
        help='pad images to multiples of N inside the file (default: as '
        'the config does in tests)')
    add('--crack-class', type=int, help='channel of crack (default: as the '
        'head says, else 1)')
    add('--check', nargs='+', metavar='IMAGE', default=[],
        help='files, folders or patterns: compare with torch on them')
    add('--edge', type=int, default=1024, metavar='PIXELS',
        help='take the middle of images that are larger (default '
        '%(default)s)')
    add('--int8', nargs='+', metavar='IMAGE', default=[],
        help='write a second file, FILE.int8.onnx, calibrated with these '
        'files, folders or patterns')
    add('--int8-method', choices=METHODS, default=METHODS[0],
        help='how ranges are found (default %(default)s)')
    add('--masks', type=Path, metavar='FOLDER',
        help='truth of the --check images, by file name: print F1 and IoU '
        'of fp32 and int8 against it')
    add('--threads', type=int, help='CPU threads (default: as torch finds)')
    add('--cfg-options', nargs='+', action=KeyValues, metavar='KEY=VALUE',
        help='override settings of the config')
    args = parser.parse_args(argv)
    if args.masks and not (args.check and args.int8):
        parser.error('--masks needs --int8 and --check: it tells what int8 '
                     'costs on those images')
    return args


def main(argv: Sequence[str] | None = None) -> Path:
    """Export, check, quantise; return the file.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.

    Returns:
        Path: ``--out``.

    Raises:
        ExportError: If the file does not predict what torch does.
        ValueError: If an argument is out of its range.
    """
    args = parse_args(argv)
    if args.out.suffix != '.onnx':
        raise ValueError(f'--out must end in .onnx, got {str(args.out)!r}.')
    if args.edge < 1 or (args.threads or 1) < 1:
        raise ValueError('--edge and --threads must be at least 1, got '
                         f'{args.edge} and {args.threads}.')
    checked, calibrating = (
        [Path(item.path) for item in list_photographs(given)] if given else []
        for given in (args.check, args.int8))
    truths = [_mask_of(path, args.masks) for path in checked
              ] if args.masks else []
    if args.threads:
        torch.set_num_threads(args.threads)
    cfg = load_config(args.config, args.cfg_options)
    backend = TorchBackend(cfg, args.checkpoint, device='cpu',
                           crack_class=args.crack_class)
    if args.size_divisor is not None:
        set_padding(backend, args.size_divisor)
    metadata = dict(config=Path(args.config).stem)
    classes = classes_of(cfg, args.checkpoint)
    if classes:
        metadata['classes'] = classes
    print(f'Exporting {args.config}; this takes a minute or two ...')
    loaded = export_onnx(backend, args.out, opset=args.opset,
                         with_variance=args.variance, metadata=metadata)
    print(f'{args.out}: {args.out.stat().st_size / 2**20:.1f} MiB, opset '
          f'{args.opset}, outputs {", ".join(loaded.metadata["outputs"])}')
    if checked:
        _check(loaded, backend, checked, args)
    if calibrating:
        _int8(loaded, calibrating, checked, truths, args)
    return args.out


def _mask_of(image: Path, folder: Path) -> Path:
    """Return the mask of an image: a file of the same stem."""
    found = sorted(p for p in folder.glob('*') if p.stem == image.stem)
    if not found:
        raise FileNotFoundError(
            f'There is no mask {image.stem!r} in {str(folder)!r} for '
            f'{str(image)!r}.')
    return found[0]


def _pictures(paths: Sequence[Path], edge: int
              ) -> Iterator[NDArray[np.uint8]]:
    for path in paths:
        yield from batches([read_image(path)], edge)


def _check(loaded: OnnxSegmentor, backend: TorchBackend,
           paths: Sequence[Path], args: argparse.Namespace) -> None:
    """Compare with torch on real images; print each, refuse if one fails."""
    total = Parity()
    for path, batch in zip(paths, _pictures(paths, args.edge), strict=True):
        parity = compare(loaded, backend, batch)
        print(f'{path.name} ({batch.shape[3]} x {batch.shape[2]}): '
              f'{parity.describe()}')
        total += parity
    print(f'{len(paths)} images: {total.describe()}')
    if not total.good:
        raise ExportError(
            f'The file {str(args.out)!r} differs from torch by more than '
            'rounding on these images; do not use it.')


def _int8(loaded: OnnxSegmentor, calibrating: Sequence[Path],
          checked: Sequence[Path], truths: Sequence[Path],
          args: argparse.Namespace) -> None:
    """Quantise and print what it costs."""
    out = args.out.with_suffix('.int8.onnx')
    print(f'Calibrating with {len(calibrating)} images ...')
    small = quantise(
        args.out, out,
        _pictures(calibrating, min(args.edge, CALIBRATION_EDGE)),
        method=args.int8_method)
    print(f'{out}: {out.stat().st_size / 2**20:.1f} MiB')
    if not checked:
        print('On the calibration images themselves (give --check others):')
    masks = [middle(read_mask(path), args.edge) for path in truths]
    cost = cost_of(loaded, small,
                   _pictures(checked or calibrating, args.edge), masks)
    print('\n'.join(cost.lines()))
