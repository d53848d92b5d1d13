"""Score images that lie in files, in any number of processes.

Not in the papers. What a file holds is not known here: a function is handed
in that reads a case.
"""

import concurrent.futures
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from mmcrack.evaluation.scores.base import ScoredImage
from mmcrack.evaluation.scores.suite import Suite

_BAR = 30
_job: list = []


class UnusableFile(Exception):
    """A file that cannot be read or scored; its message is a sentence."""


class Scored(NamedTuple):
    """Rows of all images.

    Attributes:
        rows (dict[str, list[dict]]): By role, in the order of the cases.
        read_seconds (float): Of a processor, to read one image's files, on
            average.
        score_seconds (float): Of a processor, to score one image.
    """

    rows: dict
    read_seconds: float
    score_seconds: float


def score_cases(cases: Sequence, read: Callable[[Any], dict],
                suites: dict, *, workers: int = 1,
                progress: bool = True) -> Scored:
    """Score all cases.

    Args:
        cases (Sequence): Whatever ``read`` takes; to be sent to processes.
        read (Callable): Case to a dict: for each role the keyword arguments
            of :class:`ScoredImage`. Its ValueError and OSError are the
            user's to mend.
        suites (dict[str, Suite]): What is taken of each role.
        workers (int): Processes; 1 works in this one.
        progress (bool): Whether to tell on stderr how far it is.

    Returns:
        Scored: The same for any number of processes.

    Raises:
        ValueError: If a file cannot be used, or ``workers`` is below 1.
    """
    if workers < 1:
        raise ValueError(f'workers must be at least 1, got {workers}.')
    tell = _Teller(len(cases), progress)
    results = []
    try:
        for result in _results(cases, read, suites, workers):
            results.append(result)
            tell.done(len(results))
    except UnusableFile as error:
        raise ValueError(str(error)) from None
    finally:
        tell.close()
    count = max(len(results), 1)
    return Scored(
        {role: [rows[role] for rows, _, _ in results] for role in suites},
        sum(r[1] for r in results) / count,
        sum(r[2] for r in results) / count)


def _results(cases, read, suites, workers):
    """Rows and times of each case, in order, as they come."""
    workers = min(workers, max(len(cases), 1))
    if workers == 1:
        for case in cases:
            yield score_case(case, read, suites)
        return
    with concurrent.futures.ProcessPoolExecutor(
            workers, multiprocessing.get_context('spawn'),
            initializer=_prepare, initargs=(read, suites)) as pool:
        try:
            yield from pool.map(_score_prepared, cases)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _prepare(read, suites) -> None:
    """Set a worker up: one thread, as there is a process for each core."""
    import cv2
    import torch
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    _job[:] = [read, suites]


def _score_prepared(case):
    """Score a case in a worker."""
    return score_case(case, *_job)


def score_case(case: Any, read: Callable[[Any], dict], suites: dict[str,
                                                                    Suite]):
    """Score one case.

    Args:
        case (Any): What ``read`` takes.
        read (Callable): See :func:`score_cases`.
        suites (dict[str, Suite]): What is taken of each role.

    Returns:
        tuple[dict, float, float]: Row by role; a processor's seconds for
        reading and for scoring.

    Raises:
        UnusableFile: If a file cannot be read.
    """
    begin = time.process_time()
    try:
        images = read(case)
    except (ValueError, TypeError, OSError) as error:
        raise UnusableFile(str(error)) from error
    middle = time.process_time()
    rows = {role: suite.measure(ScoredImage(**images[role]))
            for role, suite in suites.items()}
    return rows, middle - begin, time.process_time() - middle


class _Teller:
    """A bar on a terminal; elsewhere a line every few seconds."""

    def __init__(self, total: int, shown: bool) -> None:
        self.total, self.shown = total, shown and total > 0
        self.begin = self.told = time.monotonic()
        self.terminal = sys.stderr.isatty()
        self.open = False

    def done(self, count: int) -> None:
        """Tell that so many are done."""
        now = time.monotonic()
        wait = 0.1 if self.terminal else 5
        if not self.shown or (count < self.total and now - self.told < wait):
            return
        self.told = now
        each = (now - self.begin) / count
        text = (f'{count} of {self.total} images, {each:.2g} s each, '
                f'{each * (self.total - count):.0f} s left')
        if self.terminal:
            bar = '#' * (_BAR * count // self.total)
            text = f'\r[{bar:{_BAR}}] {text}'
            width = os.get_terminal_size(sys.stderr.fileno()).columns
            text = f'{text[:max(width, 20)]:{min(width, 79)}}'
        print(text, end='' if self.terminal else '\n', file=sys.stderr,
              flush=True)
        self.open = self.terminal

    def close(self) -> None:
        """Leave the line of the bar."""
        if self.open:
            print(file=sys.stderr)
