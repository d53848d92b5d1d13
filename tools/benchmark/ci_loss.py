"""Hold CIRL's clustering-inspired loss against the formula as it stands.

``python tools/benchmark/ci_loss.py agreement`` prints how far value and
gradient of ``mmcrack.functional.ci`` are from Eq. 13 written with |S| x |S|
products; ``cost`` prints seconds and memory of both, the neighbour search
and the loss apart; ``iteration`` times a whole step of training in phase II
beside one of phase I. No set is ever subsampled.
"""

import argparse
import importlib.util
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import measure  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import Tensor  # noqa: E402

SIZES = (500, 1600, 3000, 7700, 20_000, 65_536)
#: Matrices of |S| x |S| numbers that the plain formula holds at its peak.
MATRICES = 4


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Measure the clustering-inspired loss.')
    parser.add_argument('part', choices=('agreement', 'cost', 'iteration'))
    parser.add_argument(
        '--sizes', type=int, nargs='+', default=SIZES, metavar='S',
        help='ambiguous pixels (default %(default)s)')
    parser.add_argument(
        '--channels', type=int, default=64,
        help='D, of the features (default %(default)s)')
    parser.add_argument(
        '--neighbors', type=int, default=20, help='K (default %(default)s)')
    parser.add_argument(
        '--classes', type=int, default=2, help='C (default %(default)s)')
    parser.add_argument(
        '--chunk-size', type=int, default=1024,
        help='members at a time in the search (default %(default)s)')
    parser.add_argument(
        '--clock', choices=('wall', 'cpu'), default='wall',
        help='seconds on the wall, or of the processor, which other jobs on '
        'the machine blur less (default %(default)s)')
    parser.add_argument(
        '--plain-gib', type=float, default=8.,
        help='leave the plain formula out where it needs more GiB (default '
        '%(default)s)')
    parser.add_argument(
        '--data', default=os.environ.get('MMCRACK_DATA'),
        help='iteration: folder with deepcrack/ (default: MMCRACK_DATA; '
        'generated pictures without)')
    parser.add_argument(
        '--config', default='_base_/models/unet.py',
        help='iteration: model whose head is wrapped (default %(default)s)')
    parser.add_argument(
        '--crop', type=int, default=256,
        help='iteration: side of the pictures (default %(default)s)')
    measure.add_machine_options(parser)
    return parser.parse_args(argv)


# --- the formula as it stands ---------------------------------------------


@torch.no_grad()
def plain_search(features: Tensor, *, num_neighbors: int) -> Tensor:
    """Return the K nearest by cosine, from the matrix of similarities.

    Args:
        features (Tensor): Float, (S, D).
        num_neighbors (int): K.

    Returns:
        Tensor: Int64, (S, K).
    """
    unit = F.normalize(features, dim=1, eps=1e-8)
    similarity = unit @ unit.t()
    similarity.fill_diagonal_(-math.inf)
    return similarity.topk(num_neighbors, dim=1).indices


def plain_loss(probs: Tensor, index: Tensor) -> Tensor:
    """CIRL Eq. 13 and 15: sums over C_m and O_m of all products.

    Args:
        probs (Tensor): Float, (S, C).
        index (Tensor): Int64, (S, K).

    Returns:
        Tensor: A scalar, without the constant.
    """
    size, near = index.shape
    in_c = probs.new_zeros(size, size).scatter_(1, index, 1)
    in_o = 1 - in_c
    in_o.fill_diagonal_(0)
    products = probs @ probs.t()
    attract = (in_c * products).sum(1)
    disperse = (in_o * products).sum(1)
    return (near / (size - 1 - near) * disperse - attract).mean()


def gathered_loss(probs: Tensor, index: Tensor) -> Tensor:
    """The same with C_m gathered and O_m as what remains: a fairer rival.

    Args:
        probs (Tensor): Float, (S, C).
        index (Tensor): Int64, (S, K).

    Returns:
        Tensor: A scalar, without the constant.
    """
    size, near = index.shape
    products = probs @ probs.t()
    attract = products.gather(1, index).sum(1)
    disperse = products.sum(1) - attract - products.diagonal()
    return (near / (size - 1 - near) * disperse - attract).mean()


