"""What was measured, as rows for tables and maps.

Not in the papers. All attributes are in pixels; the rows add millimetres
where the scale is known.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmcrack.measurement.branches import BranchMeasurement
from mmcrack.measurement.classes import class_index, class_names

#: A number, a text, or nothing where there is no value.
Cell = float | int | str | bool | None


@dataclass(frozen=True, kw_only=True)
class WidthSummary:
    """Widths along a branch or a crack, in pixels.

    Attributes:
        mean (float): Over the centreline; NaN where no width is known, and
            so are the others.
        median (float): Over the centreline.
        maximum (float): Of the widths averaged along the crack.
        place (tuple[float, float]): (x, y) of the widest place.
        normal (tuple[float, float]): Across the crack there, of length 1.
        std (float): Mean standard deviation of a width, from the
            probability map; NaN without one.
        maximum_std (float): The same at the widest place.
    """

    mean: float
    median: float
    maximum: float
    place: tuple[float, float]
    normal: tuple[float, float]
    std: float
    maximum_std: float


def summarise(branches: Sequence[BranchMeasurement], *, circles: bool
              ) -> WidthSummary:
    """Sum up the widths of branches.

    Args:
        branches (Sequence[BranchMeasurement]): At least one.
        circles (bool): Whether to take the circles' diameters rather than
            the profiles' widths.

    Returns:
        WidthSummary: Of the places where a width is known. Where none has
        one by profile (a crack shorter than it is wide), of the circles.
    """
    widths = np.concatenate(
        [b.circle_widths if circles else b.widths for b in branches])
    if not circles and np.isnan(widths).all():
        return summarise(branches, circles=True)
    points = np.concatenate([b.points for b in branches])
    normals = np.concatenate([b.normals for b in branches])
    std = np.concatenate([b.width_std for b in branches])
    known = ~np.isnan(widths)
    if not known.any():
        nan = math.nan
        return WidthSummary(
            mean=nan, median=nan, maximum=nan, std=nan, maximum_std=nan,
            place=tuple(points[len(points) // 2].tolist()),
            normal=tuple(normals[len(points) // 2].tolist()))
    widest = int(np.nanargmax(widths))
    spread = std[~np.isnan(std)]
    return WidthSummary(
        mean=float(widths[known].mean()),
        median=float(np.median(widths[known])),
        maximum=float(widths[widest]),
        place=tuple(points[widest].tolist()),
        normal=tuple(normals[widest].tolist()),
        std=float(spread.mean()) if len(spread) else math.nan,
        maximum_std=float(std[widest]))


@dataclass(frozen=True, kw_only=True)
class CrackMeasurement:
    """One connected crack.

    Attributes:
        number (int): From 1, the longest first.
        area (int): Pixels of the mask.
        box (tuple[int, int, int, int]): Left, top, width, height.
        branches (list[BranchMeasurement]): At least one.
        length (float): Of all branches.
        junctions (int): Places where branches meet.
        ends (int): Free ends.
        widths (WidthSummary): By orthogonal profiles.
        circles (WidthSummary): By inscribed circles.
        orientation (float): Degrees in [0, 180), 0 horizontal, rising to
            the right; NaN for a crack without a length.
        straightness (float): 0 (all directions) to 1 (one direction).
        spacing (float): Median distance from its centreline to that of the
            nearest other crack; NaN where there is none.
        gap (float): Least such distance; NaN where there is none.
        neighbour (int | None): The crack that is that near.
        at_frame (bool): Whether the picture cuts it off.
    """

    number: int
    area: int
    box: tuple[int, int, int, int]
    branches: list[BranchMeasurement]
    length: float
    junctions: int
    ends: int
    widths: WidthSummary
    circles: WidthSummary
    orientation: float
    straightness: float
    spacing: float
    gap: float
    neighbour: int | None
    at_frame: bool

    @property
    def points(self) -> NDArray[np.float64]:
        """All points of all centrelines, (K, 2), (x, y)."""
        return np.concatenate([b.points for b in self.branches])

    @property
    def point_widths(self) -> NDArray[np.float64]:
        """Widths at :attr:`points`, (K,), NaN where none is known."""
        return np.concatenate([b.widths for b in self.branches])


@dataclass(frozen=True, kw_only=True)
class CrackMeasurements:
    """All cracks of one picture.

    Attributes:
        cracks (list[CrackMeasurement]): The longest first.
        size (tuple[int, int]): Height and width of the picture.
        scale (float | None): Millimetres per pixel.
        width_limits (tuple[float, ...]): Of the classes, in millimetres.
        from_probability (bool): Whether edges come from a probability map.
    """

    cracks: list[CrackMeasurement]
    size: tuple[int, int]
    scale: float | None
    width_limits: tuple[float, ...]
    from_probability: bool

    def width_class(self, width: float) -> str | None:
        """Class of a width in pixels; None without scale or width."""
        if self.scale is None or math.isnan(width):
            return None
        index = class_index(width * self.scale, self.width_limits)
        return class_names(self.width_limits)[index]

    def rows(self) -> list[dict[str, Cell]]:
        """One row per crack: plain numbers and texts, None for unknown."""
        return [self._row(crack) for crack in self.cracks]

    def branch_rows(self) -> list[dict[str, Cell]]:
        """One row per branch."""
        rows = []
        for crack in self.cracks:
            for index, branch in enumerate(crack.branches, 1):
                row = {'crack': crack.number, 'branch': index}
                row |= self._lengths('length', branch.length)
                row |= self._widths(
                    '', summarise([branch], circles=False))
                row |= self._widths(
                    'circle_', summarise([branch], circles=True))
                row['closed'] = branch.closed
                row['free_ends'] = sum(branch.free)
                rows.append(row)
        return rows

    def length_by_class(self) -> dict[str, float]:
        """Length in millimetres of each width class, over all places.

        Places without a width take their circle's, and those without
        either their branch's mean share.

        Raises:
            ValueError: If the scale is not known.
        """
        if self.scale is None:
            raise ValueError(
                'length_by_class needs a scale: give mm per pixel.')
        names = class_names(self.width_limits)
        totals = np.zeros(len(names))
        for branch in (b for c in self.cracks for b in c.branches):
            widths = np.where(np.isnan(branch.widths), branch.circle_widths,
                              branch.widths)
            widths = widths[~np.isnan(widths)] * self.scale
            if len(widths):
                # As in class_index: a limit belongs to the class below it.
                index = np.searchsorted(self.width_limits, widths)
                totals += np.bincount(index, minlength=len(names)) * (
                    branch.length * self.scale / len(widths))
        return dict(zip(names, totals.tolist(), strict=True))

    def _row(self, crack):
        row: dict[str, Cell] = {'crack': crack.number}
        row |= self._lengths('length', crack.length)
        row['area_px'] = crack.area
        if self.scale is not None:
            row['area_mm2'] = _cell(crack.area * self.scale**2)
        row |= self._widths('', crack.widths)
        row |= self._widths('circle_', crack.circles)
        row['width_class'] = self.width_class(crack.widths.maximum)
        row['orientation_deg'] = _cell(crack.orientation)
        row['straightness'] = _cell(crack.straightness)
        row |= self._lengths('spacing', crack.spacing)
        row |= self._lengths('gap', crack.gap)
        row['neighbour'] = crack.neighbour
        row['branches'] = len(crack.branches)
        row['junctions'] = crack.junctions
        row['ends'] = crack.ends
        row['at_frame'] = crack.at_frame
        row |= dict(zip(('box_x', 'box_y', 'box_width', 'box_height'),
                        crack.box, strict=True))
        return row

    def _lengths(self, name, value):
        """A length in pixels and, where the scale is known, millimetres."""
        row = {f'{name}_px': _cell(value)}
        if self.scale is not None:
            row[f'{name}_mm'] = _cell(value * self.scale)
        return row

    def _widths(self, prefix, widths):
        row = {}
        for name in ('mean', 'median', 'max'):
            value = getattr(widths, 'maximum' if name == 'max' else name)
            row |= self._lengths(f'{prefix}{name}_width', value)
        if not prefix:
            row |= self._lengths('width_std', widths.std)
            row |= self._lengths('max_width_std', widths.maximum_std)
        row[f'{prefix}max_width_x'] = _cell(widths.place[0])
        row[f'{prefix}max_width_y'] = _cell(widths.place[1])
        return row


def _cell(value: float) -> float | None:
    """A number with four decimals; None for NaN."""
    return None if math.isnan(value) else round(float(value), 4)
