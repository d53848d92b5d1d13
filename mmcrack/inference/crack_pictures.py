"""Small pictures of photographs and their cracks, for a report."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from mmcrack.inference.opening import open_photograph
from mmcrack.inference.photographs import Photograph, UnreadableImageError
from mmcrack.inference.survey import Crack, Found, Survey, read_map
from mmcrack.visualization import page as parts
from mmcrack.visualization.drawing import (
    CRACK,
    Color,
    Picture,
    reduce_max,
    reduce_picture,
    reduction_factor,
)
from mmcrack.visualization.page import Inline, Layer
from mmcrack.visualization.widths import (
    UNKNOWN_CLASS,
    WidthMark,
    class_color,
    draw_lines,
    draw_marks,
)

LONG_EDGE, THUMBNAIL_EDGE, CROP_EDGE = 2000, 360, 240
_BAND = 512
_MARKS, _CROPS = 12, 3
# What of the room for a photograph each picture may take.
_SHARES = dict(image=.42, probability=.15, variance=.12, mask=.08,
               widths=.09, thumbnail=.04, crop=.03)


class Pictures(NamedTuple):
    """Pictures of one photograph.

    Attributes:
        layers (list[Layer]): For a viewer.
        thumbnail (Inline): The photograph with its cracks, small.
        crops (list[tuple[Crack, Inline]]): The widest places, enlarged.
        note (str): What is wrong with the photograph; mostly ''.
    """

    layers: list
    thumbnail: Inline
    crops: list
    note: str


def draw_pictures(found: Found, survey: Survey, *, max_bytes: int,
                  max_megapixels: float) -> Pictures:
    """Draw what a report shows of one photograph.

    Args:
        found (Found): What was found.
        survey (Survey): With the classes.
        max_bytes (int): Of all its pictures together, before base64.
        max_megapixels (float): Larger photographs are shown as masks only,
            if they are no TIFF.

    Returns:
        Pictures: Of this photograph.
    """
    mask = read_map(survey.out / found.record['files']['mask']) > 0
    factor = reduction_factor(mask.shape, LONG_EDGE)
    limit = {key: int(share * max_bytes) for key, share in _SHARES.items()}
    reduced = reduce_max(mask, factor)
    photograph, note = _open(found.record['file'], mask.shape,
                             max_megapixels)
    try:
        ground = _reduced(photograph, mask.shape, factor)
        crops = [(crack, _crop(photograph, crack, found, survey,
                               limit['crop']))
                 for crack in widest_cracks(found)[:_CROPS]
                 ] if photograph else []
    finally:
        if photograph:
            photograph.close()

    def encoded(values: NDArray, key: str) -> Inline:
        return parts.encode_heat(values, max_long_edge=LONG_EDGE,
                                 max_bytes=limit[key])

    layers = [Layer('image', 'image', parts.encode_picture(
        ground, max_long_edge=LONG_EDGE, max_bytes=limit['image']))]
    for key, top in (('variance', None), ('probability', 1.0)):
        if key in found.record['files']:
            values = _unit(read_map(
                survey.out / found.record['files'][key]), factor, top)
            layers.append(Layer(key, key, encoded(values, key), None, False))
    layers += [
        Layer('mask', 'mask', parts.encode_mask(
            reduced, CRACK, max_long_edge=LONG_EDGE,
            max_bytes=limit['mask']), CRACK, not found.cracks),
        Layer('widths', 'widths', parts.encode_drawing(
            _width_drawing(found, survey, reduced.shape, factor),
            max_bytes=limit['widths']))]
    step = reduction_factor(ground.shape[:2], THUMBNAIL_EDGE)
    small = reduce_picture(ground, step)
    small[reduce_max(reduced, step)] = CRACK
    thumbnail = parts.encode_picture(
        small, max_long_edge=THUMBNAIL_EDGE, max_bytes=limit['thumbnail'])
    return Pictures(layers, thumbnail, crops, note)


def widest_cracks(found: Found) -> list[Crack]:
    """Return the cracks of known width, the widest first."""
    known = [c for c in found.cracks if not math.isnan(c.widest)]
    return sorted(known, key=lambda c: -c.widest)


def _open(path: str, size: tuple[int, int], max_megapixels: float
          ) -> tuple[Photograph | None, str]:
    """The photograph, or why there is none."""
    try:
        photograph = open_photograph(Path(path),
                                     max_megapixels=max_megapixels)
    except (FileNotFoundError, UnreadableImageError) as error:
        return None, f'The photograph is not shown: {error}'
    if tuple(photograph.size) != tuple(size):
        photograph.close()
        return None, ('The photograph is not shown: it has another size '
                      'than its mask, so it was changed since.')
    return photograph, ''


def _reduced(photograph: Photograph | None, size: tuple[int, int],
             factor: int) -> Picture:
    """A whole photograph, reduced band by band; grey without one."""
    if photograph is None:
        return np.full((-(-size[0] // factor), -(-size[1] // factor), 3),
                       60, np.uint8)
    step = -(-_BAND // factor) * factor
    return np.concatenate([
        reduce_picture(np.ascontiguousarray(
            photograph.rows(top, min(top + step, size[0]))), factor)
        for top in range(0, size[0], step)])


def _unit(values: NDArray, factor: int, top: float | None) -> NDArray:
    """A map in [0, 1], reduced; ``top`` None takes its own largest."""
    levels = reduce_max(values, factor)
    if levels.dtype == np.uint8:
        return levels.astype(np.float32) / 255
    levels = np.nan_to_num(levels.astype(np.float32))
    return levels / (top or max(float(levels.max()), 1e-12))


def width_colors(survey: Survey) -> dict[str, Color]:
    """Return the colour of each class of width, the narrowest first."""
    names = survey.class_names()
    return {name: class_color(n, len(names)) for n, name in enumerate(names)}


def _width_text(width: float, found: Found, survey: Survey) -> str:
    value = width * found.scale
    digits = 2 if survey.unit == 'mm' and value < 10 else 1
    return f'{value:.{digits}f} {survey.unit}'


def _mark(crack: Crack, found: Found, survey: Survey) -> WidthMark:
    return WidthMark(crack.place, crack.normal, crack.widest,
                     _width_text(crack.widest, found, survey))


def _width_drawing(found: Found, survey: Survey, size: tuple[int, int],
                   factor: int) -> NDArray[np.uint8]:
    """Centrelines in their classes' colours and the widest places, RGBA."""
    by_color: dict = {}
    colors = [*width_colors(survey).values(), UNKNOWN_CLASS]
    for crack in found.cracks:
        color = colors[survey.class_of(crack.widest * found.scale)]
        by_color.setdefault(color, []).extend(crack.lines)
    marks = [_mark(c, found, survey) for c in widest_cracks(found)[:_MARKS]]

    def draw(picture: Picture) -> Picture:
        for color, lines in by_color.items():
            picture = draw_lines(picture, lines, color, zoom=1 / factor,
                                 thickness=2)
        return draw_marks(picture, marks, zoom=1 / factor)

    return on_glass(draw, size)


