"""Many photographs into a folder: resumed, shared, never stopped by one."""

import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mmcrack.engine.sentences import DEBUG_VARIABLE, explain
from mmcrack.inference.files import (
    OutputError,
    prepare_folder,
    read_json,
    write_json,
)
from mmcrack.inference.inferencer import CrackInferencer
from mmcrack.inference.inputs import Item, list_photographs
from mmcrack.inference.outputs import (
    PhotographHook,
    RunHook,
    Wanted,
    write_outputs,
)
from mmcrack.inference.processes import Processes
from mmcrack.inference.progress import Progress
from mmcrack.inference.summary import write_summary

RECORDS = 'records'


class Outcome(NamedTuple):
    """How a run ended.

    Attributes:
        done (int): Photographs that were predicted now.
        kept (int): Photographs of which results were there already.
        failed (list[dict]): ``file`` and ``reason`` of the others.
    """

    done: int
    kept: int
    failed: list[dict]


def infer_folder(inferencer: CrackInferencer,
                 inputs: Sequence[str],
                 out: str | os.PathLike,
                 *,
                 wanted: Wanted = Wanted(),  # noqa: B008 - immutable
                 overwrite: bool = False,
                 processes: Processes | None = None,
                 photograph_hooks: Sequence[PhotographHook] = (),
                 run_hooks: Sequence[RunHook] = (),
                 show: bool = True) -> Outcome:
    """Predict photographs and write results; go on where a run stopped.

    A photograph is done when ``records/NAME.json``, which is written last,
    is there, its files are, and the photograph has not changed since. Each
    file is written beside its place and then moved. A photograph that
    cannot be read is reported, and the next run tries it again.

    Args:
        inferencer (CrackInferencer): The network.
        inputs (Sequence[str]): Files, folders, patterns.
        out (str | PathLike): Where to write.
        wanted (Wanted): Which files.
        overwrite (bool): Begin anew, whatever is there.
        processes (Processes, optional): Those that share the list.
        photograph_hooks (Sequence[PhotographHook]): More for each one.
        run_hooks (Sequence[RunHook]): More at the end.
        show (bool): Tell the progress on the error stream.

    Returns:
        Outcome: Of all processes.

    Raises:
        FileNotFoundError: If an input is not there.
        ValueError: If ``out`` holds results made with other settings.
        OutputError: If ``out`` cannot be written to.
        LostWorkerError: If another process is gone.
    """
    out = Path(out)
    processes = processes or Processes('none')
    settings = _settings(inferencer, wanted, photograph_hooks)
    items, pending = processes.from_first(
        lambda: _prepare(inputs, out, settings, overwrite))
    mine = pending[processes.rank::processes.count]
    progress = Progress(len(mine), show=show and processes.rank == 0)
    reports: list[dict] = []
    try:
        for item in mine:
            progress.start(item.name)
            reason = _one(inferencer, item, out, wanted, photograph_hooks,
                          progress)
            if reason is not None:
                reports.append(dict(file=item.path, reason=reason))
                print(f'failed: {reason}', file=sys.stderr, flush=True)
    except OutputError as error:
        reports.append(dict(stop=str(error)))
    reports = processes.gather(reports)
    stops = [r['stop'] for r in reports if 'stop' in r]
    if stops:
        if processes.rank:
            raise SystemExit(2)
        raise OutputError(stops[0])
    order = {item.path: n for n, item in enumerate(items)}
    failed = sorted(reports, key=lambda r: order[r['file']])
    processes.from_first(lambda: _finish(out, items, failed, run_hooks))
    return Outcome(len(pending) - len(failed), len(items) - len(pending),
                   failed)


def _prepare(inputs: Sequence[str], out: Path, settings: dict,
             overwrite: bool) -> tuple[list[Item], list[Item]]:
    """List the photographs, and those that are not done."""
    items = list_photographs(inputs, leave_out=out)
    prepare_folder(out)
    if overwrite:
        shutil.rmtree(out / RECORDS, ignore_errors=True)
    else:
        _check_settings(out, settings)
    write_json(out / 'settings.json', settings)
    return items, [i for i in items if not _is_done(i, out)]


def _settings(inferencer: CrackInferencer, wanted: Wanted,
              hooks: Sequence[PhotographHook]) -> dict:
    """Return what results depend on, as JSON gives it back."""
    tiling = {k: v for k, v in inferencer.tiling.items()
              if k != 'batch_size'}
    return dict(
        network=inferencer.backend.description,
        threshold=inferencer.threshold, with_variance=inferencer.with_variance,
        **tiling, **wanted._asdict(), hooks=[hook.name for hook in hooks])


def _check_settings(out: Path, settings: dict) -> None:
    """Refuse to mix results of two networks in one folder."""
    before = read_json(out / 'settings.json')
    if before is None or not (out / RECORDS).is_dir():
        return
    changed = [f'{key}: {before.get(key)!r} there, {value!r} now'
               for key, value in settings.items() if before.get(key) != value]
    if changed:
        raise ValueError(
            f'The folder {str(out)!r} holds results made in another way '
            f'({"; ".join(changed)}): choose another --out, or --overwrite '
            'to replace them.')


def _stamp(path: str) -> dict[str, int]:
    """Return what tells that a file has changed."""
    status = os.stat(path)
    return dict(bytes=status.st_size, changed_ns=status.st_mtime_ns)


def _record_path(item: Item, out: Path) -> Path:
    return out / RECORDS / f'{item.name}.json'


def _is_done(item: Item, out: Path) -> bool:
    """Whether all results of a photograph are there and of this file."""
    record = read_json(_record_path(item, out))
    return (isinstance(record, dict) and record.get('file') == item.path
            and record.get('stamp') == _stamp(item.path)
            and all((out / path).is_file()
                    for path in record['files'].values()))


def _one(inferencer: CrackInferencer, item: Item, out: Path, wanted: Wanted,
         hooks: Sequence[PhotographHook], progress: Progress) -> str | None:
    """Predict one photograph; returns why it failed, if it did."""
    started = time.perf_counter()
    try:
        stamp = _stamp(item.path)
        prediction = inferencer.predict(
            item.path, folder=str(out), on_tiles=progress.tiles)
        try:
            files, figures = write_outputs(prediction, item.name, out, wanted)
            more = {hook.name: hook(prediction, Path(item.path), item.name,
                                    out) for hook in hooks}
        finally:
            prediction.photograph.close()
        seconds = time.perf_counter() - started
        megapixels = prediction.mask.size / 1e6
        write_json(_record_path(item, out), dict(
            name=item.name, file=item.path, stamp=stamp, files=files,
            figures=figures, hooks=more, seconds=round(seconds, 3)))
    except OutputError:
        raise
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE, '') not in ('', '0'):
            raise
        # Whatever one photograph does, the rest must go on.
        reason = explain(error) or f'{type(error).__name__}: {error}'
        if item.path not in reason:
            reason = f'{item.path}: {reason}'
        progress.finish('failed')
        return reason
    progress.finish(f'{seconds / megapixels:.2f} s per megapixel')
    return None


def _finish(out: Path, items: Sequence[Item], failed: Sequence[dict],
            hooks: Sequence[RunHook]) -> None:
    """Write the tables of the run, and what else is wanted."""
    records = [read_json(_record_path(i, out)) for i in items
               if _is_done(i, out)]
    write_summary(out, items, records, failed)
    for hook in hooks:
        hook(out, records)
