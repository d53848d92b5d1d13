"""What the benchmarks share: time in turns, peak memory, tables.

On a machine that others use, seconds of two runs cannot be compared. So all
candidates run in turns (A B C, C B A, ...), and a ratio is the median of the
ratios inside single rounds.
"""

import argparse
import csv
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

os.environ.setdefault('KINETO_LOG_LEVEL', '99')

import torch  # noqa: E402 - the profiler reads its log level on import

MIB = 2**20


def add_machine_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where and how often to measure."""
    parser.add_argument('--device', default='cpu', help='cpu, cuda, cuda:1')
    parser.add_argument(
        '--threads', type=int, help='CPU threads (default: as torch finds)')
    parser.add_argument(
        '--repeats', type=int, default=5, help='rounds (default %(default)s)')
    parser.add_argument(
        '--warmup', type=int,
        help='runs of each in front of them (default 1, on a GPU 10)')
    parser.add_argument(
        '--out', type=Path, nargs='+', default=[],
        help='files to write the table to: .csv or .md')


def prepare_machine(args: argparse.Namespace) -> torch.device:
    """Set threads and kernels' self-tuning; check what was asked for.

    Args:
        args (argparse.Namespace): With the options of
            :func:`add_machine_options`; ``warmup`` is filled in.

    Returns:
        torch.device: Where to measure.

    Raises:
        ValueError: If the device is not there, ``--repeats`` is below 1,
            ``--warmup`` below 0, or a file of ``--out`` is of no known kind.
    """
    if args.device.startswith('cuda') and not torch.cuda.is_available():
        raise ValueError(f'--device {args.device}: torch finds no GPU; '
                         'measure with --device cpu.')
    if args.repeats < 1 or (args.warmup or 0) < 0:
        raise ValueError('--repeats must be at least 1 and --warmup at least '
                         f'0, got {args.repeats} and {args.warmup}.')
    for path in args.out:
        if path.suffix not in ('.csv', '.md'):
            raise ValueError(f'--out takes .csv and .md, got {str(path)!r}.')
    if args.threads:
        torch.set_num_threads(args.threads)
    device = torch.device(args.device)
    if args.warmup is None:
        args.warmup = 10 if device.type == 'cuda' else 1
    torch.backends.cudnn.benchmark = True
    return device


def describe_machine(device: torch.device) -> str:
    """Return one line: the processor, threads, versions."""
    if device.type == 'cuda':
        name = torch.cuda.get_device_name(device)
    else:
        name = _processor()
        name += f', {torch.get_num_threads()} threads'
    return (f'{name}; torch {torch.__version__}, Python '
            f'{platform.python_version()}, {platform.system()}')


def _processor() -> str:
    """Name of the CPU, as far as the system tells."""
    path = Path('/proc/cpuinfo')
    if path.exists():
        for line in path.read_text().splitlines():
            if line.startswith('model name'):
                return line.split(':', 1)[1].strip()
    return platform.processor() or platform.machine()


def seconds_of(job: Callable[[], object], device: torch.device) -> float:
    """Return the wall-clock seconds of one call, device work included."""
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    start = time.perf_counter()
    job()
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def in_turns(jobs: Mapping[str, Callable[[], object]],
             *,
             repeats: int,
             warmup: int,
             device: torch.device,
             say: Callable[[str], None] = lambda text: None
             ) -> dict[str, list[float]]:
    """Time all jobs in turns, every second round backwards.

    Args:
        jobs (Mapping[str, Callable]): What to call, by name.
        repeats (int): Rounds, >= 1.
        warmup (int): Calls of each job in front of the rounds.
        device (torch.device): Where they work.
        say (Callable): Is told the progress, one line at a time.

    Returns:
        dict[str, list[float]]: Seconds of each job, one figure per round.
    """
    for name, job in jobs.items():
        for _ in range(warmup):
            job()
        say(f'warmed up {name}')
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    names = list(jobs)
    for turn in range(repeats):
        for name in names if turn % 2 == 0 else reversed(names):
            seconds[name].append(seconds_of(jobs[name], device))
        say(f'round {turn + 1} of {repeats}')
    return seconds


def ratio(seconds: Sequence[float], reference: Sequence[float]) -> float:
    """Return the median over the rounds of one job's time over another's."""
    return statistics.median(
        a / b for a, b in zip(seconds, reference, strict=True))


def spread(seconds: Sequence[float]) -> float:
    """Return (slowest - fastest) / median: how noisy the machine was."""
    return (max(seconds) - min(seconds)) / statistics.median(seconds)


def peak_memory(job: Callable[[], object], device: torch.device) -> float:
    """Return the most memory that one call held on top of what was there.

    Weights and inputs are there before and do not count. Both figures are
    those of torch's allocator (``max_memory_allocated`` on a GPU, the
    profiler's record of each allocation on a CPU): exact and repeatable, but
    without the scratch memory inside the CPU's convolution library.

    Args:
        job (Callable): What to call.
        device (torch.device): Where it works.

    Returns:
        float: MiB.
    """
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        job()
        torch.cuda.synchronize(device)
        return (torch.cuda.max_memory_allocated(device) - before) / MIB
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(
            activities=activities, profile_memory=True) as profile:
        job()
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / 'trace.json'
        profile.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text())['traceEvents']
    events = [e for e in events if e.get('name') == '[memory]']
    held = peak = 0
    for event in sorted(events, key=lambda e: e['ts']):
        held += event['args']['Bytes']
        peak = max(peak, held)
    return peak / MIB


def markdown(rows: Sequence[Mapping[str, object]]) -> str:
    """Return rows (with the same keys) as a Markdown table."""
    columns = list(rows[0])
    lines = [columns, ['---'] * len(columns)]
    lines += [[str(row[c]) for c in columns] for row in rows]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def save(rows: Sequence[Mapping[str, object]], paths: Sequence[Path],
         heading: str) -> None:
    """Write a table to files; a CSV file gets the heading as a column.

    Args:
        rows (Sequence[Mapping]): Rows with the same keys, at least one.
        paths (Sequence[Path]): Files, ``.csv`` or ``.md``; replaced.
        heading (str): What was measured where, one line.
    """
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == '.md':
            path.write_text(f'{heading}\n\n{markdown(rows)}\n')
            continue
        with path.open('w', newline='') as file:
            writer = csv.DictWriter(file, [*rows[0], 'measured'])
            writer.writeheader()
            writer.writerows(dict(row, measured=heading) for row in rows)


def say(text: str) -> None:
    """Tell the progress on stderr: stdout holds the table alone."""
    print(f'{time.strftime("%H:%M:%S")} {text}', file=sys.stderr, flush=True)


def image_size(text: str) -> tuple[int, int]:
    """Read ``WIDTHxHEIGHT`` of the command line as (height, width)."""
    try:
        width, height = (int(part) for part in text.lower().split('x'))
    except ValueError:
        width = height = 0
    if min(width, height) < 1:
        raise argparse.ArgumentTypeError(
            f'wants WIDTHxHEIGHT such as 2560x1440, got {text!r}')
    return height, width
