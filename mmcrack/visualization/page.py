"""Parts of pages in one file: pictures, tables, viewers, the frame.

A page needs no network: pictures are data URIs, style and script stand in
it (``page.css`` and ``page.js`` beside this file), and its own security
policy forbids to load anything. All texts are escaped here, but for what is
called ``html`` or ``parts``. Not in the papers.
"""

import base64
import io
import math
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmcrack.visualization.drawing import (
    Color,
    Mask,
    Picture,
    heat_picture,
    reduce_max,
    reduce_picture,
    reduction_factor,
)

_QUALITIES = (85, 75, 60, 45)
_LEVELS = 48
_SMALLEST = 64
_POLICY = ("default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
           "script-src 'unsafe-inline'")
HELP = ('Pictures: buttons, two fingers, double click, or + - 0 and the '
        'arrow keys after a click; a wheel zooms after a click or with Ctrl.')


class Inline(NamedTuple):
    """A picture as text.

    Attributes:
        uri (str): ``data:image/...``.
        width (int): In pixels.
        height (int): In pixels.
    """

    uri: str
    width: int
    height: int


class Layer(NamedTuple):
    """One of the pictures that lie upon each other in a viewer.

    Attributes:
        key (str): Unlike those of the other layers.
        title (str): For its switch.
        picture (Inline): All layers of a viewer have one shape, not
            necessarily one size.
        color (tuple, optional): For the legend.
        shown (bool): Whether it is switched on at first.
    """

    key: str
    title: str
    picture: Inline
    color: Color | None = None
    shown: bool = True


class Cell(NamedTuple):
    """A cell of a table.

    Attributes:
        text (str): What is read.
        value (float, optional): By which it is sorted; None sorts by the
            text.
        link (str): Address on this page, without ``#``.
        kind (str): 'good', 'bad', 'text' or ''.
    """

    text: str
    value: float | None = None
    link: str = ''
    kind: str = ''


def encode_picture(picture: Picture, *, max_long_edge: int,
                   max_bytes: int) -> Inline:
    """Encode a photograph as JPEG of limited size.

    Args:
        picture (array): uint8, (H, W, 3), RGB.
        max_long_edge (int): In pixels.
        max_bytes (int): Of the file; the data URI is a third longer. Quality
            falls first, then the size, down to 64 pixels.

    Returns:
        Inline: The picture.
    """

    def forms(edge: int):
        small = Image.fromarray(reduce_picture(
            picture, reduction_factor(picture.shape[:2], edge)))
        for quality in _QUALITIES:
            yield small, dict(format='JPEG', quality=quality, optimize=True)

    return _fitted(forms, 'jpeg', max_long_edge, max_bytes)


def encode_mask(mask: Mask, color: Color, *, max_long_edge: int,
                max_bytes: int) -> Inline:
    """Encode a mask as PNG: one colour, elsewhere transparent.

    Args:
        mask (array): bool, (H, W). Thin cracks stay when it is reduced.
        color (tuple): RGB, 0-255.
        max_long_edge (int): In pixels.
        max_bytes (int): As in :func:`encode_picture`.

    Returns:
        Inline: The picture.
    """

    def forms(edge: int):
        small = reduce_max(mask, reduction_factor(mask.shape, edge))
        picture = Image.fromarray(small.astype(np.uint8), 'P')
        picture.putpalette((0, 0, 0, *color))
        yield picture, dict(format='PNG', bits=1, optimize=True,
                            transparency=bytes((0, 255)))

    return _fitted(forms, 'png', max_long_edge, max_bytes)


def encode_heat(values: NDArray, *, max_long_edge: int, max_bytes: int
                ) -> Inline:
    """Encode a map as PNG, from transparent over orange to pale yellow.

    Args:
        values (array): float, (H, W), in [0, 1]. The largest value of each
            block stays when it is reduced.
        max_long_edge (int): In pixels.
        max_bytes (int): As in :func:`encode_picture`.

    Returns:
        Inline: The picture, of 48 levels.
    """
    palette = heat_picture(np.linspace(0, 1, _LEVELS)[None])[0]
    # Small values barely cover the photograph.
    alpha = np.round(255 * np.clip(np.linspace(0, 1.6, _LEVELS), 0, 0.9))

    def forms(edge: int):
        small = reduce_max(values, reduction_factor(values.shape, edge))
        small = np.nan_to_num(np.asarray(small, np.float32))
        level = np.round(np.clip(small, 0, 1) * (_LEVELS - 1))
        picture = Image.fromarray(level.astype(np.uint8), 'P')
        picture.putpalette(palette.tobytes())
        yield picture, dict(format='PNG', optimize=True,
                            transparency=bytes(alpha.astype(np.uint8)))

    return _fitted(forms, 'png', max_long_edge, max_bytes)


