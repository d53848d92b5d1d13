"""Measure what a run of the inferencer found, photograph by photograph."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmcrack.datasets.images import open_upright
from mmcrack.inference.files import read_json
from mmcrack.measurement.classes import check_limits, class_index
from mmcrack.measurement.cracks import measure_cracks

MM_LIMITS, PX_LIMITS = (0.1, 0.2, 0.3), (3.0, 6.0, 12.0)


class Crack(NamedTuple):
    """One crack, as a report shows it; widths and lengths in pixels.

    Attributes:
        number (int): Within its photograph, the longest is 1.
        length (float): Of its centreline.
        mean (float): Mean width; NaN if none is known.
        widest (float): Largest width; NaN if none is known.
        spread (float): Standard deviation of that width, from the
            probability; NaN without one.
        orientation (float): Degrees in [0, 180); NaN without a length.
        place (tuple[float, float]): (x, y) of the widest place.
        normal (tuple[float, float]): Across the crack there.
        lines (list[array]): Centrelines, float32, (K, 2), (x, y).
    """

    number: int
    length: float
    mean: float
    widest: float
    spread: float
    orientation: float
    place: tuple[float, float]
    normal: tuple[float, float]
    lines: list


class Found(NamedTuple):
    """What was found on one photograph.

    Attributes:
        record (dict): Of the run.
        scale (float): Units per pixel; 1 where the unit is the pixel.
        cracks (list[Crack]): The longest first.
        widths (array): float32, (K,), along all cracks, in units; where
            a place has none, as at a junction, the mean of its branch.
        lengths (array): float32, (K,), of crack with each width, in units.
    """

    record: dict
    scale: float
    cracks: list
    widths: NDArray[np.float32]
    lengths: NDArray[np.float32]

    @property
    def name(self) -> str:
        """Of the photograph's results."""
        return self.record['name']

    @property
    def length(self) -> float:
        """Of all cracks, in units."""
        return sum(crack.length for crack in self.cracks) * self.scale

    @property
    def widest(self) -> float:
        """Largest width in units; NaN without a crack."""
        known = [c.widest for c in self.cracks if not math.isnan(c.widest)]
        return max(known) * self.scale if known else math.nan


class Survey(NamedTuple):
    """What was found on all photographs of a run.

    Attributes:
        out (Path): Folder of the run.
        unit (str): 'mm' or 'px'.
        limits (tuple[float, ...]): Of the width classes, in units.
        found (list[Found]): In the order of the run.
        failed (list[dict]): ``file`` and ``reason`` of what failed.
        min_length (float): Shorter cracks were left out, in units.
    """

    out: Path
    unit: str
    limits: tuple
    found: list
    failed: list
    min_length: float = 0.0

    def class_of(self, width: float) -> int:
        """Number of the class of a width in units; -1 if it is unknown."""
        return -1 if math.isnan(width) else class_index(width, self.limits)

    def class_names(self) -> list[str]:
        """Name the classes, the narrowest first."""
        text = [f'{limit:g}' for limit in self.limits]
        return [f'up to {text[0]} {self.unit}',
                *(f'{a} to {b} {self.unit}' for a, b in zip(
                    text, text[1:], strict=False)),
                f'above {text[-1]} {self.unit}']

    def by_class(self) -> list[dict]:
        """Sum up each class, the widest first.

        Returns:
            list[dict]: ``name``; ``photographs`` and ``cracks`` whose
            widest place is in the class; ``length`` of all crack with such
            a width, in units, and its ``share`` in percent.
        """
        names = self.class_names()
        photographs = [self.class_of(f.widest) for f in self.found]
        cracks = [self.class_of(c.widest * f.scale)
                  for f in self.found for c in f.cracks]
        lengths = np.zeros(len(names))
        for f in self.found:
            lengths += np.bincount(
                np.searchsorted(self.limits, f.widths),
                weights=f.lengths, minlength=len(names))
        total = lengths.sum()
        return [dict(name=names[k], index=k,
                     photographs=photographs.count(k),
                     cracks=cracks.count(k), length=float(lengths[k]),
                     share=float(100 * lengths[k] / total) if total else 0.)
                for k in range(len(names))[::-1]]

    def histogram(self, most: int = 24) -> tuple[list[float], list[float]]:
        """Sum up the length of crack by width.

        Args:
            most (int): How many bins at most.

        Returns:
            tuple[list, list]: Edges of the bins in units, one more than
            lengths in units. A width at an edge belongs to the bin below;
            the last bin holds what is wider, too (1 % of the length at
            most).
        """
        widths = np.concatenate([f.widths for f in self.found])
        lengths = np.concatenate([f.lengths for f in self.found])
        if not len(widths):
            return [0.0, 1.0], [0.0]
        order = np.argsort(widths, kind='stable')
        run = np.cumsum(lengths[order], dtype=np.float64)
        top = float(widths[order][np.searchsorted(run, 0.99 * run[-1])])
        power = 10 ** math.floor(math.log10(max(top, 1e-6) / most))
        step = next(s * power for s in (1, 2, 5, 10, 20)
                    if s * power * most >= top)
        count = max(math.ceil(top / step - 1e-9), 1)
        edges = [round(n * step, 9) for n in range(count + 1)]
        bins = np.searchsorted(edges[1:-1], widths)
        sums = np.bincount(bins, weights=lengths, minlength=count)
        return edges, sums.tolist()


