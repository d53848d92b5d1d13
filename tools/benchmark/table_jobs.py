"""One row and one seed of a table: trained, resumed, tested, remembered.

A job has a folder of its own, whose name holds a fingerprint of the config
with its settings and its budget. So a result is taken for done only where
all of that is the same, and no schedule is resumed under another one. ::

    WORK_DIR/TABLE/ROW-FINGERPRINT/look.json      cost and images
                                  /seed_0/config.py, run.log
                                         /train/, test_last/, test_best/
                                         /result.json or error.txt
"""

import copy
import hashlib
import json
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import run_seeds
from run_seeds import TOOLS
from tables import REFERENCE, Table, TableRow, is_file

# What decides the outcome; where images lie and who reads them does not.
PARTS = ('model', 'train_dataloader', 'val_dataloader', 'test_dataloader',
         'val_evaluator', 'test_evaluator', 'optim_wrapper',
         'param_scheduler', 'train_cfg', 'custom_hooks', 'load_from',
         'first_stage', 'tta_model')
_MACHINE_KEYS = ('num_workers', 'persistent_workers', 'pin_memory',
                 'prefetch_factor')
_STEP = re.compile(r'(?:epoch|iter)_(\d+)\.pth$')


class JobError(Exception):
    """A job that failed; one sentence."""


class Prepared(NamedTuple):
    """A row as it will be run.

    Attributes:
        row (TableRow): The row.
        cfg (Config): Its config with all settings but the budget.
        epochs (int, optional): Budget of configs that count epochs.
        max_iters (int, optional): Of those that count iterations.
        settings (dict[str, Any]): Options that also win over the budget.
        fingerprint (str): Of all that and of the rows it stands on.
        folder (Path): Of its seeds.
        lock (Lock): Held while its ``look.json`` is made.
    """

    row: TableRow
    cfg: Any
    epochs: int | None
    max_iters: int | None
    settings: dict[str, Any]
    fingerprint: str
    folder: Path
    lock: Any

    def seed_folder(self, seed: int) -> Path:
        """Return the folder of one job."""
        return self.folder / f'seed_{seed}'

    def result(self, seed: int) -> dict | None:
        """Return what a finished job found, None before."""
        path = self.seed_folder(seed) / 'result.json'
        return json.loads(path.read_text()) if path.is_file() else None

    def error(self, seed: int) -> str:
        """Return why a job failed the last time, '' if it did not."""
        path = self.seed_folder(seed) / 'error.txt'
        return path.read_text().strip() if path.is_file() else ''

    @property
    def length(self) -> tuple[int, str]:
        """Length of the training and its unit."""
        if 'max_epochs' in self.cfg.train_cfg:
            return self.epochs or self.cfg.train_cfg.max_epochs, 'epoch'
        return self.max_iters or self.cfg.train_cfg.max_iters, 'iteration'


def prepare(row: TableRow, table: Table, options: Mapping[str, Any],
            work_dir: Path, sources: Mapping[str, Prepared]) -> Prepared:
    """Read a row's config and check that its budget can be had.

    Args:
        row (TableRow): With a config.
        table (Table): Its table, with the budget as it will be run.
        options (Mapping[str, Any]): ``--cfg-options``.
        work_dir (Path): Of the table.
        sources (Mapping[str, Prepared]): Rows whose weights it needs.

    Returns:
        Prepared: The row.

    Raises:
        FileNotFoundError: If there is no such config.
        ValueError: If it does not fit the settings or the budget.
    """
    from mmcrack.engine.budget import budget_options
    from mmcrack.engine.launch import load_config
    settings = {**table.options, **row.options, **options}
    cfg = load_config(str(row.config), settings)
    if table.test_on:
        cfg.test_dataloader = load_config(str(table.test_on)).test_dataloader
    epochs, max_iters = (n and max(1, round(n * row.length))
                         for n in (table.epochs, table.max_iters))
    budget_options(cfg, epochs=epochs, max_iters=max_iters)
    more = dict(
        epochs=epochs, max_iters=max_iters,
        checkpoint=row.checkpoint, load_from=row.load_from,
        sources=[sources[s].fingerprint for s in row.sources
                 if not is_file(s)])
    if row.test_options:
        more['test_options'] = row.test_options
    fingerprint = fingerprint_of(cfg, more)
    slug = re.sub(r'[^A-Za-z0-9]+', '_', row.name).strip('_') or 'row'
    return Prepared(row, cfg, epochs, max_iters, settings,
                    fingerprint, work_dir / f'{slug}-{fingerprint[:8]}',
                    threading.Lock())


