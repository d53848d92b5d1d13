"""Time every crack metric, and mBA beside OpenCV's plain sequence.

``python tools/benchmark/metrics.py`` prints the seconds of each metric of
``mmcrack.functional.metrics`` for one pair of masks of a drawn crack at
2560 x 1440 and at 7360 x 4912 pixels, then mBA and the five morphological
gradients of its definition in turns, with their ratio and both values.
"""

import argparse
import importlib.util
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))
if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cv2  # noqa: E402
import measure  # noqa: E402
import numpy as np  # noqa: E402

from mmcrack.functional import metrics as m  # noqa: E402

PARTS = ('suite', 'mba')


class Pair(NamedTuple):
    """What metrics take of one image, each (H, W).

    Attributes:
        pred (np.ndarray): Bool.
        target (np.ndarray): Bool.
        prob (np.ndarray): Float32, in (0, 1).
    """

    pred: np.ndarray
    target: np.ndarray
    prob: np.ndarray


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Time the crack metrics.')
    parser.add_argument(
        '--parts', nargs='+', choices=PARTS, default=PARTS,
        help='suite: every metric; mba: mBA beside OpenCV (default: both)')
    parser.add_argument(
        '--sizes', type=measure.image_size, nargs='+',
        default=[(1440, 2560), (4912, 7360)], metavar='WIDTHxHEIGHT',
        help='of the suite (default 2560x1440 7360x4912)')
    parser.add_argument(
        '--mba-size', type=measure.image_size, default=(1440, 2560),
        metavar='WIDTHxHEIGHT', help='default 2560x1440')
    parser.add_argument(
        '--only', nargs='+', metavar='NAME',
        help='metrics of the suite whose name holds one of these words')
    measure.add_machine_options(parser)
    return parser.parse_args(argv)


