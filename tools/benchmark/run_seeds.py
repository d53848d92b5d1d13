"""Train and test configs over seeds; append each result to a CSV file.

``python tools/benchmark/run_seeds.py CONFIG... --seeds 0 1 2 --csv OUT.csv``
skips the rows that the file already has, so that it can be stopped and
started again. The checkpoint of the last epoch is tested: nothing is
selected on any split. ``--jobs`` runs so many at a time, each on one thread.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[1]
KEYS = ('IoU', 'Dice', 'Precision', 'Recall', 'mIoU', 'image_IoU',
        'image_Dice', 'mBA', 'mBA_floor')
COLUMNS = ('config', 'seed', *KEYS, 'train_seconds', 'test_seconds')
_LOCK = threading.Lock()


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('configs', nargs='+', type=Path)
    parser.add_argument('--seeds', nargs='+', type=int, default=[0, 1, 2])
    parser.add_argument('--csv', type=Path, required=True)
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs'))
    parser.add_argument('--jobs', type=int, default=1)
    parser.add_argument('--cfg-options', nargs='+', default=[])
    return parser.parse_args()


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
        new = not path.exists()
        with path.open('a', newline='') as file:
            writer = csv.DictWriter(file, COLUMNS)
            if new:
                writer.writeheader()
            writer.writerow(row)


def call(*command: object, log: Path) -> float:
    """Run a tool on one thread; return its seconds."""
    start = time.perf_counter()
    env = dict(os.environ, OMP_NUM_THREADS='1', MKL_NUM_THREADS='1')
    with log.open('a') as file:
        subprocess.run([sys.executable, *map(str, command)],
                       check=True,
                       stdout=file,
                       stderr=subprocess.STDOUT,
                       env=env)
    return time.perf_counter() - start


def run(config: Path, seed: int, args: argparse.Namespace) -> dict:
    """Train and test one row.

    Args:
        config (Path): Config file.
        seed (int): Seed of initialisation and data order.
        args (argparse.Namespace): The command line.

    Returns:
        dict: One row of the CSV file.

    Raises:
        RuntimeError: If training or the test fails; names the log.
    """
    work_dir = args.work_dir / f'{config.stem}_seed{seed}'
    work_dir.mkdir(parents=True, exist_ok=True)
    log = work_dir / 'run.log'
    options = [f'randomness.seed={seed}', *args.cfg_options]
    try:
        train_seconds = call(
            TOOLS / 'train.py', config, '--work-dir', work_dir,
            '--cfg-options', *options, log=log)
        checkpoint = (work_dir / 'last_checkpoint').read_text().strip()
        test_dir = work_dir / 'test'
        test_seconds = call(
            TOOLS / 'test.py', config, checkpoint, '--work-dir', test_dir,
            log=log)
    except subprocess.CalledProcessError as error:
        raise RuntimeError(
            f'{config} with seed {seed} failed; see {log}.') from error
    results = max(test_dir.glob('*/*.json'), key=lambda p: p.stat().st_mtime)
    figures = json.loads(results.read_text())
    row = {key: round(figures[f'crack/{key}'], 3) for key in KEYS}
    return dict(
        row,
        config=config.stem,
        seed=seed,
        train_seconds=round(train_seconds),
        test_seconds=round(test_seconds))


def main() -> int:
    """Run all rows that are not there yet; one failure stops no other."""
    args = parse_args()
    done = finished(args.csv)
    todo = [(config, seed) for seed in args.seeds for config in args.configs
            if (config.stem, str(seed)) not in done]
    failures = 0

    def work(item: tuple[Path, int]) -> bool:
        try:
            row = run(*item, args)
        except RuntimeError as error:
            print(error, file=sys.stderr, flush=True)
            return False
        append(args.csv, row)
        print(row, flush=True)
        return True

    with ThreadPoolExecutor(args.jobs) as pool:
        for ok in pool.map(work, todo):
            failures += not ok
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