def plain_gib(size: int, dtype: torch.dtype) -> float:
    """Return the memory that the plain formula needs, in GiB."""
    return MATRICES * size**2 * dtype.itemsize / 2**30


# --- inputs -----------------------------------------------------------------


def members(size: int, args: argparse.Namespace, dtype: torch.dtype,
            device: torch.device) -> tuple[Tensor, Tensor]:
    """Draw features (S, D) and class probabilities (S, C), always the same.

    Features are rectified mixtures of four hidden numbers, with noise; the
    first of these decide the probabilities, so that near features mean
    similar predictions.

    Args:
        size (int): S.
        args (argparse.Namespace): The command line.
        dtype (torch.dtype): Of both.
        device (torch.device): Of both.

    Returns:
        tuple[Tensor, Tensor]: The probabilities want a gradient.
    """
    draw = torch.Generator().manual_seed(size)
    noise = partial(torch.randn, generator=draw, dtype=torch.float64)
    hidden = noise(size, 4)
    features = (hidden @ noise(4, args.channels)).relu()
    features += 0.1 * noise(size, args.channels)
    logits = 2 * hidden @ noise(4, args.classes)
    probs = logits.softmax(1).to(device, dtype).requires_grad_()
    return features.to(device, dtype), probs


# --- agreement --------------------------------------------------------------


def difference(ours: Tensor, plain: Tensor, probs: Tensor
               ) -> tuple[str, str]:
    """Compare two losses of the same probabilities.

    Args:
        ours (Tensor): A scalar.
        plain (Tensor): A scalar.
        probs (Tensor): (S, C).

    Returns:
        tuple[str, str]: Difference of the values; largest difference of the
        gradients.
    """
    slopes = [torch.autograd.grad(x, probs)[0] for x in (ours, plain)]
    return (f'{(ours - plain).detach().abs().item():.1e}',
            f'{(slopes[0] - slopes[1]).abs().max().item():.1e}')


def disagreement(features: Tensor, index: Tensor, other: Tensor
                 ) -> tuple[int, float]:
    """Compare two neighbour searches.

    Args:
        features (Tensor): Float, (S, D).
        index (Tensor): Int64, (S, K).
        other (Tensor): Int64, (S, K).

    Returns:
        tuple[int, float]: How many members have not the same set of
        neighbours; how much the similarities of these neighbours differ at
        most, in float64: rounding alone, where both searches are right.
    """
    sets = [x.sort(dim=1).values for x in (index, other)]
    member = (sets[0] != sets[1]).any(1).nonzero()[:, 0]
    if not len(member):
        return 0, 0.
    unit = F.normalize(features.double(), dim=1, eps=1e-8)
    found = [(unit[member, None] * unit[x[member]]).sum(2).sort().values
             for x in (index, other)]
    return len(member), float((found[0] - found[1]).abs().max())


def agreement(size: int, dtype: torch.dtype, args: argparse.Namespace,
              device: torch.device) -> dict:
    """Compare mmcrack's loss with the plain one on one set.

    Args:
        size (int): S.
        dtype (torch.dtype): Of features and probabilities.
        args (argparse.Namespace): The command line.
        device (torch.device): Where to compute.

    Returns:
        dict: A row of the table.
    """
    from mmcrack.functional.ci import (
        ci_loss,
        nearest_neighbors,
        neighbor_loss,
    )
    features, probs = members(size, args, dtype, device)
    index = plain_search(features, num_neighbors=args.neighbors)
    others, gap = disagreement(features, index, nearest_neighbors(
        features, num_neighbors=args.neighbors, chunk_size=args.chunk_size))
    whole = ci_loss(features, probs, num_neighbors=args.neighbors,
                    chunk_size=args.chunk_size)
    values = difference(whole, plain_loss(probs, index), probs)
    alone = difference(
        neighbor_loss(probs, index), plain_loss(probs, index), probs)
    slope = torch.autograd.grad(neighbor_loss(probs, index), probs)[0]
    return {
        'members': size,
        'type': str(dtype).removeprefix('torch.'),
        'value': f'{whole.item():.6f}',
        'largest slope': f'{slope.abs().max().item():.1e}',
        'loss apart: value': alone[0],
        'loss apart: gradient': alone[1],
        'whole: value': values[0],
        'whole: gradient': values[1],
        'other neighbours': others,
        'by a similarity of': f'{gap:.1e}',
    }


