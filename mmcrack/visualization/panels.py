"""Panels beside each other, with captions, and the files they go to."""

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mmcrack.visualization.drawing import (
    CRACK,
    FALSE_ALARM,
    HIT,
    IGNORED,
    MISS,
    RENDERED,
    Color,
    Mask,
    Picture,
    enlarge,
    heat_picture,
    paint,
    paint_errors,
    reduce_max,
    reduce_picture,
    reduction_factor,
)

CAPTION_HEIGHT = 24
GAP = 6
MIN_PANEL_WIDTH = 224
_GROUND = 255
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_SCALE = 0.45
_MARGIN = 4


def caption(picture: Picture, words: Sequence[tuple[str, Color]]) -> Picture:
    """Put a white strip with coloured words above a picture.

    Args:
        picture (array): uint8, (H, W, 3).
        words (Sequence): Pairs of a text and its RGB colour. Text that
            does not fit is cut.

    Returns:
        array: uint8, (H + 24, W, 3).
    """
    strip = np.full((CAPTION_HEIGHT, picture.shape[1], 3), _GROUND, np.uint8)
    left = _MARGIN
    for text, color in words:
        dark = tuple(int(0.75 * c) for c in color)
        cv2.putText(strip, text, (left, 17), _FONT, _FONT_SCALE, dark, 1,
                    cv2.LINE_AA)
        left += _text_width(text) + 2 * _MARGIN
    return np.concatenate([strip, picture])


def caption_width(words: Sequence[tuple[str, Color]]) -> int:
    """Return the least width, in pixels, at which :func:`caption` cuts none.

    Args:
        words (Sequence): Pairs of a text and its RGB colour.
    """
    return sum(_text_width(text) + 2 * _MARGIN for text, _ in words)


def _text_width(text: str) -> int:
    return cv2.getTextSize(text, _FONT, _FONT_SCALE, 1)[0][0]


def panel_row(panels: Sequence[Picture]) -> Picture:
    """Set panels beside each other with a white gap of 6 pixels.

    Args:
        panels (Sequence[array]): uint8, (H_i, W_i, 3); lower ones are
            filled up with white.

    Returns:
        array: uint8, (max H, sum W + gaps, 3).

    Raises:
        ValueError: If there is no panel.
    """
    if not panels:
        raise ValueError('panels must hold at least one picture.')
    height = max(panel.shape[0] for panel in panels)
    parts = []
    for index, panel in enumerate(panels):
        if index:
            parts.append(np.full((height, GAP, 3), _GROUND, np.uint8))
        below = ((0, height - panel.shape[0]), (0, 0), (0, 0))
        parts.append(np.pad(panel, below, constant_values=_GROUND))
    return np.concatenate(parts, axis=1)


def contact_sheet(pictures: Sequence[Picture], *, columns: int) -> Picture:
    """Set pictures in rows, for a look at many at once.

    Args:
        pictures (Sequence[array]): uint8, (H_i, W_i, 3).
        columns (int): Pictures in a row.

    Returns:
        array: uint8, (H, W, 3).

    Raises:
        ValueError: If there is no picture or ``columns`` is not positive.
    """
    if not pictures or columns < 1:
        raise ValueError('a contact sheet needs pictures and at least one '
                         f'column, got {len(pictures)} and {columns}.')
    rows = [panel_row(pictures[start:start + columns])
            for start in range(0, len(pictures), columns)]
    width = max(row.shape[1] for row in rows)
    parts = []
    for index, row in enumerate(rows):
        if index:
            parts.append(np.full((GAP, width, 3), _GROUND, np.uint8))
        beside = ((0, 0), (0, width - row.shape[1]), (0, 0))
        parts.append(np.pad(row, beside, constant_values=_GROUND))
    return np.concatenate(parts)


