"""Measured widths drawn on the picture.

Not in the papers: colours and layout. The measurements are those of
``mmcrack.measurement.measure_cracks``; only their attributes are used, so
that neither package needs the other.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from mmcrack.visualization.drawing import (
    Color,
    Picture,
    enlarge,
    reduce_picture,
    reduction_factor,
)

#: Narrow to wide.
CLASS_COLORS: tuple[Color, ...] = (
    (60, 190, 90), (250, 215, 40), (255, 140, 0), (230, 30, 40))
UNKNOWN_CLASS: Color = (0, 200, 230)
_MARK: Color = (255, 255, 255)
_SHADE: Color = (0, 0, 0)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
# OpenCV takes sixteenths of a pixel.
_SHIFT = 4
_ARM = 12


class WidthMark(NamedTuple):
    """A width at a place.

    Attributes:
        place (tuple[float, float]): (x, y) in pixels, middle of the crack.
        normal (tuple[float, float]): Across the crack, of length 1.
        width (float): In pixels.
        text (str): What to write beside it.
    """

    place: tuple[float, float]
    normal: tuple[float, float]
    width: float
    text: str


def width_text(width: float, scale: float | None) -> str:
    """Write a width: ``'7.2 px'``, ``'0.34 mm'``, ``'12.5 mm'``.

    Args:
        width (float): In pixels.
        scale (float, optional): Millimetres per pixel.
    """
    if scale is None:
        return f'{width:.1f} px'
    value = width * scale
    return f'{value:.2f} mm' if value < 10 else f'{value:.1f} mm'


def width_marks(cracks: Sequence[Any], scale: float | None, *,
                most: int | None) -> list[WidthMark]:
    """Mark the widest place of each crack, the widest crack first.

    Args:
        cracks (Sequence[CrackMeasurement]): Those without a width are left
            out.
        scale (float, optional): Millimetres per pixel, for the text.
        most (int, optional): How many at most.

    Returns:
        list[WidthMark]: As :func:`draw_marks` takes them.
    """
    known = [c for c in cracks if not math.isnan(c.widths.maximum)]
    known.sort(key=lambda c: -c.widths.maximum)
    return [WidthMark(c.widths.place, c.widths.normal, c.widths.maximum,
                      width_text(c.widths.maximum, scale))
            for c in known[:most]]


def draw_lines(picture: Picture, lines: Sequence[NDArray[np.floating]],
               color: Color, *, zoom: float, thickness: int = 1) -> Picture:
    """Draw lines between pixels.

    Args:
        picture (array): uint8, (h, w, 3).
        lines (Sequence[array]): Float, (K, 2), (x, y) in pixels of the
            whole picture.
        color (tuple): RGB, 0-255.
        zoom (float): Size of ``picture`` over that of the whole picture.
        thickness (int): In pixels of ``picture``.

    Returns:
        array: uint8, (h, w, 3).
    """
    drawn = np.ascontiguousarray(picture).copy()
    fixed = [_fixed(line, zoom) for line in lines if len(line)]
    cv2.polylines(drawn, fixed, False, color, thickness, cv2.LINE_AA, _SHIFT)
    return drawn


def draw_marks(picture: Picture, marks: Sequence[WidthMark], *,
               zoom: float) -> Picture:
    """Draw widths as dimensions: an arm outside each edge, and the number.

    Args:
        picture (array): uint8, (h, w, 3).
        marks (Sequence[WidthMark]): One outside the picture is left out,
            and one whose number would cover an earlier number.
        zoom (float): Size of ``picture`` over that of the whole picture.

    Returns:
        array: uint8, (h, w, 3).
    """
    drawn = np.ascontiguousarray(picture).copy()
    taken: list[tuple[int, int, int, int]] = []
    for mark in marks:
        at = (np.array(mark.place) + 0.5) * zoom
        if (at < 0).any() or (at >= picture.shape[1::-1]).any():
            continue
        normal = np.array(mark.normal)
        # The number stands to the right of the crack where it can.
        side = normal if normal[0] >= 0 else -normal
        away = mark.width / 2 * zoom + _ARM + 3
        if _write(drawn, mark.text, at + side * away, side, taken):
            _draw_arms(drawn, mark, zoom)
    return drawn


def _draw_arms(picture, mark, zoom):
    """Draw an arm outside each edge, with a bar along the edge."""
    middle, normal = np.array(mark.place), np.array(mark.normal)
    half, arm = mark.width / 2 * normal, _ARM / zoom * normal
    bar = 0.4 * np.array([-arm[1], arm[0]])
    lines = []
    for edge, outward in ((middle + half, arm), (middle - half, -arm)):
        lines.append(_fixed(np.stack([edge + outward, edge]), zoom))
        lines.append(_fixed(np.stack([edge - bar, edge + bar]), zoom))
    for color, thick in ((_SHADE, 3), (_MARK, 1)):
        cv2.polylines(picture, lines, False, color, thick, cv2.LINE_AA,
                      _SHIFT)


def _fixed(points, zoom):
    """Places as OpenCV's whole sixteenths of a pixel."""
    scaled = (np.asarray(points) + 0.5) * zoom - 0.5
    return np.round(scaled * (1 << _SHIFT)).astype(np.int32)


