"""What tiles cost beside the network: ``inference.py --tiled``."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import measure
import numpy as np
import torch
from torch import Tensor

_STATUS = Path('/proc/self/status')
_RESET = Path('/proc/self/clear_refs')


class TimedBackend:
    """A backend that counts the seconds it is asked for.

    Args:
        backend (Backend): What runs the network.
        device (torch.device): Where.
    """

    def __init__(self, backend: Any, device: torch.device) -> None:
        self.backend, self.device, self.seconds = backend, device, 0.
        self.tiles: list[tuple[int, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend, name)

    def probabilities(self, batch: Tensor) -> Any:
        """Run the network and look at the clock."""
        self.tiles.append(tuple(batch.shape))
        result = []
        self.seconds += measure.seconds_of(
            lambda: result.append(self.backend.probabilities(batch)),
            self.device)
        return result[0]


def resident_mib(key: str) -> float:
    """Return ``VmRSS`` or ``VmHWM`` (the peak) of this process, in MiB."""
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f'{key}:'):
            return int(line.split()[1]) / 1024
    return float('nan')


def tiled_lines(args: argparse.Namespace, device: torch.device,
                heading: str) -> list[dict]:
    """Measure photographs or generated ones, with several tile sizes.

    Args:
        args (argparse.Namespace): With ``config``, ``checkpoint``,
            ``image``, ``sizes``, ``tile_sizes``, ``batch``, ``repeats``.
        device (torch.device): Where to run the network.
        heading (str): Of the table.

    Returns:
        list[dict]: Lines of the table; saved after each.
    """
    backends = _backends(args, device)
    lines: list[dict] = []
    for image in args.image or args.sizes:
        for tile in args.tile_sizes:
            found = _in_turns(backends, image, tile, args, device)
            for name, line in found.items():
                lines.append(_written(line, name, tile))
                measure.say(f'{lines[-1]}')
            measure.save(lines, args.out, heading)
    return lines


def _backends(args: argparse.Namespace,
              device: torch.device) -> dict[str, TimedBackend]:
    """Return what runs the network, warmed up, by name: torch first."""
    from mmcrack.inference import TorchBackend
    from mmcrack.inference.onnx_runtime import OnnxSegmentor
    runners: dict[str, Any] = {'torch': TorchBackend(
        args.config, args.checkpoint, device=str(device),
        precision=args.dtype, channels_last=args.channels_last,
        compile=bool(args.compile))}
    for path in args.onnx:
        runners[path.name] = OnnxSegmentor(
            path, threads=torch.get_num_threads())
    backends = {name: TimedBackend(runner, device)
                for name, runner in runners.items()}
    warm = torch.zeros(1, 3, 256, 256, dtype=torch.uint8)
    for backend in backends.values():
        for _ in range(args.warmup):
            backend.probabilities(warm)
    return backends


def _in_turns(backends: dict[str, TimedBackend], image: Any, tile: int,
              args: argparse.Namespace,
              device: torch.device) -> dict[str, dict]:
    """Predict one photograph by each in turns; keep the fastest of each."""
    from mmcrack.inference import CrackInferencer
    best: dict[str, dict] = {}
    for _ in range(args.repeats):
        for name, backend in backends.items():
            inferencer = CrackInferencer(
                backend=backend, tile_size=tile or None,
                overlap=args.overlap, batch_size=args.batch)
            line = _once(inferencer, backend, image, device)
            if name not in best or line['seconds'] < best[name]['seconds']:
                best[name] = line
    return best


def _once(inferencer: Any, backend: TimedBackend, image: Any,
          device: torch.device) -> dict:
    """Predict one photograph from file or size to maps."""
    from mmcrack.inference.opening import open_photograph
    from mmcrack.inference.photographs import from_array
    backend.seconds, backend.tiles = 0., []
    if not isinstance(image, Path):
        image = np.random.default_rng(0).integers(
            0, 256, (*image, 3), np.uint8)
    if _RESET.exists():
        _RESET.write_text('5')  # the peak starts at what there is now
    if device.type == 'cuda':
        torch.cuda.reset_peak_memory_stats(device)
        base = torch.cuda.memory_allocated(device) / measure.MIB
    else:
        base = resident_mib('VmRSS')
    busy = time.process_time()
    start = time.perf_counter()
    photograph = open_photograph(image, max_megapixels=1e4) if isinstance(
        image, Path) else from_array(image)
    read = time.perf_counter() - start
    found = inferencer._predict(photograph, None, None)
    total = time.perf_counter() - start
    busy = time.process_time() - busy
    photograph.close()
    if device.type == 'cuda':
        peak = torch.cuda.max_memory_allocated(device) / measure.MIB
    else:
        peak = resident_mib('VmHWM')
    return dict(
        size=f'{found.size[1]}x{found.size[0]}',
        megapixels=found.mask.size / 1e6, read=read, seconds=total,
        busy=busy, network=backend.seconds,
        tiles=sum(t[0] for t in backend.tiles),
        edges=backend.tiles[0][2:], peak=peak - base)


def _written(line: dict, network: str, tile: int) -> dict:
    """Return a line of the table from figures."""
    other = line['seconds'] - line['network'] - line['read']
    per, busy = (line[key] / line['megapixels'] for key in ('seconds', 'busy'))
    predicted = line['tiles'] * np.prod(line['edges']) / 1e6
    return {
        'size': line['size'],
        'run by': network,
        'tile': str(tile or 'whole'),
        'tiles': f'{line["tiles"]} of {line["edges"][1]}x{line["edges"][0]}',
        'pixels predicted': f'{predicted / line["megapixels"]:.2f} x',
        'seconds': f'{line["seconds"]:.4g}',
        'seconds per megapixel': f'{per:.3g}',
        # On a machine that others use the former tells little.
        'CPU seconds per megapixel': f'{busy:.3g}',
        'decoding': f'{100 * line["read"] / line["network"]:.1f} %',
        'blending and bookkeeping': f'{100 * other / line["network"]:.1f} %',
        'peak MiB': f'{line["peak"]:.0f}',
    }


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of tiled runs."""
    from mmcrack.functional.tiling import OVERLAP, TILE_SIZE
    add = parser.add_argument
    add('--tiled', action='store_true',
        help='measure tiled inference (CrackInferencer) of --config, '
        'with --checkpoint or random weights, on --image or --sizes: '
        'reading, network, and all else as percent of the network')
    add('--tile-sizes', type=int, nargs='+', default=[TILE_SIZE],
        metavar='PIXELS', help='0: the whole image (default %(default)s)')
    add('--overlap', type=int, default=OVERLAP, metavar='PIXELS',
        help='least overlap of tiles (default %(default)s)')
    add('--onnx', type=Path, nargs='+', default=[], metavar='FILE',
        help='of the same network, from tools/export_onnx.py: run in turns '
        'with torch by ONNX Runtime')


def check(args: argparse.Namespace) -> Sequence[str]:
    """Return what is wrong with the command line, one sentence each."""
    wrong = []
    if not args.config:
        wrong.append('--tiled needs --config')
    if args.onnx and args.device.startswith('cuda'):
        wrong.append('--onnx runs on the CPU: compare there, --device cpu')
    if args.cast:
        wrong.append('--tiled runs by autocast: leave --cast out')
    return wrong