def encode_drawing(picture: NDArray[np.uint8], *, max_bytes: int) -> Inline:
    """Encode a drawing with transparency as PNG.

    Args:
        picture (array): uint8, (H, W, 4), RGBA.
        max_bytes (int): As in :func:`encode_picture`.

    Returns:
        Inline: The picture.
    """
    edge = max(picture.shape[:2])

    def forms(edge: int):
        factor = reduction_factor(picture.shape[:2], edge)
        small = Image.fromarray(picture)
        if factor > 1:
            small = small.reduce(factor)
        yield small.quantize(64), dict(format='PNG', optimize=True)

    return _fitted(forms, 'png', edge, max_bytes)


def _fitted(forms, kind: str, edge: int, max_bytes: int) -> Inline:
    """The first of all forms that is small enough, or the last."""
    while True:
        for picture, options in forms(edge):
            file = io.BytesIO()
            picture.save(file, **options)
            if file.tell() <= max_bytes:
                return _inline(file, picture, kind)
        if edge <= _SMALLEST:
            return _inline(file, picture, kind)
        edge = max(_SMALLEST, min(edge, max(picture.size)) * 3 // 4)


def _inline(file: io.BytesIO, picture: Image.Image, kind: str) -> Inline:
    text = base64.b64encode(file.getvalue()).decode()
    return Inline(f'data:image/{kind};base64,{text}', *picture.size)


def image(picture: Inline, alt: str) -> str:
    """Return a picture as HTML.

    Args:
        picture (Inline): The picture.
        alt (str): What it shows, for those who do not see it.
    """
    return (f'<img src="{picture.uri}" width="{picture.width}" '
            f'height="{picture.height}" alt="{escape(alt)}">')


def viewer(layers: Sequence[Layer], *, title: str, note: str = '',
           group: str = '') -> str:
    """Return a zoomable picture with a switch for each layer.

    Args:
        layers (Sequence[Layer]): The lowest first.
        title (str): Stands below, and names it for screen readers.
        note (str): Stands after the title.
        group (str): Viewers of one group zoom together.

    Returns:
        str: HTML.
    """
    first = layers[0].picture
    pictures = ''.join(
        f'<img src="{layer.picture.uri}" data-layer="{escape(layer.key)}" '
        f'alt="{escape(f"{layer.title}: {title}" if n == 0 else "")}" '
        f'{"" if layer.shown else " hidden"}>'
        for n, layer in enumerate(layers))
    switches = ''.join(
        f'<label><input type="checkbox" data-layer="{escape(layer.key)}" '
        f'autocomplete="off"{" checked" if layer.shown else ""}>'
        f'{_swatch(layer.color)}{escape(layer.title)}</label>'
        for layer in layers)
    buttons = ''.join(
        f'<button type="button" data-do="{do}" aria-label="{escape(name)}">'
        f'{sign}</button>' for do, sign, name in (
            ('in', '+', 'Zoom in'), ('out', '&minus;', 'Zoom out'),
            ('reset', '1:1', 'Show all'),
            ('big', 'Large', 'Large view, Escape leaves it')))
    shape = first.width / first.height
    return (
        f'<figure class="viewer" data-group="{escape(group)}" '
        f'style="--shape:{shape:.5f}"><div class="stage" tabindex="0" '
        f'role="group" aria-label="{escape(title)}, zoomable" '
        f'aria-describedby="picture-help" style="aspect-ratio:{shape:.5f}">'
        f'<div class="layers">{pictures}</div></div>'
        f'<div class="tools">{switches}<span>{buttons}</span></div>'
        f'<figcaption>{escape(title)}{" &middot; " if note else ""}'
        f'{escape(note)}</figcaption></figure>')


def _swatch(color: Color | None) -> str:
    if color is None:
        return ''
    return f'<span class="swatch" style="--c:rgb{color}"></span>'


def legend(titles: Sequence[str]) -> str:
    """Return a legend of the series of diagrams.

    Args:
        titles (Sequence[str]): At most four.
    """
    return '<div class="legend">' + ''.join(
        f'<span><span class="swatch s{n}"></span>{escape(title)}</span>'
        for n, title in enumerate(titles)) + '</div>'


def color_legend(colors: dict[str, Color]) -> str:
    """Return a legend of colours in pictures.

    Args:
        colors (dict[str, tuple]): RGB, 0-255, by what they mean.
    """
    return '<div class="legend">' + ''.join(
        f'<span>{_swatch(color)}{escape(title)}</span>'
        for title, color in colors.items()) + '</div>'


def table(titles: Sequence[str], rows: Sequence[Sequence[Cell | str]], *,
          caption: str = '', sortable: bool = True) -> str:
    """Return a table; its first column names the rows.

    Args:
        titles (Sequence[str]): Of the columns.
        rows (Sequence[Sequence[Cell | str]]): Of the same length.
        caption (str): Stands above.
        sortable (bool): Whether a click on a title sorts.

    Returns:
        str: HTML, which scrolls sideways where it is too wide.
    """
    head = ''
    for n, title in enumerate(titles):
        words = any(isinstance(row[n], Cell) and row[n].kind == 'text'
                    for row in rows)
        text = escape(title)
        if sortable:
            text = f'<button type="button">{text}</button>'
        head += (f'<th scope="col"{" class=text" if words else ""}>{text}'
                 '</th>')
    body = ''.join(
        '<tr>' + ''.join(_cell(cell, n == 0) for n, cell in enumerate(row))
        + '</tr>' for row in rows)
    name = f'<caption>{escape(caption)}</caption>' if caption else ''
    return (f'<div class="scroll" tabindex="0" role="region" '
            f'aria-label="{escape(caption or titles[0])}">'
            f'<table{" class=sortable" if sortable else ""}>{name}'
            f'<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
            '</div>')


def _cell(cell: Cell | str, first: bool) -> str:
    cell = Cell(cell) if isinstance(cell, str) else cell
    text = escape(cell.text)
    if cell.link:
        text = f'<a href="#{escape(cell.link)}">{text}</a>'
    value = ''
    if cell.value is not None:
        # An empty value sorts last, as the script does with no number.
        shown = f'{cell.value:.8g}' if math.isfinite(cell.value) else ''
        value = f' data-v="{shown}"'
    kind = f' class="{cell.kind}"' if cell.kind else ''
    if first:
        return f'<th scope="row"{value}{kind}>{text}</th>'
    return f'<td{value}{kind}>{text}</td>'


def number_cell(value: float | None, digits: int, *, sign: bool = False,
                better: int = 0) -> Cell:
    """Return a number as a cell.

    Args:
        value (float, optional): None and NaN are unknown.
        digits (int): Behind the point.
        sign (bool): Whether to write a plus.
        better (int): 1 colours what is above 0 good, -1 what is below.
    """
    if value is None or math.isnan(value):
        return Cell('–', math.nan)
    kind = '' if not better or value == 0 else (
        'good' if value * better > 0 else 'bad')
    return Cell(f'{value:{"+" if sign else ""}.{digits}f}', value, '', kind)


def facts(pairs: dict[str, str]) -> str:
    """Return titles with texts, one below the other."""
    return '<dl>' + ''.join(
        f'<dt>{escape(key)}</dt><dd>{escape(value)}</dd>'
        for key, value in pairs.items()) + '</dl>'


def paragraph(text: str, *, soft: bool = False) -> str:
    """Return a paragraph."""
    return f'<p{" class=soft" if soft else ""}>{escape(text)}</p>'


def section(anchor: str, title: str, *parts: str) -> tuple[str, str, str]:
    """Return a section for :func:`page`: address, title, HTML."""
    return anchor, title, '\n'.join(parts)


def page(title: str, lead: str,
         sections: Sequence[tuple[str, str, str]]) -> str:
    """Return a whole page.

    Args:
        title (str): Of the page.
        lead (str): HTML above the sections.
        sections (Sequence[tuple]): Of :func:`section`.

    Returns:
        str: HTML.
    """
    source = files('mmcrack.visualization')
    style, script = (source.joinpath(f'page.{kind}').read_text('utf-8')
                     for kind in ('css', 'js'))
    links = ''.join(f'<li><a href="#{escape(anchor)}">{escape(name)}</a>'
                    '</li>' for anchor, name, _ in sections)
    body = '\n'.join(
        f'<section id="{escape(anchor)}"><h2>{escape(name)}</h2>\n{parts}'
        '</section>' for anchor, name, parts in sections)
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, '
        'initial-scale=1">\n<meta name="color-scheme" content="light dark">'
        f'\n<title>{escape(title)}</title>\n<style>\n{style}</style></head>'
        f'\n<body>\n<a class="skip" href="#main">To the content</a>\n'
        f'<header><h1>{escape(title)}</h1>\n{lead}\n'
        f'<nav aria-label="Sections"><ul>{links}</ul></nav></header>\n'
        f'<main id="main"><p id="picture-help" class="soft screen">'
        f'{escape(HELP)}</p>\n{body}\n</main>\n<script>\n{script}</script>'
        '\n</body>\n</html>\n')
