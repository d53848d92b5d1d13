"""Compares ways to run one network on a CPU: torch and ONNX Runtime.

Ways: torch as it is, torch with channels last, torch compiled, ONNX Runtime
in float32 and in int8, from the photograph's bytes to the probability. All
run in turns in one process. Figures are processor seconds (of all threads
together): other programs of a busy machine do not count. Usage::

    python tools/benchmark/export.py CONFIG[=CHECKPOINT] ... \
        --image PHOTO --int8 IMAGES --threads 1
"""

import argparse
import importlib.util
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import measure  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

WAYS = ('torch', 'channels last', 'compiled', 'onnx fp32', 'onnx int8')


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Compare torch and ONNX Runtime on a CPU.')
    add = parser.add_argument
    add('networks', nargs='+', metavar='CONFIG[=CHECKPOINT]',
        help='random weights without a checkpoint')
    add('--sizes', nargs='+', type=measure.image_size, metavar='WxH',
        default=[(512, 512), (1024, 1024)],
        help='default 512x512 1024x1024')
    add('--ways', nargs='+', choices=WAYS, default=list(WAYS),
        help='default: all; the first is the reference')
    add('--image', type=Path,
        help='photograph to take the middle of (default: noise, where a '
        'rendering network finds more uncertain pixels than in life)')
    add('--int8', type=Path, nargs='+', default=[], metavar='IMAGE',
        help='files to calibrate with (default: the measured image)')
    add('--folder', type=Path, default=Path('work_dirs/export_benchmark'),
        help='ONNX files lie here; those there already are used again '
        '(default %(default)s)')
    measure.add_machine_options(parser)
    return parser.parse_args(argv)


def processor_seconds(jobs: dict[str, Callable[[], Any]], *, repeats: int,
                      warmup: int, say: Callable[[str], None]
                      ) -> dict[str, list[float]]:
    """Measure jobs in turns, every second round backwards.

    Args:
        jobs (dict[str, Callable]): What to call, by name.
        repeats (int): Rounds.
        warmup (int): Calls of each in front of them.
        say (Callable): Is told the progress.

    Returns:
        dict[str, list[float]]: Processor seconds of each, one per round.
    """
    for name, job in jobs.items():
        for _ in range(warmup):
            job()
        say(f'warmed up {name}')
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    names = list(jobs)
    for turn in range(repeats):
        for name in names if turn % 2 == 0 else reversed(names):
            start = time.process_time()
            jobs[name]()
            seconds[name].append(time.process_time() - start)
        say(f'round {turn + 1} of {repeats}')
    return seconds


class Network:
    """One network, ready in every way that was asked for.

    Args:
        text (str): ``CONFIG`` or ``CONFIG=CHECKPOINT``.
        args (argparse.Namespace): The command line.
        picture (array): uint8, (H, W, 3), to calibrate with if nothing
            else is given.
    """

    def __init__(self, text: str, args: argparse.Namespace,
                 picture: np.ndarray) -> None:
        from mmcrack.inference.backend import TorchBackend
        config, _, checkpoint = text.partition('=')
        self.name = Path(config).stem
        self.runners: dict[str, Any] = {}
        settings = {
            'torch': {},
            'channels last': dict(channels_last=True),
            'compiled': dict(compile=True),
        }
        for way in args.ways:
            if way in settings:
                # The same weights, also where they are random.
                torch.manual_seed(0)
                self.runners[way] = TorchBackend(
                    config, checkpoint or None, device='cpu',
                    **settings[way])
        if any(way.startswith('onnx') for way in args.ways):
            torch.manual_seed(0)
            plain = TorchBackend(config, checkpoint or None, device='cpu')
            self._add_onnx(plain, args, picture)

    def _add_onnx(self, plain: Any, args: argparse.Namespace,
                  picture: np.ndarray) -> None:
        from mmcrack.datasets.images import read_image
        from mmcrack.inference.export import batches, export_onnx
        from mmcrack.inference.export_int8 import quantise
        from mmcrack.inference.onnx_runtime import OnnxSegmentor
        path = args.folder / f'{self.name}.onnx'
        threads = torch.get_num_threads()
        if not path.exists():
            measure.say(f'{self.name}: exporting')
            export_onnx(plain, path)
        if 'onnx fp32' in args.ways:
            self.runners['onnx fp32'] = OnnxSegmentor(path, threads=threads)
        if 'onnx int8' in args.ways:
            small = path.with_suffix('.int8.onnx')
            if not small.exists():
                measure.say(f'{self.name}: quantising')
                pictures = (read_image(p) for p in args.int8)
                quantise(path, small, batches(
                    pictures if args.int8 else [picture], 512))
            self.runners['onnx int8'] = OnnxSegmentor(small, threads=threads)


