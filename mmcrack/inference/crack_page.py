"""The inspection report: one page about a folder of photographs."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from mmcrack.inference.crack_pictures import (
    LONG_EDGE,
    Pictures,
    draw_pictures,
    widest_cracks,
    width_colors,
)
from mmcrack.inference.files import atomic
from mmcrack.inference.survey import Found, Survey, take_survey
from mmcrack.visualization import page as parts
from mmcrack.visualization.page import Cell, number_cell
from mmcrack.visualization.page_plots import Series, axis_over, bar_plot

_LISTED = 50
_BASE64 = 0.74


class PageLimits(NamedTuple):
    """How large a page may become.

    Attributes:
        photographs (int): How many are shown with pictures, those with the
            widest cracks first; the others stand in the tables.
        megabytes (float): Of the page, about.
        megapixels (float): Larger photographs that are no TIFF are shown by
            their mask only.
    """

    photographs: int = 100
    megabytes: float = 60.0
    megapixels: float = 250.0


class ReportHook:
    """Write ``report/index.html`` at the end of a run of the inferencer.

    A :class:`mmcrack.inference.outputs.RunHook`.

    Args:
        scale_of (Callable, optional): Record to millimetres per pixel.
    """

    def __init__(self, scale_of: Callable[[dict], float] | None = None
                 ) -> None:
        self.scale_of = scale_of

    def __call__(self, out: Path, records: list[dict]) -> None:
        """Write the page, if there is anything to tell.

        Args:
            out (Path): Folder of the run.
            records (list[dict]): Of the run.
        """
        if records:
            write_crack_page(
                take_survey(out, scale_of=self.scale_of),
                out / 'report' / 'index.html')


def write_crack_page(survey: Survey, path: Path, *,
                     limits: PageLimits = PageLimits(),  # noqa: B008
                     title: str = 'Crack report',
                     tell: Callable[[str], Any] = lambda text: None
                     ) -> None:
    """Write the page.

    Args:
        survey (Survey): Of the run.
        path (Path): HTML file; its folder is made.
        limits (PageLimits): How large it may become.
        title (str): Of the page.
        tell (Callable): Told how far it is.

    Raises:
        OutputError: If it cannot be written.
    """
    order = sorted(survey.found, key=_severity, reverse=True)
    shown = order[:limits.photographs]
    room = int(limits.megabytes * 1e6 * _BASE64 / max(len(shown), 1))
    pictures: dict[str, Pictures] = {}
    for number, found in enumerate(shown, 1):
        pictures[found.name] = draw_pictures(
            found, survey, max_bytes=room,
            max_megapixels=limits.megapixels)
        tell(f'drew {number} of {len(shown)}: {found.name}')
    anchors = {f.name: f'photograph-{n}' for n, f in enumerate(order, 1)}
    any_crack = any(f.cracks for f in survey.found)
    html = parts.page(title, _lead(survey), [
        *([parts.section('severity', 'By severity', *_severities(survey)),
           parts.section('widths', 'Widths', *_histogram(survey))]
          if any_crack else []),
        parts.section('photographs', 'Photographs',
                      _thumbnails(shown, pictures, anchors),
                      _photographs(survey, order, pictures, anchors)),
        *([parts.section('cracks', 'Widest cracks',
                         _cracks(survey, pictures, anchors))]
          if any_crack else []),
        parts.section('pictures', 'Pictures', parts.paragraph(_limit_text(
            survey, shown, order, limits)), parts.color_legend(
                width_colors(survey)), *(
            _photograph(f, survey, pictures[f.name], anchors[f.name])
            for f in shown)),
        *_failed(survey)])
    with atomic(path) as file:
        file.write(html.encode())


def _severity(found: Found) -> tuple[float, float]:
    widest = found.widest
    return (-1.0 if math.isnan(widest) else widest, found.length)


def _length(value: float, unit: str) -> str:
    """A length for people: metres where millimetres would be many."""
    if unit == 'mm' and value >= 1000:
        return f'{value / 1000:.2f} m'
    return f'{value:.0f} {unit}'


def _lead(survey: Survey) -> str:
    widest = [f.widest for f in survey.found if not math.isnan(f.widest)]
    digits = 2 if survey.unit == 'mm' else 1
    clean = sum(not f.cracks for f in survey.found)
    facts = {
        'folder': str(survey.out),
        'photographs': f'{len(survey.found)}, of these {clean} without a '
                       'crack',
        'cracks': f'{sum(len(f.cracks) for f in survey.found)}',
        'length of all cracks': _length(
            sum(f.length for f in survey.found), survey.unit),
        'widest place': f'{max(widest):.{digits}f} {survey.unit}'
                        if widest else 'none'}
    if survey.unit == 'mm':
        scales = sorted(f.scale for f in survey.found)
        facts['scale'] = f'{scales[0]:.4g} mm per pixel' if (
            scales[0] == scales[-1]) else (
            f'{scales[0]:.4g} to {scales[-1]:.4g} mm per pixel')
    else:
        facts['scale'] = 'not known: all numbers are in pixels'
    if survey.min_length:
        facts['left out'] = (
            f'cracks shorter than {survey.min_length:g} {survey.unit}, also '
            'pieces of a crack that was found with gaps')
    if survey.failed:
        facts['could not be read'] = f'{len(survey.failed)}, see below'
    return parts.facts(facts)


def _severities(survey: Survey) -> list[str]:
    rows = [[Cell(x['name'], x['index']), number_cell(x['photographs'], 0),
             number_cell(x['cracks'], 0), number_cell(x['length'], 0),
             number_cell(x['share'], 1)] for x in survey.by_class()]
    return [
        parts.table(['width', 'photographs', 'cracks',
                     f'length, {survey.unit}', 'length, %'], rows),
        parts.paragraph(
            'Photographs and cracks count where their widest place belongs; '
            'the length is that of all crack of such a width.', soft=True)]


def _histogram(survey: Survey) -> list[str]:
    edges, lengths = survey.histogram()
    names = [f'{a:g}–{b:g}' for a, b in zip(edges, edges[1:],
                                            strict=False)]
    names[-1] = f'> {edges[-2]:g}'
    # Every name would not fit below its bar.
    step = max(len(names) // 6, 1)
    shown = [f'{edge:g}' if n % step == 0 else ''
             for n, edge in enumerate(edges[:-1])]
    unit = survey.unit
    return [
        '<figure>', bar_plot(
            [Series('length', (), lengths)], shown,
            f'width from, {unit}', axis_over(
                f'length of crack, {unit}', lengths, low=0),
            title=f'Length of crack by width, both in {unit}'),
        f'<figcaption>Bars are {edges[1]:g} {unit} wide; the last holds '
        'what is wider, too.</figcaption></figure>',
        '<details><summary>Numbers of the histogram</summary>',
        parts.table([f'width, {unit}', f'length, {unit}'], [
            [Cell(name, edge), number_cell(value, 1)]
            for name, edge, value in zip(names, edges, lengths,
                                         strict=False)]), '</details>']


def _thumbnails(shown: list, pictures: dict, anchors: dict) -> str:
    items = ''.join(
        f'<li><a href="#{anchors[f.name]}">'
        f'{parts.image(pictures[f.name].thumbnail, f"{f.name} with cracks")}'
        f'{parts.escape(f.name)}</a></li>' for f in shown)
    return f'<ul class="thumbs">{items}</ul>'


def _class_cell(survey: Survey, width: float) -> Cell:
    index = survey.class_of(width)
    return Cell('–' if index < 0 else survey.class_names()[index],
                float(index), '', 'text')


def _photographs(survey: Survey, order: list, pictures: dict, anchors: dict
                 ) -> str:
    unit, digits = survey.unit, 2 if survey.unit == 'mm' else 1
    rows = []
    for f in order:
        link = anchors[f.name] if f.name in pictures else ''
        figures = f.record['figures']
        rows.append([
            Cell(f.name, link=link), number_cell(f.widest, digits),
            _class_cell(survey, f.widest), number_cell(len(f.cracks), 0),
            number_cell(f.length, 0),
            number_cell(figures['crack_share_percent'], 3),
            f'{figures["width"]} x {figures["height"]}'])
    return parts.table(
        ['photograph', f'widest, {unit}', 'class', 'cracks',
         f'length, {unit}', 'crack, % of area', 'pixels'], rows)


def _cracks(survey: Survey, pictures: dict, anchors: dict) -> str:
    unit, digits = survey.unit, 2 if survey.unit == 'mm' else 1
    every = [(c.widest * f.scale, f, c) for f in survey.found
             for c in widest_cracks(f)]
    every.sort(key=lambda x: -x[0])
    rows = []
    for width, f, crack in every[:_LISTED]:
        link = anchors[f.name] if f.name in pictures else ''
        rows.append([
            Cell(f'{f.name} / {crack.number}', link=link),
            number_cell(width, digits),
            number_cell(crack.spread * f.scale, digits + 1),
            _class_cell(survey, width),
            number_cell(crack.mean * f.scale, digits),
            number_cell(crack.length * f.scale, 0),
            number_cell(crack.orientation, 0),
            f'{crack.place[0]:.0f}, {crack.place[1]:.0f}'])
    known = any(not math.isnan(crack.spread) for _, _, crack in every)
    note = '' if len(every) <= _LISTED else (
        f'The {_LISTED} widest of {len(every)}. ')
    note += '' if not every else (
        '± is one standard deviation, as the probability maps have it.'
        if known else '± is known to a run with --probability.')
    return parts.table(
        ['photograph / crack', f'widest, {unit}', f'± {unit}', 'class',
         f'mean, {unit}', f'length, {unit}', 'direction, °', 'x, y in px'],
        rows, caption=note)


def _limit_text(survey: Survey, shown: list, order: list,
                limits: PageLimits) -> str:
    rest = len(order) - len(shown)
    more = (f' Not shown are {rest} of {len(order)} photographs; they stand '
            'in the tables.' if rest else '')
    return (f'Pictures are reduced to at most {LONG_EDGE} pixels, and '
            f'further until the page has about {limits.megabytes:g} MB.'
            f'{more} Results at full size are in {survey.out}.')


def _photograph(found: Found, survey: Survey, pictures: Pictures,
                anchor: str) -> str:
    unit, digits = survey.unit, 2 if survey.unit == 'mm' else 1
    note = 'no crack was found'
    if found.cracks:
        note = (f'{len(found.cracks)} cracks, '
                f'{_length(found.length, unit)} long')
    if not math.isnan(found.widest):
        note += f', widest place {found.widest:.{digits}f} {unit}'
    crops = ''.join(
        f'<figure>{parts.image(inline, f"widest place of crack {c.number}")}'
        f'<figcaption>crack {c.number}: {c.widest * found.scale:.{digits}f} '
        f'{unit}</figcaption></figure>' for c, inline in pictures.crops)
    crops = f'<div class="crops">{crops}</div>' if crops else ''
    warning = parts.paragraph(pictures.note) if pictures.note else ''
    return (f'<article class="case" id="{anchor}">'
            f'<h3>{parts.escape(found.name)}</h3>{warning}'
            f'{parts.viewer(pictures.layers, title=found.name, note=note)}'
            f'{crops}</article>')


def _failed(survey: Survey) -> list[tuple[str, str, str]]:
    if not survey.failed:
        return []
    return [parts.section('failed', 'Photographs that failed', parts.table(
        ['file', 'reason'], [[x['file'], Cell(x['reason'], kind='text')]
                             for x in survey.failed]))]
