"""Two dates of one place, crack by crack.

Not in the papers. The two pictures must be registered: the same place has
the same pixel in both, up to a tolerance. Centrelines are compared, so that
a crack that has only become wider stays where it was.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mmcrack.measurement.records import (
    Cell,
    CrackMeasurement,
    CrackMeasurements,
)


@dataclass(frozen=True, kw_only=True)
class CrackChange:
    """What became of a crack between two dates.

    Attributes:
        status (str): ``'new'``, ``'gone'``, ``'unchanged'``, ``'grown'``,
            ``'widened'`` or ``'grown and widened'``.
        after (int | None): Number of the crack at the second date; None for
            a crack that is gone.
        before (tuple[int, ...]): Numbers of the cracks at the first date
            that it runs along; empty for a new one.
        length_before (float): Sum over ``before``, in pixels.
        length_after (float): In pixels.
        grown (float): Length, in pixels, that runs along no crack of the
            first date.
        widened (float): Median change of width at the same places, in
            pixels; NaN where there is none to compare.
        most_widened (float): Largest of these changes, in pixels.
        place (tuple[float, float]): (x, y) in pixels of the largest change,
            or of the widest place of a crack that is new or gone.
    """

    status: str
    after: int | None
    before: tuple[int, ...]
    length_before: float
    length_after: float
    grown: float
    widened: float
    most_widened: float
    place: tuple[float, float]

    def row(self, *, scale: float | None = None) -> dict[str, Cell]:
        """Return a row for a table.

        Args:
            scale (float, optional): Millimetres per pixel; adds columns.
        """
        row: dict[str, Cell] = {
            'status': self.status, 'after': self.after,
            'before': ' '.join(str(n) for n in self.before) or None}
        for name in ('length_before', 'length_after', 'grown', 'widened',
                     'most_widened'):
            value = getattr(self, name)
            known = not math.isnan(value)
            row[f'{name}_px'] = round(value, 4) if known else None
            if scale is not None:
                row[f'{name}_mm'] = round(
                    value * scale, 4) if known else None
        row['x'], row['y'] = (round(v, 2) for v in self.place)
        return row


def compare_cracks(before: CrackMeasurements, after: CrackMeasurements, *,
                   tolerance: float = 3.0, min_overlap: float = 0.3,
                   min_growth: float = 5.0, min_widening: float = 0.5
                   ) -> list[CrackChange]:
    """Say for each crack whether it is new, grown, widened or gone.

    A place of one date runs along a crack of the other if that crack's
    centreline passes within the tolerance. A crack is new (gone) if less
    than ``min_overlap`` of its centreline runs along cracks of the other
    date.

    Args:
        before (CrackMeasurements): First date.
        after (CrackMeasurements): Second date, same size of picture.
        tolerance (float): Largest distance between the centrelines, in
            pixels: what the registration may be off.
        min_overlap (float): Share of a centreline, 0 to 1.
        min_growth (float): Length in pixels from which a crack has grown.
        min_widening (float): Median widening in pixels from which a crack
            is called widened: above the error of a width.

    Returns:
        list[CrackChange]: The cracks of the second date, then those gone.

    Raises:
        ValueError: If the pictures differ in size or an option is out of
            range.
    """
    if before.size != after.size:
        raise ValueError(
            'the pictures of the two dates must be registered to one size, '
            f'got {before.size} and {after.size} (height, width).')
    if not 0 <= min_overlap <= 1:
        raise ValueError(
            f'min_overlap must lie in [0, 1], got {min_overlap}.')
    for name, value in (('tolerance', tolerance), ('min_growth', min_growth),
                        ('min_widening', min_widening)):
        if not 0 < value < math.inf:
            raise ValueError(f'{name} must be positive, got {value}.')
    old, new = _Lines(before.cracks), _Lines(after.cracks)
    changes = []
    for crack in after.cracks:
        found = old.along(crack.points, tolerance)
        if np.mean(found >= 0) < min_overlap:
            changes.append(_alone('new', crack))
        else:
            changes.append(_change(
                crack, found, old, tolerance, min_growth, min_widening))
    for crack in before.cracks:
        if np.mean(new.along(crack.points, tolerance) >= 0) < min_overlap:
            changes.append(_alone('gone', crack))
    return changes


class _Lines:
    """All places of one date."""

    def __init__(self, cracks: list[CrackMeasurement]):
        self.lengths = {c.number: c.length for c in cracks}
        self.owner = np.repeat(
            [c.number for c in cracks], [len(c.points) for c in cracks])
        self.widths = np.concatenate(
            [c.point_widths for c in cracks] or [np.zeros(0)])
        self._tree = cKDTree(np.concatenate(
            [c.points for c in cracks])) if cracks else None

    def along(self, points: NDArray, tolerance: float) -> NDArray[np.int64]:
        """Index of the nearest place within the tolerance, or -1."""
        if self._tree is None:
            return np.full(len(points), -1)
        distance, index = self._tree.query(
            points, distance_upper_bound=tolerance)
        return np.where(np.isfinite(distance), index, -1)


def _alone(status, crack):
    """A crack of one date only."""
    new = status == 'new'
    return CrackChange(
        status=status, after=crack.number if new else None,
        before=() if new else (crack.number, ),
        length_before=0.0 if new else crack.length,
        length_after=crack.length if new else 0.0,
        grown=crack.length if new else -crack.length, widened=math.nan,
        most_widened=math.nan, place=crack.widths.place)


def _change(crack, found, old, tolerance, min_growth, min_widening):
    """A crack of the second date that was there at the first."""
    met = found >= 0
    share = np.concatenate([
        np.full(len(b.points), b.length / len(b.points))
        for b in crack.branches])
    # Within the tolerance an end that has moved is met as well.
    grown = float(share[~met].sum())
    if grown > 0:
        grown += min(tolerance, crack.length - grown)
    wider = crack.point_widths[met] - old.widths[found[met]]
    known = ~np.isnan(wider)
    widened = float(np.median(wider[known])) if known.any() else math.nan
    words = [word for word, is_so in (
        ('grown', grown >= min_growth),
        ('widened', widened >= min_widening)) if is_so]
    most = math.nan
    place = crack.widths.place
    if known.any():
        at = int(np.argmax(wider[known]))
        most = float(wider[known][at])
        place = tuple(crack.points[met][known][at].tolist())
    parents = np.unique(old.owner[found[met]]).tolist()
    return CrackChange(
        status=' and '.join(words) or 'unchanged', after=crack.number,
        before=tuple(parents),
        length_before=sum(old.lengths[n] for n in parents),
        length_after=crack.length, grown=grown, widened=widened,
        most_widened=most, place=place)