def on_glass(draw: Callable[[Picture], Picture], size: Sequence[int]
             ) -> NDArray[np.uint8]:
    """Return a drawing without its ground.

    What is drawn on black and on white tells the colour and how much of the
    ground shines through.

    Args:
        draw (Callable): Draws on a picture, uint8, (H, W, 3).
        size (Sequence[int]): (H, W).

    Returns:
        array: uint8, (H, W, 4), RGBA.
    """
    black, white = (draw(np.full((*size, 3), level, np.uint8)).astype(int)
                    for level in (0, 255))
    alpha = 255 - np.clip((white - black).min(axis=2), 0, 255)
    color = black * 255 // np.maximum(alpha, 1)[..., None]
    return np.dstack([np.clip(color, 0, 255), alpha]).astype(np.uint8)


def _crop(photograph: Photograph, crack: Crack, found: Found,
          survey: Survey, max_bytes: int) -> Inline:
    """The surroundings of a crack's widest place, enlarged."""
    height, width = photograph.size
    side = int(min(max(96, 6 * crack.widest), 1024, height, width))
    x, y = crack.place
    left = int(np.clip(round(x) - side // 2, 0, width - side))
    top = int(np.clip(round(y) - side // 2, 0, height - side))
    part = np.ascontiguousarray(
        photograph.rows(top, top + side)[:, left:left + side])
    part = cv2.resize(part, (CROP_EDGE, CROP_EDGE),
                      interpolation=cv2.INTER_AREA
                      if side > CROP_EDGE else cv2.INTER_LINEAR)
    corner, zoom = np.array([left, top]), CROP_EDGE / side
    part = draw_lines(part, [line - corner for line in crack.lines],
                      UNKNOWN_CLASS, zoom=zoom)
    mark = _mark(crack, found, survey)._replace(
        place=tuple(np.array(crack.place) - corner))
    return parts.encode_picture(draw_marks(part, [mark], zoom=zoom),
                                max_long_edge=CROP_EDGE,
                                max_bytes=max_bytes)
