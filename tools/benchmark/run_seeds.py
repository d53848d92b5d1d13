"""Train and test configs over seeds; append each result to a CSV file.

``python tools/benchmark/run_seeds.py CONFIG... --seeds 0 1 2 --csv OUT.csv``
skips the rows that the file already has and resumes a training that broke
off, so that it can be stopped and started again; ``--minutes`` stops it. The
checkpoint of the last epoch is tested: nothing is selected on any split. With
``--checkpoint`` nothing is trained. ``--jobs`` runs so many at a time, each
on one CPU thread beside its data loaders.
"""

import argparse
import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

TOOLS = Path(__file__).resolve().parents[1]
KEYS = ('IoU', 'Dice', 'Precision', 'Recall', 'mIoU', 'image_IoU',
        'image_Dice', 'image_Precision', 'image_Recall', 'mBA', 'mBA_floor')
COLUMNS = ('config', 'seed', *KEYS, 'train_seconds', 'test_seconds')
# Set after Ctrl-C: tools are stopped and no other is started.
STOP = threading.Event()
_LOCK = threading.Lock()
_HELD = threading.local()


class TimeIsUpError(Exception):
    """``--minutes`` are over, or somebody pressed Ctrl-C."""


class Row(NamedTuple):
    """What is trained and tested once.

    Attributes:
        name (str): In the CSV file's column ``config``, and of its folder.
        config (Path): Config file.
        seed (int): Seed of initialisation and data order.
        options (tuple[str, ...]): Its own settings, as ``--cfg-options``.
    """

    name: str
    config: Path
    seed: int
    options: tuple[str, ...] = ()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how rows are run.

    Args:
        parser (ArgumentParser): Gets ``--seeds``, ``--work-dir``,
            ``--jobs``, ``--cfg-options`` and ``--minutes``.
    """
    parser.add_argument('--seeds', nargs='+', type=int, default=[0, 1, 2])
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs'))
    parser.add_argument('--jobs', type=int, default=1)
    parser.add_argument('--cfg-options', nargs='+', default=[])
    parser.add_argument('--minutes', type=float,
                        help='stop after so many; start again to go on')


def check_options(parser: argparse.ArgumentParser,
                  args: argparse.Namespace) -> None:
    """Check what :func:`add_options` added; set ``args.deadline``."""
    if args.jobs < 1 or (args.minutes is not None and args.minutes <= 0):
        parser.error('--jobs must be at least 1 and --minutes above 0')
    args.deadline = (time.monotonic() + 60 * args.minutes
                     if args.minutes else None)


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('configs', nargs='+', type=Path)
    parser.add_argument('--csv', type=Path, required=True)
    parser.add_argument('--checkpoint', type=Path,
                        help='test this one in place of training')
    add_options(parser)
    args = parser.parse_args(argv)
    missing = [path for path in (*args.configs, args.checkpoint)
               if path and not path.is_file()]
    if missing:
        parser.error(f'there is no file {missing[0]}')
    check_options(parser, args)
    return args


def finished(path: Path) -> set[tuple[str, str]]:
    """Return the (config, seed) pairs that the CSV file holds."""
    if not path.exists():
        return set()
    with path.open(newline='') as file:
        return {(row['config'], row['seed']) for row in csv.DictReader(file)}


def append(path: Path, row: dict) -> None:
    """Add one row, with the header first in a new file."""
    with _LOCK:
        path.parent.mkdir(parents=True, exist_ok=True)
        columns: Sequence[str] = COLUMNS
        new = not path.exists()
        if not new:
            # A file of an earlier version goes on with its own columns.
            with path.open(newline='') as file:
                columns = next(csv.reader(file), COLUMNS)
        with path.open('a', newline='') as file:
            writer = csv.DictWriter(file, columns, extrasaction='ignore')
            if new:
                writer.writeheader()
            writer.writerow(row)


@contextmanager
def folder_lock(folder: Path, deadline: float | None) -> Iterator[None]:
    """Let one process at a time work in a folder.

    The tools that are called meanwhile hold the lock too: where this process
    is killed and its tool goes on, the next start waits for that tool.

    Args:
        folder (Path): Gets the file ``.lock``.
        deadline (float, optional): ``time.monotonic()`` after which it waits
            no longer.

    Raises:
        TimeIsUpError: If it had to stop waiting.
    """
    if fcntl is None:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / '.lock').open('w') as file:
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    print(f'{folder}: another process works here, perhaps '
                          'the training of a run that was killed; waiting '
                          'for its end.', file=sys.stderr, flush=True)
                told = True
            if STOP.wait(1.) or (deadline is not None
                                 and time.monotonic() >= deadline):
                raise TimeIsUpError
        _HELD.files = (file.fileno(), )
        try:
            yield
        finally:
            _HELD.files = ()


def stop_when_told() -> None:
    """Take a request to end, or a closed terminal, as Ctrl-C is taken."""
    for name in ('SIGTERM', 'SIGHUP'):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name),
                          signal.default_int_handler)


def call(*command: object, log: Path, deadline: float | None,
         env: Mapping[str, str] | None = None,
         tick: Callable[[float], None] = lambda seconds: None) -> float:
    """Run a tool on one thread; return its seconds.

    The tool runs in a session of its own, so that Ctrl-C reaches this
    process alone, which stops it, and holds the lock of the calling thread.

    Args:
        *command (object): The tool and its arguments.
        log (Path): Gets what the tool prints.
        deadline (float, optional): ``time.monotonic()`` at which the tool is
            stopped.
        env (Mapping[str, str], optional): Environment variables to add.
        tick (Callable): Is called about every second with the seconds since
            the last time.

    Returns:
        float: Seconds.

    Raises:
        RuntimeError: If the tool fails; names the log.
        TimeIsUpError: If it had to be stopped.
    """
    start = last = time.monotonic()
    if STOP.is_set() or (deadline is not None and deadline <= start):
        raise TimeIsUpError
    env = dict(os.environ, **(env or {}), OMP_NUM_THREADS='1',
               MKL_NUM_THREADS='1')
    with log.open('a') as file:
        process = subprocess.Popen([sys.executable, *map(str, command)],
                                   stdin=subprocess.DEVNULL,
                                   stdout=file,
                                   stderr=subprocess.STDOUT,
                                   pass_fds=getattr(_HELD, 'files', ()),
                                   start_new_session=True,
                                   env=env)
        try:
            while True:
                now = time.monotonic()
                tick(now - last)
                last = now
                if STOP.is_set() or (deadline is not None
                                     and now >= deadline):
                    raise TimeIsUpError
                left = 1. if deadline is None else deadline - now
                try:
                    code = process.wait(max(.01, min(1., left)))
                    break
                except subprocess.TimeoutExpired:
                    continue
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    tick(time.monotonic() - last)
    if code:
        raise RuntimeError(f'{command[0].name} failed; see {log}.')
    return time.monotonic() - start


def train(row: Row, work_dir: Path,
          args: argparse.Namespace) -> tuple[Path, float | str]:
    """Train a row, or go on with a training that broke off.

    Args:
        row (Row): What to train.
        work_dir (Path): Of the row.
        args (argparse.Namespace): The command line.

    Returns:
        tuple[Path, float | str]: The last checkpoint, and the seconds of
        this training, '' where it was resumed or there was none.
    """
    if args.checkpoint:
        return args.checkpoint, ''
    last, finished_file = work_dir / 'last_checkpoint', work_dir / 'trained'
    seconds: float | str = ''
    if not finished_file.exists():
        resume = ['--resume'] if last.exists() else []
        seconds = round(call(
            TOOLS / 'train.py', row.config, '--work-dir', work_dir, *resume,
            '--cfg-options', f'randomness.seed={row.seed}',
            *args.cfg_options, *row.options,
            log=work_dir / 'run.log', deadline=args.deadline))
        seconds = '' if resume else seconds
        finished_file.touch()
    return Path(last.read_text().strip()), seconds


def newest_figures(test_dir: Path) -> dict[str, float]:
    """Return what the last test in a folder found."""
    results = max(test_dir.glob('*/*.json'), key=lambda p: p.stat().st_mtime)
    return json.loads(results.read_text())


def run(row: Row, args: argparse.Namespace) -> dict:
    """Train and test one row.

    Args:
        row (Row): What to train and test.
        args (argparse.Namespace): The command line.

    Returns:
        dict: One row of the CSV file.

    Raises:
        RuntimeError: If training or the test fails; names the log.
        TimeIsUpError: If ``--minutes`` are over.
    """
    work_dir = args.work_dir / f'{row.name}_seed{row.seed}'
    work_dir.mkdir(parents=True, exist_ok=True)
    test_dir = work_dir / 'test'
    settings = [*args.cfg_options, *row.options]
    options = ['--cfg-options', *settings] if settings else []
    with folder_lock(work_dir, args.deadline):
        checkpoint, train_seconds = train(row, work_dir, args)
        test_seconds = call(
            TOOLS / 'test.py', row.config, checkpoint, '--work-dir',
            test_dir, *options, log=work_dir / 'run.log',
            deadline=args.deadline)
    figures = newest_figures(test_dir)
    return dict(
        {key: round(figures[f'crack/{key}'], 3) for key in KEYS},
        config=row.name,
        seed=row.seed,
        train_seconds=train_seconds,
        test_seconds=round(test_seconds))


def in_threads(work: Callable[[Any], Any], todo: Sequence[Any],
               jobs: int) -> list:
    """Do work in threads, in this order; Ctrl-C stops the tools they run.

    Args:
        work (Callable): Takes one of ``todo``.
        todo (Sequence): What is to be done.
        jobs (int): So many at a time.

    Returns:
        list: What each call returned.
    """
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(work, one) for one in todo]
        try:
            return [future.result() for future in futures]
        except KeyboardInterrupt:
            # What waits says itself that it was stopped.
            STOP.set()
            return [future.result() for future in futures]
        finally:
            STOP.clear()


def run_rows(rows: Sequence[Row], args: argparse.Namespace) -> int:
    """Run all rows that are not there yet; one failure stops no other.

    Args:
        rows (Sequence[Row]): In this order.
        args (argparse.Namespace): The command line: ``csv``,
            ``checkpoint``, and what :func:`check_options` saw.

    Returns:
        int: 0 if all rows are there, 1 if one failed, 3 if time was up.
    """
    done = finished(args.csv)
    todo = [row for row in rows if (row.name, str(row.seed)) not in done]

    def work(row: Row) -> int:
        try:
            result = run(row, args)
        except TimeIsUpError:
            return 3
        except RuntimeError as error:
            print(error, file=sys.stderr, flush=True)
            return 1
        append(args.csv, result)
        print(result, flush=True)
        return 0

    codes = in_threads(work, todo, args.jobs)
    if 3 in codes:
        print(f'Time is up: {codes.count(3)} of {len(todo)} rows are left; '
              'start the same command again to go on.', file=sys.stderr)
    return max(codes, default=0)


def main(argv: Sequence[str] | None = None) -> int:
    """Run each config over the seeds; return :func:`run_rows`'s code."""
    args = parse_args(argv)
    return run_rows([Row(config.stem, config, seed) for seed in args.seeds
                     for config in args.configs], args)


if __name__ == '__main__':
    stop_when_told()
    sys.exit(main())
