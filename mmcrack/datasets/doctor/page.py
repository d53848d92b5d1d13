"""A page with pictures of the worst findings, in one file."""

import base64
import html
from pathlib import Path

import cv2
import numpy as np

from mmcrack.datasets.doctor.examination import Examination
from mmcrack.datasets.doctor.findings import Entry, Finding
from mmcrack.datasets.doctor.reading import read_pair
from mmcrack.datasets.doctor.record import Record
from mmcrack.datasets.doctor.report import cure_of, verdict
from mmcrack.visualization.drawing import (
    FALSE_ALARM,
    paint,
    reduce_max,
    reduce_picture,
    reduction_factor,
)

_LONG_EDGE, _QUALITY = 400, 82
_WORST, _FILES = 6, 4
_STYLE = """
body{font:16px/1.45 system-ui,sans-serif;margin:0 auto;max-width:1200px;
padding:1rem;color:#222;background:#fff}
h2{margin:2rem 0 .3rem}table{border-collapse:collapse;font-size:.9rem}
table{margin:.8rem 0}td{white-space:nowrap}
td,th{padding:.2rem .6rem;text-align:right;border-bottom:1px solid #ddd}
.scroll{overflow-x:auto}
.tag{color:#fff;border-radius:4px;padding:.1rem .5rem;font-size:.85rem}
.grave{background:#b3261e}.warning{background:#b06000}.note{background:#555}
.cases{display:flex;flex-wrap:wrap;gap:1rem}
.case{border:1px solid #ddd;border-radius:6px;padding:.5rem;max-width:100%}
.row{display:flex;flex-wrap:wrap;gap:.5rem}
figure{margin:0;max-width:100%}figcaption{font-size:.8rem}
img{max-width:100%;height:auto;display:block}
.say{max-width:42rem;font-size:.85rem;overflow-wrap:anywhere}
code{overflow-wrap:anywhere}
"""


def write_page(examination: Examination, path: Path) -> None:
    """Writes the page; needs no network to be seen.

    Args:
        examination: Of the set.
        path: HTML file.
    """
    records = {r.name: r for r in examination.records}
    pictures: dict[str, str] = {}
    title = html.escape(examination.source.title)
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,'
        'initial-scale=1">',
        f'<title>{title}</title><style>{_STYLE}</style>',
        f'<h1>{title}</h1><p>{html.escape(verdict(examination))}. The '
        'outline of the mask is orange.</p>',
        _tables(examination.figures),
    ]
    for finding in examination.findings:
        parts.append(_section(examination, finding, records, pictures))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join(parts) + '\n', 'utf-8')


def overlay(record: Record) -> np.ndarray | None:
    """Draws a pair: the image with the outline of its mask.

    Args:
        record: Of the pair.

    Returns:
        uint8 (h, w, 3), RGB, at most 400 pixels long; None if the image
        cannot be read.
    """
    reading = read_pair(record.item)
    base = reading.pixels
    label = reading.label
    if base is None:
        if label is None:
            return None
        base = np.repeat((label == 1)[..., None] * np.uint8(255), 3, axis=2)
        label = None
    factor = reduction_factor(base.shape[:2], _LONG_EDGE)
    picture = reduce_picture(base, factor)
    if label is None or label.shape != reading.pixels.shape[:2]:
        return picture
    crack = reduce_max((label == 1).astype(np.uint8), factor)
    outline = cv2.dilate(crack, np.ones((3, 3), np.uint8)) - crack
    return paint(picture, outline > 0, FALSE_ALARM, opacity=1.0)


def _section(
    examination: Examination, finding: Finding,
    records: dict[str, Record], pictures: dict[str, str],
) -> str:
    check = finding.check
    shown = finding.entries[:_WORST]
    more = len(finding.entries) - len(shown)
    cases = ''.join(_case(e, records, pictures) for e in shown)
    rest = f'<p>and {more} more, see report.md</p>' if more > 0 else ''
    return (
        f'<h2>{check.number}. {html.escape(check.title)} '
        f'<span class="tag {finding.severity}">{finding.severity}</span>'
        f'</h2><p>{html.escape(finding.summary)}.</p>'
        f'<p>{html.escape(check.meaning)}</p>'
        f'<p>Cure: <code>{html.escape(cure_of(examination, finding))}'
        f'</code></p><div class="cases">{cases}</div>{rest}')


def _case(
    entry: Entry, records: dict[str, Record], pictures: dict[str, str]
) -> str:
    # One of each split first: a leak shows its two sides.
    splits: dict[str, list[str]] = {}
    for name in entry.files:
        splits.setdefault(records[name].item.split, []).append(name)
    lists = list(splits.values())
    names = [group[k] for k in range(max(map(len, lists)))
             for group in lists if k < len(group)]
    figures = ''.join(
        _figure(name, records[name], pictures) for name in names[:_FILES])
    hidden = len(names) - _FILES
    more = f' and {hidden} more images' if hidden > 0 else ''
    return (f'<div class="case"><div class="row">{figures}</div>'
            f'<div class="say">{html.escape(entry.note)}{more}</div></div>')


def _figure(name: str, record: Record, pictures: dict[str, str]) -> str:
    if name not in pictures:
        picture = overlay(record)
        pictures[name] = '' if picture is None else _data(picture)
    image = f'<img alt="" src="{pictures[name]}">' if pictures[name] else ''
    return (f'<figure>{image}<figcaption>{html.escape(name)}</figcaption>'
            '</figure>')


def _data(picture: np.ndarray) -> str:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    data = cv2.imencode(
        '.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
    return 'data:image/jpeg;base64,' + base64.b64encode(data).decode()


def _tables(figures: dict) -> str:
    rows, spread = [], []
    for split, found in figures.items():
        share, width = found['crack_share'], found['width']
        cells = [split, str(found['images']), str(found['masks'])]
        names = ('min', 'p5', 'median', 'p95', 'max')
        cells += ['' if share is None else f'{100 * share[n]:.2f}'
                  for n in names]
        cells += ['' if width is None else f'{width[n]:.1f}' for n in names]
        rows.append(cells)
        if width is not None:
            spread.append((split, width['distribution']))
    head = ['split', 'images', 'masks',
            *(f'crack % {n}' for n in ('min', '5 %', 'median', '95 %',
                                       'max')),
            *(f'width px {n}' for n in ('min', '5 %', 'median', '95 %',
                                        'max'))]
    text = _table(head, rows)
    if spread:
        head = ['part of all crack length, width in px',
                *(html.escape(c) for c in spread[0][1])]
        text += _table(head, [
            [split, *(f'{100 * p:.1f} %' for p in parts.values())]
            for split, parts in spread])
    return text


def _table(head: list[str], rows: list[list[str]]) -> str:
    top = ''.join(f'<th>{c}</th>' for c in head)
    body = ''.join(
        '<tr>' + ''.join(f'<td>{html.escape(c)}</td>' for c in row) + '</tr>'
        for row in rows)
    return f'<div class="scroll"><table><tr>{top}</tr>{body}</table></div>'