def result_picture(image: Picture,
                   *,
                   pred: Mask,
                   target: Mask | None,
                   ignored: Mask | None,
                   heat_map: NDArray[np.floating] | None,
                   rendered: Mask | None,
                   max_long_edge: int | None) -> Picture:
    """Draw image | truth | prediction | heat map of one tested image.

    Args:
        image (array): uint8, (H, W, 3).
        pred (array): bool, (H, W), predicted crack.
        target (array, optional): bool, (H, W), true crack. Without it the
            truth is left out and the prediction has one colour.
        ignored (array, optional): bool, (H, W), pixels without truth.
        heat_map (array, optional): float, (H, W), crack probability.
            Without it that panel is left out.
        rendered (array, optional): bool, (H, W), pixels predicted again.
        max_long_edge (int, optional): Longer images are reduced; masks by
            the greatest value of a block, so that thin cracks stay.

    Returns:
        array: uint8. Panels narrower than 224 pixels are enlarged by a
        whole number first.
    """
    factor = reduction_factor(image.shape[:2], max_long_edge)
    small = reduce_picture(image, factor)
    black = (0, 0, 0)
    panels = [(small, [('image', black)])]
    if target is not None:
        truth = paint(small, reduce_max(target, factor), CRACK, opacity=1)
        words = [('truth:', black), ('crack', CRACK)]
        if ignored is not None and ignored.any():
            truth = paint(truth, reduce_max(ignored, factor), IGNORED,
                          opacity=0.7)
            words.append(('ignored', IGNORED))
        panels.append((truth, words))
        errors = paint_errors(small, pred, target, ignored=ignored,
                              factor=factor)
        panels.append((errors, [('hit', HIT), ('missed', MISS),
                                ('false alarm', FALSE_ALARM)]))
    else:
        found = paint(small, reduce_max(pred, factor), CRACK, opacity=1)
        panels.append((found, [('prediction', black)]))
    if heat_map is not None:
        heat = heat_picture(reduce_max(heat_map, factor)) \
            if rendered is None else \
            rendered_heat(heat_map, rendered, factor=factor)
        panels.append((heat, heat_words(rendered)))
    scale = max(1, -(-MIN_PANEL_WIDTH // small.shape[1]))
    return panel_row([caption(enlarge(p, scale), words)
                      for p, words in panels])


def rendered_heat(heat_map: NDArray[np.floating], rendered: Mask, *,
                  factor: int = 1) -> Picture:
    """Colour a heat map, and on it the pixels that were predicted again.

    CBPRN, Figure 4.

    Args:
        heat_map (array): float, (H, W), crack probability.
        rendered (array): bool, (H, W).
        factor (int): By which to reduce.

    Returns:
        array: uint8, (ceil(H / factor), ceil(W / factor), 3).
    """
    heat = heat_picture(reduce_max(heat_map, factor))
    return paint(heat, reduce_max(rendered, factor), RENDERED, opacity=1)


def heat_words(rendered: Mask | None) -> list[tuple[str, Color]]:
    """Return the caption of a heat map.

    Args:
        rendered (array, optional): bool, (H, W), pixels predicted again.

    Returns:
        list: Pairs of a text and its colour, for :func:`caption`.
    """
    if rendered is None:
        return [('crack probability', (0, 0, 0))]
    share = 100 * float(rendered.mean())
    return [('heat map', (0, 0, 0)),
            (f'rendered {share:.1f} %', (0, 190, 190))]


def write_picture(path: str | os.PathLike, picture: Picture) -> None:
    """Write a picture; the ending of the name says the format.

    Args:
        path (str | PathLike): Folders are made if needed.
        picture (array): uint8, (H, W, 3), RGB.

    Raises:
        ValueError: If the format is unknown.
        OSError: If the file cannot be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    try:
        done, data = cv2.imencode(path.suffix, bgr)
    except cv2.error:
        done = False
    if not done:
        raise ValueError(f'{str(path)!r} must end in a picture format such '
                         f'as .png or .jpg, got {path.suffix!r}.')
    path.write_bytes(data.tobytes())
