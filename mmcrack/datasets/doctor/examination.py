"""Examine a set: measure every pair, then judge pairs and set."""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

import numpy as np

from mmcrack.datasets.doctor.crops import (
    Keypoints,
    Overlap,
    find_overlaps,
    keypoint_number,
)
from mmcrack.datasets.doctor.duplicates import Copy, find_copies
from mmcrack.datasets.doctor.findings import (
    GRAVE,
    Finding,
    sorted_findings,
)
from mmcrack.datasets.doctor.judging_pairs import judge_pairs
from mmcrack.datasets.doctor.judging_sets import judge_copies, judge_labels
from mmcrack.datasets.doctor.record import Record, measure
from mmcrack.datasets.doctor.sources import Source
from mmcrack.datasets.doctor.widths import WIDTH_BOUNDS

Progress = Callable[[str, int, int], None]
WHOLE = 'whole set'


@dataclass(frozen=True)
class Examination:
    """A set with all that was found.

    Attributes:
        source: What was examined.
        records: Of every pair.
        findings: Grave ones first.
        figures: Of each split and of all: counts, crack share, widths.
    """

    source: Source
    records: Sequence[Record]
    findings: Sequence[Finding]
    figures: dict

    @property
    def grave(self) -> bool:
        """Whether a finding is grave."""
        return any(f.severity == GRAVE for f in self.findings)


def examine(
    source: Source,
    *,
    workers: int = 1,
    crops: bool = True,
    progress: Progress = lambda what, done, total: None,
) -> Examination:
    """Examines a set.

    Args:
        source: Its pairs.
        workers: Processes that measure, >= 1.
        crops: Whether to look for crops of one photograph, which takes most
            of the time.
        progress: Called with the step, what is done and all of it.

    Returns:
        What was found.

    Raises:
        ValueError: If ``workers`` is less than 1.
    """
    if workers < 1:
        raise ValueError(f'workers must be at least 1, got {workers}')
    number = keypoint_number(len(source.items)) if crops else 0
    records = _measured(source, number, workers, progress)
    copies, overlaps = _compared(records, crops, progress)
    findings = sorted_findings([
        *judge_pairs(records),
        *judge_copies(records, copies, overlaps),
        *judge_labels(records),
    ])
    return Examination(source, records, findings, set_figures(records))


def show(what: str, done: int, total: int) -> None:
    """Shows progress on the error stream.

    Args:
        what: The step.
        done: Part of it.
        total: All of it.
    """
    if sys.stderr.isatty():
        filled = 30 * done // max(total, 1)
        bar = '#' * filled + '.' * (30 - filled)
        end = '\n' if done >= total else ''
        print(f'\r{what:22s} [{bar}] {done}/{total}', end=end,
              file=sys.stderr, flush=True)
    elif done >= total or total and (
            done * 4 // total != (done - 1) * 4 // total):
        print(f'{what}: {done}/{total}', file=sys.stderr, flush=True)


def set_figures(records: Sequence[Record]) -> dict:
    """Crack share and width distribution of each split and of the set.

    Args:
        records: Of every pair.

    Returns:
        For each split and :data:`WHOLE`: ``images``, ``masks``, ``sizes``,
        ``crack_share`` (quantiles 0, 5, 50, 95, 100 %, and mean),
        ``width`` (quantiles of the images' medians in pixels, and the
        share of skeleton pixels in each class) or None.
    """
    splits = sorted({r.item.split for r in records})
    groups = {s: [r for r in records if r.item.split == s] for s in splits}
    if len(splits) != 1:
        groups[WHOLE] = list(records)
    return {name: _figures(group) for name, group in groups.items()}


def _measured(
    source: Source, keypoints: int, workers: int, progress: Progress
) -> list[Record]:
    total = len(source.items)
    task = partial(measure, keypoints=keypoints)
    records = []
    progress('pairs', 0, total)
    if workers == 1 or total < 2:
        for item in source.items:
            records.append(task(item))
            progress('pairs', len(records), total)
        return records
    # Not forked: OpenCV's and torch's threads do not survive a fork.
    with ProcessPoolExecutor(
            min(workers, total), mp_context=get_context('spawn')) as pool:
        for record in pool.map(task, source.items, chunksize=4):
            records.append(record)
            progress('pairs', len(records), total)
    return records


def _compared(
    records: Sequence[Record], crops: bool, progress: Progress
) -> tuple[list[Copy], list[Overlap]]:
    """Copies and overlaps, as indices into all records."""
    seen: dict[str, int] = {}
    for index, record in enumerate(records):
        # Of identical images one is compared, from each split.
        key = record.pixels_hash + record.item.split
        if record.pixels_hash:
            seen.setdefault(key, index)
    index = list(seen.values())
    copies = find_copies(
        [records[i].thumb for i in index], partial(progress, 'copies'))
    copies = [c._replace(first=index[c.first], second=index[c.second])
              for c in copies]
    if not crops or len(index) < 2:
        return copies, []
    overlaps = find_overlaps(
        [records[i].keypoints or Keypoints(
            np.zeros((0, 2), np.float32), np.zeros((0, 128), np.uint8))
         for i in index],
        [records[i].item.split for i in index],
        [str(records[i].item.image) for i in index],
        partial(progress, 'crops of a photograph'))
    return copies, [
        o._replace(first=index[o.first], second=index[o.second])
        for o in overlaps]


def _figures(records: Sequence[Record]) -> dict:
    shares = [r.share for r in records if r.share is not None]
    widths = [r.widths for r in records if r.widths is not None]
    sizes: dict[str, int] = {}
    for record in records:
        if record.size is not None:
            size = f'{record.size[1]}x{record.size[0]}'
            sizes[size] = sizes.get(size, 0) + 1
    figures = {
        'images': sum(r.item.image is not None for r in records),
        'masks': sum(r.item.mask is not None for r in records),
        'sizes': dict(sorted(sizes.items())),
        'crack_share': None,
        'width': None,
    }
    if shares:
        figures['crack_share'] = _quantiles(shares) | {
            'mean': round(float(np.mean(shares)), 6)}
    if widths:
        counts = np.sum([w.counts for w in widths], axis=0)
        classes = [f'<= {b}' for b in WIDTH_BOUNDS[:-1]]
        classes.append(f'> {WIDTH_BOUNDS[-2]}')
        parts = counts / max(int(counts.sum()), 1)
        figures['width'] = _quantiles([w.median for w in widths]) | {
            'distribution': {
                c: round(float(p), 4)
                for c, p in zip(classes, parts, strict=True)}}
    return figures


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    found = np.quantile(values, [0, 0.05, 0.5, 0.95, 1])
    names = ('min', 'p5', 'median', 'p95', 'max')
    return {n: round(float(v), 6) for n, v in zip(names, found, strict=True)}