def fingerprint_of(cfg: Any, more: Mapping[str, Any]) -> str:
    """Return a hash of what decides the outcome of a training and its test.

    Args:
        cfg (Config): A whole config.
        more (Mapping[str, Any]): Budget and the like.

    Returns:
        str: The same wherever data and processes are, 40 letters.
    """
    root = os.environ.get('MMCRACK_DATA', 'data')

    def plain(part: Any) -> Any:
        if isinstance(part, Mapping):
            return {str(k): plain(v) for k, v in part.items()
                    if k not in _MACHINE_KEYS}
        if isinstance(part, (list, tuple)):
            return [plain(v) for v in part]
        if isinstance(part, str) and part.startswith(f'{root}/'):
            return f'<data>{part[len(root):]}'
        return part

    kept = {key: plain(cfg.get(key)) for key in PARTS}
    text = json.dumps([kept, plain(more)], sort_keys=True, default=str)
    return hashlib.sha1(text.encode()).hexdigest()


class Job:
    """A row and a seed.

    Args:
        prepared (Prepared): The row.
        seed (int): The seed.
        table (Table): Its table.
        deadline (float, optional): ``time.monotonic()`` at which it stops.
        machine (Mapping[str, str]): Of the result: hardware, torch, commit.
        tell (Callable): Is told (job, what it does, share of its training).
    """

    def __init__(self, prepared: Prepared, seed: int, table: Table,
                 deadline: float | None, machine: Mapping[str, str],
                 tell: Callable[['Job', str, float], None]) -> None:
        self.prepared, self.seed, self.table = prepared, seed, table
        self.deadline, self.machine, self.tell = deadline, machine, tell
        self.name = f'{prepared.row.name}, seed {seed}'
        self.folder = prepared.seed_folder(seed)
        self.log = self.folder / 'run.log'
        self._looked = 0.

    def run(self, checkpoints: Mapping[str, Path]) -> None:
        """Train, test and remember; nothing where that was done.

        Args:
            checkpoints (Mapping[str, Path]): Of the rows that it needs.

        Raises:
            JobError: If a tool fails; its words.
            TimeIsUpError: If it had to stop.
        """
        with run_seeds.folder_lock(self.folder, self.deadline):
            if self.prepared.result(self.seed):
                return
            (self.folder / 'error.txt').unlink(missing_ok=True)
            try:
                self._work(checkpoints)
            except (RuntimeError, ValueError, OSError) as error:
                words = f'{words_of(self.log)} (log: {self.log})' \
                    if isinstance(error, RuntimeError) else str(error)
                (self.folder / 'error.txt').write_text(words)
                raise JobError(words) from error

    def _work(self, checkpoints: Mapping[str, Path]) -> None:
        """See :meth:`run`."""
        found = self._look()
        row, config = self.prepared.row, self.folder / 'config.py'
        self._config(found['epoch_length'], checkpoints).dump(config)
        train_dir, best = self.folder / 'train', None
        seconds: float | None = None
        if row.checkpoint:
            last = _file_of(row.checkpoint, checkpoints)
        else:
            last = self._train(config, train_dir)
            seconds = round(_number(self.folder / 'train_seconds'), 1)
            if found['own_validation']:
                best = best_checkpoint(train_dir)
        if not row.show:
            best = None
        result = dict(
            last=self._test(config, last, 'last') if row.show else {},
            best=None,
            best_checkpoint=None,
            checkpoint=str(last),
            train_seconds=seconds,
            seed=self.seed,
            **found,
            **self.machine)
        if best is not None:
            result['best_checkpoint'] = best.name
            result['best'] = result['last'] if step_of(best) == step_of(
                last) else self._test(config, best, 'best')
        _write_whole(self.folder / 'result.json', json.dumps(result))

    def _look(self) -> dict:
        """Return cost and images of the row, looked at once."""
        size = 'x'.join(map(str, self.table.flops_size))
        path = self.prepared.folder / f'look_{size}.json'
        with self.prepared.lock:
            if not path.is_file():
                self.tell(self, 'looking at the network and the data', 0.)
                config = self.folder / 'config_as_it_is.py'
                self.prepared.cfg.dump(config)
                self._call(TOOLS / 'benchmark/cost.py', config, '--shape',
                           *self.table.flops_size, '--out', path,
                           *([] if self.prepared.row.show
                             else ['--images-only']))
        return json.loads(path.read_text())

    def _config(self, epoch_length: int,
                checkpoints: Mapping[str, Path]) -> Any:
        """Return the config with budget, seed and weights."""
        from mmcrack.engine.budget import budget_options
        prepared, row = self.prepared, self.prepared.row
        cfg = copy.deepcopy(prepared.cfg)
        budget = budget_options(cfg, epochs=prepared.epochs,
                                max_iters=prepared.max_iters,
                                epoch_length=epoch_length)
        cfg.merge_from_dict(budget)
        own = {key: _resolved(value, checkpoints)
               for key, value in prepared.settings.items()}
        # A setting that was asked for stands, whatever the budget says.
        cfg.merge_from_dict(own)
        cfg.merge_from_dict({'randomness.seed': self.seed})
        if row.load_from:
            cfg.load_from = str(_file_of(row.load_from, checkpoints))
        return cfg

    def _train(self, config: Path, train_dir: Path) -> Path:
        """Train or go on; return the last checkpoint."""
        mark, pointer = train_dir / 'trained', train_dir / 'last_checkpoint'
        if not mark.exists():
            self.tell(self, 'training', self.share())
            resume = ['--resume'] if list(train_dir.glob('*.pth')) else []
            self._call(TOOLS / 'train.py', config, '--work-dir', train_dir,
                       *resume, tick=self._tick)
            mark.touch()
        return Path(pointer.read_text().strip())

    def _tick(self, seconds: float) -> None:
        """Count the seconds of a training; tell how far it is."""
        path = self.folder / 'train_seconds'
        _write_whole(path, str(_number(path) + seconds))
        if time.monotonic() - self._looked > 5:
            self._looked = time.monotonic()
            self.tell(self, 'training', self.share())

    def share(self) -> float:
        """Return how much of the training the last logs have, in [0, 1]."""
        logs = sorted((self.folder / 'train').glob('*/vis_data/scalars.json'))
        length, unit = self.prepared.length
        for path in reversed(logs):
            for line in reversed(path.read_text().splitlines()):
                try:
                    entry = json.loads(line)
                except ValueError:  # half a line
                    continue
                if 'loss' in entry:
                    done = entry.get('epoch', 1) - 1 if unit == 'epoch' \
                        else entry.get('iter', entry.get('step', 0))
                    return min(1., done / length)
        return 0.

    def _test(self, config: Path, checkpoint: Path,
              name: str) -> dict[str, float]:
        """Test a checkpoint; return all its figures."""
        self.tell(self, f'testing the {name} checkpoint', 1.)
        folder = self.folder / f'test_{name}'
        options = [f'{key}={value}' for key, value
                   in self.prepared.row.test_options.items()]
        self._call(TOOLS / 'test.py', config, checkpoint, '--work-dir',
                   folder, *(['--cfg-options', *options] if options else []))
        figures = run_seeds.newest_figures(folder)
        return {key: value for key, value in figures.items()
                if isinstance(value, (int, float))}

    def _call(self, *command: object, **more: Any) -> None:
        run_seeds.call(*command, log=self.log, deadline=self.deadline, **more)