def take_survey(out: Path, *,
                scale_of: Callable[[dict], float] | None = None,
                limits: Sequence[float] | None = None,
                min_length: float = 0.0,
                tell: Callable[[str], Any] = lambda text: None) -> Survey:
    """Measure all masks of a run.

    Args:
        out (Path): Folder of the run, with ``summary.json`` and masks.
        scale_of (Callable, optional): Record to millimetres per pixel. None:
            everything is in pixels.
        limits (Sequence[float], optional): Of the width classes in
            millimetres, or pixels without scale; by default 0.1, 0.2, 0.3
            mm or 3, 6, 12 pixels.
        min_length (float): Shorter cracks are left out, in millimetres, or
            pixels without scale.
        tell (Callable): Told how far it is.

    Returns:
        Survey: Of all photographs.

    Raises:
        FileNotFoundError: If the folder holds no run.
        ValueError: If the run has no photograph or no masks, or a limit or
            scale is wrong.
    """
    summary = read_json(out / 'summary.json')
    if not isinstance(summary, dict) or 'records' not in summary:
        raise FileNotFoundError(
            f'{str(out)!r} holds no summary.json of tools/infer.py: give its '
            '--out folder, after it has run to the end.')
    records = summary['records']
    if not records:
        raise ValueError(f'The run in {str(out)!r} has no photograph that '
                         'is done: nothing can be reported.')
    settings = read_json(out / 'settings.json') or {}
    default = PX_LIMITS if scale_of is None else MM_LIMITS
    limits = check_limits(default if limits is None else limits)
    found = []
    for number, record in enumerate(records, 1):
        if 'mask' not in record['files']:
            raise ValueError(
                f'The run in {str(out)!r} has no masks: run tools/infer.py '
                'without --no-mask.')
        scale = 1.0 if scale_of is None else scale_of(record)
        found.append(measure_record(
            record, out, scale, level=settings.get('threshold', 0.5),
            min_length=min_length / scale))
        tell(f'measured {number} of {len(records)}: {record["name"]}')
    return Survey(out, 'px' if scale_of is None else 'mm', limits, found,
                  summary.get('failed', []), min_length)


def measure_record(record: dict, out: Path, scale: float, *, level: float,
                   min_length: float = 0.0) -> Found:
    """Measure the mask of one photograph.

    Args:
        record (dict): Of the run.
        out (Path): Folder of the run.
        scale (float): Units per pixel.
        level (float): Probability at a crack's edge, where the run wrote
            probabilities.
        min_length (float): Shorter cracks are left out, in pixels.

    Returns:
        Found: What was found.

    Raises:
        FileNotFoundError: If a file of the run has gone.
    """
    probability = None
    if 'probability' in record['files'] and 0 < level < 1:
        probability = read_map(out / record['files']['probability'])
    measured = measure_cracks(
        read_map(out / record['files']['mask']) > 0, probability,
        level=level if probability is not None else 0.5,
        min_length=min_length)
    cracks, widths, lengths = [], [], []
    for crack in measured.cracks:
        for branch in crack.branches:
            known = _filled(branch.widths, crack.widths.mean)
            widths.append(known)
            lengths.append(np.full(len(known), branch.length
                                   / max(len(known), 1)))
        cracks.append(Crack(
            crack.number, crack.length, crack.widths.mean,
            crack.widths.maximum, crack.widths.maximum_std,
            crack.orientation, crack.widths.place, crack.widths.normal,
            [_thinned(branch.points) for branch in crack.branches]))

    def joined(parts):
        return (np.concatenate([*parts, []]) * scale).astype(np.float32)

    return Found(record, scale, cracks, joined(widths), joined(lengths))


def _filled(widths: NDArray, mean: float) -> NDArray:
    """Widths along a branch; its mean, or the crack's, where unknown."""
    known = ~np.isnan(widths)
    if known.any():
        mean = float(widths[known].mean())
    filled = np.where(known, widths, mean)
    return filled[~np.isnan(filled)]


def _thinned(points: NDArray) -> NDArray[np.float32]:
    """Every third point of a line, and its last: enough to draw."""
    return np.concatenate([points[:-1:3], points[-1:]]).astype(np.float32)


def read_map(path: Path) -> NDArray:
    """Read a mask, a probability or a variance that a run wrote.

    Args:
        path (Path): ``.png``, ``.npy`` or ``.tif``.

    Returns:
        array: (H, W), as it was written.

    Raises:
        FileNotFoundError: If there is none.
        UnreadableImageError: If it is damaged.
    """
    if path.suffix == '.npy':
        return np.load(path, mmap_mode='r', allow_pickle=False)
    if path.suffix == '.tif':
        from mmcrack.inference.tiff import _tifffile
        return _tifffile().imread(path)
    return np.asarray(open_upright(path, data=None, kind='map')[0])