def measure_agreement(args: argparse.Namespace,
                      device: torch.device) -> list[dict]:
    """Compare at all sizes at which the plain formula fits."""
    rows = []
    for size in args.sizes:
        for dtype in (torch.float32, torch.float64):
            if plain_gib(size, dtype) > args.plain_gib:
                measure.say(f'{size}, {dtype}: the plain formula needs '
                            f'{plain_gib(size, dtype):.1f} GiB: left out')
                continue
            rows.append(agreement(size, dtype, args, device))
            measure.say(f'{size}, {dtype}: compared')
    return rows


# --- cost -------------------------------------------------------------------


def cost_jobs(size: int, args: argparse.Namespace, device: torch.device
              ) -> dict[str, dict[str, Callable[[], object]]]:
    """Return what to time: by part, then by formula.

    Args:
        size (int): S.
        args (argparse.Namespace): The command line.
        device (torch.device): Where to compute.

    Returns:
        dict: Jobs of ``plain``, ``gathered`` and ``mmcrack``; of the last
        alone where the plain formula does not fit.
    """
    from mmcrack.functional.ci import nearest_neighbors, neighbor_loss
    features, probs = members(size, args, torch.float32, device)
    ours = partial(nearest_neighbors, features, num_neighbors=args.neighbors,
                   chunk_size=args.chunk_size)
    formulas = {'mmcrack': (ours, neighbor_loss)}
    if plain_gib(size, torch.float32) <= args.plain_gib:
        plain = partial(plain_search, features, num_neighbors=args.neighbors)
        formulas = {'plain': (plain, plain_loss),
                    'gathered': (plain, gathered_loss), **formulas}
    index = ours()

    def both_ways(search: Callable, loss: Callable) -> Tensor:
        return torch.autograd.grad(loss(probs, search()), probs)[0]

    parts: dict[str, dict[str, Callable[[], object]]] = {
        'search': {}, 'loss, forward': {}, 'loss, both ways': {}, 'whole': {}}
    for name, (search, loss) in formulas.items():
        parts['search'][name] = search
        parts['loss, forward'][name] = partial(loss, probs, index)
        parts['loss, both ways'][name] = partial(
            both_ways, lambda: index, loss)
        parts['whole'][name] = partial(both_ways, search, loss)
    return parts


def in_turns(jobs: dict[str, Callable[[], object]], args: argparse.Namespace,
             device: torch.device, *, repeats: int,
             say: Callable[[str], None] = lambda text: None
             ) -> dict[str, list[float]]:
    """Time jobs in turns by the clock that was asked for.

    Args:
        jobs (dict): What to call, by name.
        args (argparse.Namespace): The command line.
        device (torch.device): Where they work.
        repeats (int): Rounds.
        say (Callable): Is told the progress.

    Returns:
        dict[str, list[float]]: Seconds of each job, one figure per round.
    """
    spent: dict[str, list[float]] = {name: [] for name in jobs}

    def watched(name: str) -> None:
        start = time.process_time()
        jobs[name]()
        spent[name].append(time.process_time() - start)

    wall = measure.in_turns(
        {name: partial(watched, name) for name in jobs},
        repeats=repeats, warmup=args.warmup, device=device, say=say)
    if args.clock == 'wall':
        return wall
    return {name: times[args.warmup:] for name, times in spent.items()}