def lines_of(name: str, size: str, seconds: dict[str, list[float]],
             megapixels: float, gaps: dict[str, float]) -> list[dict]:
    """Return the lines of one network and size.

    Args:
        name (str): The network.
        size (str): Of the image.
        seconds (dict[str, list[float]]): By way; the first is the
            reference.
        megapixels (float): Of the image.
        gaps (dict[str, float]): Largest difference of probabilities from
            the reference.

    Returns:
        list[dict]: With the same keys.
    """
    first = next(iter(seconds.values()))
    return [{
        'network': name,
        'size': size,
        'way': way,
        'processor seconds': f'{statistics.median(times):.4g}',
        'seconds per megapixel':
            f'{statistics.median(times) / megapixels:.3g}',
        'times as fast': f'{measure.ratio(first, times):.2f}',
        'spread': f'{100 * measure.spread(times):.0f} %',
        'largest difference': f'{gaps[way]:.1e}',
    } for way, times in seconds.items()]


def main(argv: Sequence[str] | None = None) -> list[dict]:
    """Measure; print and save the table.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.

    Returns:
        list[dict]: Lines of the table.

    Raises:
        ValueError: If an option is out of its range.
    """
    from mmcrack.datasets.images import read_image
    from mmcrack.inference.export import middle
    args = parse_args(argv)
    if args.device != 'cpu':
        raise ValueError('--device must be cpu here: seconds are those of '
                         'the processor; see tools/benchmark/inference.py.')
    device = measure.prepare_machine(args)
    if args.image is None:
        edge = max(max(size) for size in args.sizes)
        photo = np.random.default_rng(0).integers(
            0, 256, (edge, edge, 3), dtype=np.uint8)
    else:
        photo = read_image(args.image)
    heading = (f'Torch and ONNX Runtime: {measure.describe_machine(device)}; '
               f'median of {args.repeats} rounds in turns.')
    lines: list[dict] = []
    for text in args.networks:
        network = Network(text, args, photo)
        for height, width in args.sizes:
            cut = middle(photo, max(height, width))[:height, :width]
            if cut.shape[:2] != (height, width):
                raise ValueError(f'--image is smaller than {width}x{height}.')
            batch = torch.from_numpy(cut.transpose(2, 0, 1)[None].copy())
            jobs = {way: lambda run=network.runners[way], x=batch:
                    np.asarray(run.probabilities(x)) for way in args.ways}
            size = f'{width}x{height}'
            results = {way: job() for way, job in jobs.items()}
            wanted = results[args.ways[0]]
            gaps = {way: float(np.abs(prob - wanted).max())
                    for way, prob in results.items()}
            seconds = processor_seconds(
                jobs, repeats=args.repeats, warmup=args.warmup,
                say=lambda said, s=size, n=network.name: measure.say(
                    f'{n} {s}: {said}'))
            lines += lines_of(network.name, size, seconds,
                              height * width / 1e6, gaps)
            measure.save(lines, args.out, heading)
        del network
    print(f'{heading}\n\n{measure.markdown(lines)}')
    return lines


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    return run_tool(main, 'export.py')


if __name__ == '__main__':
    sys.exit(command())