def _write(picture, text, at, side, taken):
    """Write a number beside a point; False if there is no room for it."""
    scale = 0.45
    (wide, high), base = cv2.getTextSize(text, _FONT, scale, 1)
    left = round(at[0] - wide * (1 - side[0]) / 2)
    top = round(at[1] - high * (1 - side[1]) / 2)
    left = max(min(left, picture.shape[1] - wide - 2), 2)
    top = max(min(top, picture.shape[0] - high - base - 2), 2)
    box = (left - 2, top - 2, left + wide + 2, top + high + base + 2)
    if any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3]
           and b[1] < box[3] for b in taken):
        return False
    taken.append(box)
    cv2.rectangle(picture, box[:2], box[2:], _SHADE, -1)
    cv2.putText(picture, text, (left, top + high), _FONT, scale, _MARK, 1,
                cv2.LINE_AA)
    return True


def class_color(index: int, count: int) -> Color:
    """Colour of a width class.

    Args:
        index (int): Number of the class, 0 the narrowest.
        count (int): How many classes there are.
    """
    last = len(CLASS_COLORS) - 1
    place = last * index / max(count - 1, 1)
    low = min(int(place), last - 1)
    share = place - low
    return tuple(round((1 - share) * a + share * b) for a, b in zip(
        CLASS_COLORS[low], CLASS_COLORS[low + 1], strict=True))


def width_picture(image: Picture, measurements: Any, *,
                  max_long_edge: int | None, most: int | None) -> Picture:
    """Draw all centrelines in their class's colour, and the widest places.

    Args:
        image (array): uint8, (H, W, 3), RGB: the photograph, or the mask.
        measurements (CrackMeasurements): Of this picture. Without a scale
            there are no classes and all lines have one colour.
        max_long_edge (int, optional): Longer pictures are reduced.
        most (int, optional): How many widths to write at most.

    Returns:
        array: uint8, (h, w, 3).

    Raises:
        ValueError: If the sizes differ.
    """
    if image.shape[:2] != tuple(measurements.size):
        raise ValueError(
            f'the picture is {image.shape[:2]} and the measured mask '
            f'{tuple(measurements.size)} (height, width): they must have one '
            'size.')
    factor = reduction_factor(image.shape[:2], max_long_edge)
    drawn = reduce_picture(image, factor)
    by_color: dict[Color, list] = {}
    scale, limits = measurements.scale, measurements.width_limits
    for crack in measurements.cracks:
        color = UNKNOWN_CLASS
        if scale is not None and not math.isnan(crack.widths.maximum):
            index = int(np.searchsorted(
                limits, crack.widths.maximum * scale))
            color = class_color(index, len(limits) + 1)
        by_color.setdefault(color, []).extend(
            b.points for b in crack.branches)
    for color, lines in by_color.items():
        drawn = draw_lines(drawn, lines, color, zoom=1 / factor)
    marks = width_marks(measurements.cracks, scale, most=most)
    return draw_marks(drawn, marks, zoom=1 / factor)


def width_closeup(image: Picture, crack: Any, scale: float | None, *,
                  side: int, zoom: int) -> Picture:
    """Draw the surroundings of a crack's widest place, enlarged.

    Args:
        image (array): uint8, (H, W, 3), RGB.
        crack (CrackMeasurement): One crack of this picture.
        scale (float, optional): Millimetres per pixel, for the number.
        side (int): Edge of the square to show, in pixels; cut at the
            frame.
        zoom (int): Enlargement.

    Returns:
        array: uint8, (h, w, 3).
    """
    x, y = (round(v) for v in crack.widths.place)
    left, top = max(x - side // 2, 0), max(y - side // 2, 0)
    part = image[top:top + side, left:left + side]
    drawn = enlarge(part, zoom)
    corner = np.array([left, top])
    drawn = draw_lines(drawn, [b.points - corner for b in crack.branches],
                       UNKNOWN_CLASS, zoom=zoom)
    marks = [m._replace(place=tuple(np.array(m.place) - corner))
             for m in width_marks([crack], scale, most=1)]
    return draw_marks(drawn, marks, zoom=zoom)