def words_of(log: Path) -> str:
    """Return what the tool that wrote a log last complained of."""
    lines = [line.strip() for line in log.read_text(
        errors='replace').splitlines() if line.strip()]
    told = [line for line in lines[-40:] if re.match(r'\w+\.py: error: ',
                                                     line)]
    return (told or lines or ['it ended without a word'])[-1][:500]


def best_checkpoint(train_dir: Path) -> Path | None:
    """Return the newest best checkpoint of a training, None without one."""
    found = [p for p in train_dir.glob('best_*.pth')]
    return max(found, key=lambda p: p.stat().st_mtime, default=None)


def step_of(checkpoint: Path) -> int | None:
    """Return the epoch or iteration of a checkpoint by its name."""
    match = _STEP.search(checkpoint.name)
    return int(match.group(1)) if match else None


def _file_of(source: str, checkpoints: Mapping[str, Path]) -> Path:
    """Return the weights that a row names."""
    return Path(source) if is_file(source) else checkpoints[source]


def _resolved(value: Any, checkpoints: Mapping[str, Path]) -> Any:
    """Put checkpoints' paths in place of their rows' names."""
    if not isinstance(value, str):
        return value
    return REFERENCE.sub(lambda m: str(_file_of(m.group(1), checkpoints)),
                         value)


def _number(path: Path) -> float:
    return float(path.read_text()) if path.is_file() else 0.


def _write_whole(path: Path, text: str) -> None:
    """Write a file that is whole whenever it is read."""
    part = path.with_suffix('.part')
    part.write_text(text)
    part.replace(path)