def draw_crack(size: Sequence[int], seed: int = 0) -> Pair:
    """Draw wandering cracks and a prediction that is a little off.

    The prediction is blurred, shifted by two pixels and disturbed by smooth
    noise, so that it has gaps, spots and soft edges.

    Args:
        size (Sequence[int]): (height, width).
        seed (int): Of the random numbers.

    Returns:
        Pair: Masks and probabilities.
    """
    rng = np.random.default_rng(seed)
    height, width = size
    target = np.zeros(size, np.uint8)
    for _ in range(4):
        start = rng.random(2) * (width, height)
        steps = rng.normal(0, 1, (60, 2)) * width / 80
        drift = rng.normal(0, 1, 2) * width / 120
        points = start + np.cumsum(steps + drift, axis=0)
        cv2.polylines(target, [points.astype(np.int32)], False, 1,
                      int(rng.integers(3, 5 + width // 250)))
    grain = cv2.resize(
        rng.normal(0, 1, (height // 8 + 1, width // 8 + 1)).astype(
            np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(
        np.roll(target, 2, axis=1).astype(np.float32), (0, 0), 2)
    prob = 1 / (1 + np.exp(8 - 16 * soft - 1.5 * grain))
    return Pair(prob >= .5, target > 0, prob.astype(np.float32))


def opencv_mba(pred: np.ndarray, target: np.ndarray) -> float:
    """Return mBA as its definition says: five morphological gradients.

    Args:
        pred (np.ndarray): Bool, (H, W).
        target (np.ndarray): Bool, (H, W).

    Returns:
        float: In [0, 1].
    """
    pred, target = (x.astype(np.uint8) for x in (pred, target))
    shares = []
    for radius in m.boundary_radii(*target.shape, min_radius=1):
        side = 2 * radius + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        band = cv2.morphologyEx(target, cv2.MORPH_GRADIENT, kernel) > 0
        shares.append(float(np.mean(pred[band] == target[band])))
    return sum(shares) / len(shares)


def metric_jobs(pair: Pair) -> dict[str, Callable[[], object]]:
    """Return each metric with its usual options, by name.

    Args:
        pair (Pair): Of one image.

    Returns:
        dict[str, Callable]: Each computes it once.
    """
    both = pair.pred, pair.target
    soft = pair.prob, pair.target
    variance = pair.prob * (1 - pair.prob)
    edges = np.geomspace(1e-6, 1, 1001)
    skip = {'empty': 'skip'}
    jobs = {
        'P, R, F1, IoU, Dice': lambda: m.ratios(
            m.confusion_counts(*both), **skip),
        'mBA': lambda: m.boundary_accuracy(*both),
        'Boundary IoU 2 %': lambda: m.boundary_iou(
            *both, ratio=.02, **skip),
        'boundary F1 0.75 %': lambda: m.boundary_f1(
            *both, ratio=.0075, **skip),
        'F1, 2 px disc': lambda: m.tolerance_f1(*both, tau=2, **skip),
        'F1, 5 px square': lambda: m.tolerance_f1(
            *both, tau=5, shape='square', **skip),
        'clDice': lambda: m.cldice(*both, **skip),
        'clIoU 4 px': lambda: m.cliou(*both, tau=4, **skip),
        'correctness 2 px': lambda: m.skeleton_ratios(
            m.skeleton_counts(*both, tau=2), **skip),
        'Betti': lambda: m.betti_errors(*both),
        'Betti, 65 px windows': lambda: m.betti_errors(*both, window=65),
        'HD, HD95, ASSD': lambda: m.hausdorff95(
            m.surface_distances(*both), convention='pooled'),
        'ECE': lambda: m.expected_calibration_error(
            m.calibration_bins(*soft, bins=15)),
        'ECE, 5 px band': lambda: m.expected_calibration_error(
            m.calibration_bins(*soft, bins=15, band=5)),
        'AUROC, exact': lambda: m.variance_auroc(*both, variance=variance),
        'AUROC, histogram': lambda: m.pooled_auroc(
            m.error_histogram(*both, variance=variance, edges=edges)),
    }
    for protocol in ('pixel', 'tolerance2', 'bsds'):
        jobs[f'99 thresholds, {protocol}'] = (
            lambda protocol=protocol: m.curve(
                *soft, protocol=protocol, thresholds=m.GRIDS['bsds'],
                strict=False))
    return jobs


def time_suite(args: argparse.Namespace) -> list[dict]:
    """Time each metric at each size.

    Args:
        args (argparse.Namespace): The command line.

    Returns:
        list[dict]: Rows of the table.

    Raises:
        ValueError: If no metric has the name that is asked for.
    """
    rows: dict[str, dict] = {}
    for size in args.sizes:
        jobs = metric_jobs(draw_crack(size))
        if args.only:
            jobs = {name: job for name, job in jobs.items()
                    if any(word in name for word in args.only)}
        if not jobs:
            raise ValueError(
                f'--only {" ".join(args.only)} names no metric; there are: '
                f'{", ".join(metric_jobs(draw_crack((8, 8))))}.')
        label = f'{size[1]}x{size[0]}'
        for name, job in jobs.items():
            wall, processor = [], []
            for _ in range(args.repeats):
                start = time.perf_counter(), time.process_time()
                job()
                wall.append(time.perf_counter() - start[0])
                processor.append(time.process_time() - start[1])
            row = rows.setdefault(name, {'metric': name})
            row[f'{label}, s'] = f'{statistics.median(wall):.3f}'
            row[f'{label}, processor s'] = (
                f'{statistics.median(processor):.3f}')
            measure.say(f'{label}: {name} {wall[-1]:.2f} s')
    return list(rows.values())


def time_mba(args: argparse.Namespace, device) -> list[dict]:
    """Time mBA and OpenCV's sequence in turns.

    Args:
        args (argparse.Namespace): The command line.
        device (torch.device): The processor.

    Returns:
        list[dict]: Rows of the table.
    """
    pair = draw_crack(args.mba_size)
    jobs = {
        'OpenCV': lambda: opencv_mba(pair.pred, pair.target),
        'mmcrack': lambda: m.boundary_accuracy(pair.pred, pair.target),
    }
    values = {name: job() for name, job in jobs.items()}
    seconds = measure.in_turns(
        jobs, repeats=args.repeats, warmup=args.warmup, device=device,
        say=lambda text: measure.say(f'mBA: {text}'))
    return [{
        'mBA': name,
        'milliseconds': f'{1e3 * statistics.median(times):.2f}',
        'spread': f'{100 * measure.spread(times):.0f} %',
        'times faster':
            f'{1 / measure.ratio(times, seconds["OpenCV"]):.1f}',
        'value': f'{values[name]:.12f}',
    } for name, times in seconds.items()]


def main(argv: Sequence[str] | None = None) -> list[dict]:
    """Measure; print and save the tables.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.

    Returns:
        list[dict]: Rows of the last table.

    Raises:
        ValueError: If an option is out of its range.
    """
    args = parse_args(argv)
    if args.device != 'cpu':
        raise ValueError('Metrics run on the processor: leave --device cpu, '
                         f'got {args.device}.')
    if len(args.out) and len(args.parts) > 1:
        raise ValueError('--out takes one table: choose --parts suite or '
                         '--parts mba.')
    device = measure.prepare_machine(args)
    cv2.setNumThreads(args.threads if args.threads else -1)
    machine = (f'{measure.describe_machine(device)}, OpenCV '
               f'{cv2.__version__}, {cv2.getNumThreads()} threads there; '
               f'median of {args.repeats}')
    rows = []
    for part in args.parts:
        if part == 'suite':
            rows, what = time_suite(args), 'Crack metrics of one pair'
        else:
            height, width = args.mba_size
            rows, what = time_mba(args, device), f'mBA at {width}x{height}'
        heading = f'{what}: {machine}.'
        measure.save(rows, args.out, heading)
        print(f'{heading}\n\n{measure.markdown(rows)}\n', flush=True)
    return rows


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    return run_tool(main, 'metrics.py')


if __name__ == '__main__':
    sys.exit(command())
