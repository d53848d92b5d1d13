"""Train, test and tabulate all rows of a table under one budget.

``python tools/benchmark/run_table.py TABLE.yaml`` (those of both papers lie
in ``configs/baselines/tables``) runs what is not done yet and writes the
table, paper and ours side by side, after each row: ``TABLE.md``,
``TABLE.csv`` and ``TABLE_seeds.csv``. It may be stopped at any time, by
``--minutes``, Ctrl-C or a kill: the same command goes on. A row that fails
stops no other; its error is in the table and the exit code is 1 (3 where
time was up). ``--rows`` chooses rows, ``--tabulate`` runs nothing. See
``docs/tables.md``.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import run_seeds  # noqa: E402
import table_text  # noqa: E402
from measure import describe_machine, say  # noqa: E402
from table_jobs import Job, JobError, Prepared, prepare  # noqa: E402
from tables import Table, is_file, read_table  # noqa: E402

FAILED, STOPPED = 1, 3


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    from mmcrack.engine.launch import KeyValues
    parser = argparse.ArgumentParser(
        description='Train, test and tabulate all rows of a table.')
    add = parser.add_argument
    add('table', type=Path, help='YAML file')
    add('--epochs', type=int, help='of configs that count epochs')
    add('--max-iters', type=int, help='of configs that count iterations')
    add('--seeds', nargs='+', type=int, help="in place of the table's")
    add('--rows', nargs='+', metavar='NAME',
        help='these alone (and those whose weights they need)')
    add('--jobs', type=int, default=1, help='at a time (default 1)')
    add('--minutes', type=float,
        help='stop after so many; start again to go on')
    add('--data-root', type=Path,
        help='folder of the data sets (default: MMCRACK_DATA)')
    add('--work-dir', type=Path, default=Path('work_dirs/tables'),
        help='(default %(default)s)')
    add('--out', type=Path, help='folder of the tables (default: that of '
        'the table in --work-dir)')
    add('--every', type=float, default=30.,
        help='seconds between words on the progress (default %(default)s)')
    add('--tabulate', action='store_true', help='run nothing')
    add('--cfg-options', nargs='+', action=KeyValues, default={},
        help='settings of all configs, key=value')
    args = parser.parse_args(argv)
    run_seeds.check_options(parser, args)
    for name in ('epochs', 'max_iters'):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            parser.error(f'--{name.replace("_", "-")} must be at least 1')
    if args.data_root and not args.data_root.is_dir():
        parser.error(f'there is no folder {args.data_root}')
    return args


class Progress:
    """Tells how far each row and the whole is.

    Args:
        total (int): Jobs.
        done (int): Those that were done before.
        every (float): Seconds between words of one job on its training.
    """

    def __init__(self, total: int, done: int, every: float) -> None:
        self._total, self._every = total, every
        self._first = done
        self._finished = done
        self._begun: dict[str, float] = {}
        self._shares: dict[str, float] = {}
        self._told: dict[str, float] = {}
        self._start = time.monotonic()
        self._lock = threading.Lock()

    def tell(self, job: Job, what: str, share: float) -> None:
        """Say what a job does.

        Args:
            job (Job): The job.
            what (str): In words.
            share (float): Of its training that is done, in [0, 1].
        """
        with self._lock:
            now = time.monotonic()
            self._begun.setdefault(job.name, share)
            self._shares[job.name] = share
            words = what
            if what == 'training':
                if now - self._told.get(job.name,
                                        -self._every) < self._every:
                    return
                length, unit = job.prepared.length
                words += f', {unit} {round(share * length)} of {length}'
                self._told[job.name] = now
            say(f'[{self._finished} of {self._total} done] {job.name}: '
                f'{words}{self._left()}')

    def finish(self, job: Job, words: str) -> None:
        """Say how a job ended."""
        with self._lock:
            self._finished += 1
            self._shares.pop(job.name, None)
            say(f'[{self._finished} of {self._total} done] {job.name}: '
                f'{words}{self._left()}')

    def _left(self) -> str:
        """Guess the time to the end by what has run so far."""
        running = sum(share - self._begun[name]
                      for name, share in self._shares.items())
        done = self._finished - self._first + running
        left = self._total - self._finished - sum(self._shares.values())
        if done < .05 or left <= 0:
            return ''
        minutes = (time.monotonic() - self._start) / done * left / 60
        return f'; about {minutes / 60:.1f} h left' if minutes > 90 else \
            f'; about {minutes:.0f} min left'


def commit() -> str:
    """Return the commit of this checkout, '' where there is none."""
    folder = Path(__file__).resolve().parent

    def git(*words: str) -> str:
        return subprocess.run(['git', '-C', str(folder), *words], check=True,
                              capture_output=True, text=True).stdout.strip()

    try:
        head = git('rev-parse', '--short=10', 'HEAD')
        changed = git('status', '--porcelain', '--untracked-files=no')
    except (OSError, subprocess.CalledProcessError):
        return ''
    return f'{head} with changes' if changed else head


def chosen_rows(table: Table, names: Sequence[str] | None) -> list[str]:
    """Return the rows to run, with those whose weights they need.

    Args:
        table (Table): The table.
        names (Sequence[str], optional): ``--rows``; None: all.

    Returns:
        list[str]: Names, sources first; rows that are only quoted are out.

    Raises:
        ValueError: If there is no such row.
    """
    from mmcrack.engine.sentences import did_you_mean
    rows = {row.name: row for row in table.rows}
    wanted = list(rows if names is None else names)
    for name in wanted:
        if name not in rows:
            raise ValueError(f'--rows: the table has no row {name!r}.'
                             f'{did_you_mean(name, rows)}')
        wanted += [s for s in rows[name].sources
                   if not is_file(s) and s not in wanted]
    return [name for name, row in rows.items()
            if name in wanted and row.config is not None]


def prepare_rows(table: Table, args: argparse.Namespace
                 ) -> tuple[dict[str, Prepared], dict[str, str]]:
    """Read the configs of all rows.

    Args:
        table (Table): With the budget as it will be run.
        args (argparse.Namespace): The command line.

    Returns:
        tuple[dict[str, Prepared], dict[str, str]]: By name, those that can
        be run and what is wrong with the others.
    """
    ready: dict[str, Prepared] = {}
    wrong: dict[str, str] = {}
    for row in table.rows:
        if row.config is None:
            continue
        needs = [s for s in row.sources if not is_file(s)]
        try:
            broken = [s for s in needs if s in wrong]
            if broken:
                raise ValueError(f'it needs {broken[0]!r}, which cannot run')
            ready[row.name] = prepare(row, table, args.cfg_options,
                                      args.work_dir / table.name, ready)
        except (ValueError, OSError) as error:
            wrong[row.name] = ' '.join(str(error).split())
    return ready, wrong


def write_tables(table: Table, ready: Mapping[str, Prepared],
                 wrong: Mapping[str, str], args: argparse.Namespace) -> str:
    """Write what is there; return it as Markdown.

    Args:
        table (Table): The table.
        ready (Mapping[str, Prepared]): Rows that can be run.
        wrong (Mapping[str, str]): What is wrong with others.
        args (argparse.Namespace): With ``out`` and ``work_dir``.
    """
    results, errors = {}, dict(wrong)
    for name, prepared in ready.items():
        found = [prepared.result(seed) for seed in table.seeds]
        results[name] = [r for r in found if r]
        failed = [f'{words} (seed {seed})' for seed in table.seeds
                  if (words := prepared.error(seed))]
        if failed:
            errors[name] = ' '.join(failed[0].split())
    page = table_text.markdown(table, results, errors,
                               budget_words(table, ready))
    out = args.out or args.work_dir / table.name
    out.mkdir(parents=True, exist_ok=True)
    for name, text in (
        (f'{table.name}.md', page),
        (f'{table.name}.csv', table_text.table_csv(table, results, errors)),
        (f'{table.name}_seeds.csv', table_text.seeds_csv(table, results))):
        part = out / f'{name}.part'
        part.write_text(text)
        part.replace(out / name)
    return page


def budget_words(table: Table, ready: Mapping[str, Prepared]) -> str:
    """Return the budget in words, by what the rows are given."""
    lengths = sorted({p.length for p in ready.values()
                      if not p.row.checkpoint and p.row.show})
    if not lengths:
        return 'none'
    words = ' or '.join(f'{n} {unit}{"s" * (n > 1)}' for n, unit in lengths)
    own = table.epochs is None and table.max_iters is None
    return words + (" (the configs' own)" if own else '')


def run_jobs(table: Table, ready: Mapping[str, Prepared],
             wrong: Mapping[str, str], args: argparse.Namespace) -> int:
    """Run what is not done; return the exit code.

    Args:
        table (Table): With the budget as it is run.
        ready (Mapping[str, Prepared]): Rows that can be run, in order.
        wrong (Mapping[str, str]): What is wrong with others.
        args (argparse.Namespace): The command line.
    """
    import torch
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    machine = dict(machine=describe_machine(device).replace(
        f'{torch.get_num_threads()} threads', f'1 of {os.cpu_count()} CPUs'),
                   commit=commit())
    names = [name for name in chosen_rows(table, args.rows) if name in ready]
    jobs = [(name, seed) for seed in table.seeds for name in names]
    todo = [job for job in jobs if not ready[job[0]].result(job[1])]
    progress = Progress(len(jobs), len(jobs) - len(todo), args.every)
    say(f'{table.name}: {len(jobs)} jobs, {len(jobs) - len(todo)} of them '
        'are done')
    ended = {job: threading.Event() for job in todo}
    writing = threading.Lock()

    def work(key: tuple[str, int]) -> int:
        name, seed = key
        prepared = ready[name]
        job = Job(prepared, seed, table, args.deadline, {
            **machine, 'data': data_of(prepared.cfg)}, progress.tell)
        try:
            # Sources stand in front, so one is running or has ended.
            for source in prepared.row.sources:
                if (source, seed) in ended:
                    ended[source, seed].wait()
            job.run(checkpoints_of(prepared, seed, ready))
        except run_seeds.TimeIsUpError:
            return STOPPED
        except JobError as error:
            progress.finish(job, f'FAILED: {error}')
            return FAILED
        finally:
            ended[key].set()
            with writing:
                write_tables(table, ready, wrong, args)
        progress.finish(job, 'done')
        return 0

    codes = run_seeds.in_threads(work, todo, args.jobs)
    if STOPPED in codes:
        say(f'Stopped: {codes.count(STOPPED)} of {len(jobs)} jobs are left; '
            'start the same command again to go on.')
    return max(codes, default=0)


def checkpoints_of(prepared: Prepared, seed: int,
                   ready: Mapping[str, Prepared]) -> dict[str, Path]:
    """Return the last checkpoints of the rows that a row needs.

    Args:
        prepared (Prepared): The row.
        seed (int): The same for all.
        ready (Mapping[str, Prepared]): All rows.

    Returns:
        dict[str, Path]: By name; a source without a result is left out.

    Raises:
        TimeIsUpError: If a source was stopped.
        JobError: If a source failed.
    """
    found = {}
    for source in prepared.row.sources:
        if is_file(source):
            continue
        result = ready[source].result(seed)
        if result is None and ready[source].error(seed):
            words = f'it needs {source!r}, which failed'
            folder = prepared.seed_folder(seed)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / 'error.txt').write_text(words)
            raise JobError(words)
        if result is None:
            raise run_seeds.TimeIsUpError
        found[source] = Path(result['checkpoint'])
    return found


def data_of(cfg: Mapping) -> str:
    """Return the names of the folders from which a config reads."""
    found: list[str] = []

    def look(part: object) -> None:
        if isinstance(part, Mapping):
            if isinstance(part.get('data_root'), str):
                found.append(Path(part['data_root']).name)
            for value in part.values():
                look(value)
        elif isinstance(part, (list, tuple)):
            for value in part:
                look(value)

    for split in ('train', 'test'):
        look(cfg.get(f'{split}_dataloader'))
    return ', '.join(dict.fromkeys(found))


def main(argv: Sequence[str] | None = None) -> int:
    """Run and tabulate.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.

    Returns:
        int: 0 if all is there, 1 if a row failed, 3 if time was up.

    Raises:
        ValueError: If the file is no table or ``--rows`` are not in it.
    """
    import logging

    from mmengine.logging import MMLogger

    from mmcrack.paths import config_path
    args = parse_args(argv)
    if args.data_root:
        os.environ['MMCRACK_DATA'] = str(args.data_root.resolve())
    MMLogger.get_current_instance().setLevel(logging.ERROR)
    args.work_dir = args.work_dir.resolve()
    root = Path(config_path('_base_/default_runtime')).parents[1]
    table = read_table(args.table, root)
    table = table._replace(
        epochs=args.epochs or table.epochs,
        max_iters=args.max_iters or table.max_iters,
        seeds=args.seeds or table.seeds)
    chosen_rows(table, args.rows)
    ready, wrong = prepare_rows(table, args)
    for name, words in wrong.items():
        say(f'{name} cannot run: {words}')
    code = 0
    if not args.tabulate:
        code = run_jobs(table, ready, wrong, args)
        if set(wrong) & set(chosen_rows(table, args.rows)):
            code = max(code, FAILED)
    print(write_tables(table, ready, wrong, args))
    return code


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    run_seeds.stop_when_told()
    codes: list[int] = []
    return run_tool(lambda: codes.append(main()), 'run_table.py') or codes[0]


if __name__ == '__main__':
    sys.exit(command())