def cost_row(size: int, part: str, jobs: dict[str, Callable[[], object]],
             args: argparse.Namespace, device: torch.device) -> dict:
    """Measure one part at one size.

    Args:
        size (int): S.
        part (str): Its name.
        jobs (dict): What to time, by formula.
        args (argparse.Namespace): The command line.
        device (torch.device): Where to measure.

    Returns:
        dict: A row of the table.
    """
    # Milliseconds scatter more than seconds.
    seconds = in_turns(
        jobs, args, device, repeats=args.repeats * max(1, 8000 // size))
    row: dict[str, object] = {'members': size, 'part': part}
    names = ('plain', 'gathered', 'mmcrack')
    for name in names:
        row[f'{name} ms'] = (
            f'{1e3 * statistics.median(seconds[name]):.4g}'
            if name in jobs else '-')
    for name in names[:2]:
        row[f'x {name}'] = (
            f'{measure.ratio(seconds[name], seconds["mmcrack"]):.1f}'
            if name in jobs else '-')
    row['spread'] = f'{100 * measure.spread(seconds["mmcrack"]):.0f} %'
    for name in names:
        row[f'{name} MiB'] = (
            f'{measure.peak_memory(jobs[name], device):.1f}'
            if name in jobs else '-')
    measure.say(', '.join(f'{key} {value}' for key, value in row.items()))
    return row


def measure_cost(args: argparse.Namespace,
                 device: torch.device) -> list[dict]:
    """Measure all parts at all sizes."""
    return [
        cost_row(size, part, jobs, args, device) for size in args.sizes
        for part, jobs in cost_jobs(size, args, device).items()
    ]


# --- iteration --------------------------------------------------------------


def measure_iteration(args: argparse.Namespace,
                      device: torch.device) -> list[dict]:
    """Time whole steps of training of both phases in turns."""
    import two_phases
    model = two_phases.wrapped_model(args.config, args.crop, device)
    pictures = two_phases.crack_pictures(2, args.crop, args.data)
    steps, logs = two_phases.training_steps(model, pictures)
    seconds = in_turns(
        steps, args, device, repeats=args.repeats, say=measure.say)
    return [{
        'iteration': name,
        'ambiguous pixels per image':
            two_phases.ambiguous_pixels(name, logs[name]),
        'seconds': f'{statistics.median(times):.3f}',
        'spread': f'{100 * measure.spread(times):.0f} %',
        'x phase I': f'{measure.ratio(times, seconds["phase I"]):.3f}',
    } for name, times in seconds.items()]


def main(argv: Sequence[str] | None = None) -> list[dict]:
    """Measure; print and save the table.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.

    Returns:
        list[dict]: Rows of the table.

    Raises:
        ValueError: If an option is out of its range.
    """
    args = parse_args(argv)
    if min(args.sizes) < args.neighbors + 2 or min(
            args.neighbors, args.channels, args.classes, args.crop) < 1:
        raise ValueError(
            '--sizes must be at least --neighbors + 2, and --neighbors, '
            '--channels, --classes and --crop at least 1.')
    device = measure.prepare_machine(args)
    if args.clock == 'cpu' and device.type != 'cpu':
        raise ValueError(
            f'--clock cpu does not see the work of {args.device}: leave it '
            'out.')
    subject = (f'D {args.channels}, K {args.neighbors}, C {args.classes}, '
               f'{args.chunk_size} members at a time, plain formula up to '
               f'{args.plain_gib:g} GiB')
    if args.part == 'iteration':
        where = 'generated pictures' if args.data is None else 'DeepCrack'
        subject = (f'{args.config}, batch of 2 at {args.crop}x{args.crop}, '
                   f'{where}')
    heading = (f'CI loss, {args.part}: {subject}; '
               f'{measure.describe_machine(device)}')
    heading += '.' if args.part == 'agreement' else (
        f'; median of at least {args.repeats} rounds in turns, {args.clock} '
        'clock.')
    jobs = dict(agreement=measure_agreement, cost=measure_cost,
                iteration=measure_iteration)
    rows = jobs[args.part](args, device)
    measure.save(rows, args.out, heading)
    print(f'{heading}\n\n{measure.markdown(rows)}')
    return rows


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    return run_tool(main, 'ci_loss.py')


if __name__ == '__main__':
    sys.exit(command())
