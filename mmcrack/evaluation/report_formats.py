"""A report of scored folders as text, Markdown, CSV or JSON.

Not in the papers. What a document holds is said in
:mod:`mmcrack.evaluation.report` and :mod:`mmcrack.evaluation.command`.
"""

import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path

from mmcrack.evaluation.scores.base import NUMBER

ENDINGS = ('.json', '.md', '.csv')


def check_writable(path: Path, *, endings: Sequence[str] = ()) -> None:
    """Make sure that a file can be written before hours of work.

    Args:
        path (Path): The file; its folder is made.
        endings (Sequence[str]): What it may end with; () for anything.

    Raises:
        ValueError: If its ending is none of these or it cannot be written.
    """
    if endings and path.suffix.lower() not in endings:
        raise ValueError(f'The report must end with {", ".join(endings)}, '
                         f'got {str(path)!r}.')
    there = path.exists()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open('a'):
            pass
        if not there:
            path.unlink()
    except OSError as error:
        raise ValueError(f'{str(path)!r} cannot be written '
                         f'({error.strerror or error}): choose another '
                         'file.') from error


def write_report(document: dict, path: Path) -> None:
    """Write a report in the format of its ending.

    Args:
        document (dict): The report.
        path (Path): Ends with one of :data:`ENDINGS`.
    """
    kind = path.suffix.lower()
    text = {'.json': as_json, '.md': as_markdown, '.csv': as_csv}[kind](
        document)
    path.write_text(text, encoding='utf-8')


def write_rows(rows: Sequence[dict], path: Path) -> None:
    """Write a table with a row for each image.

    Args:
        rows (Sequence[dict]): All with the same keys, names and numbers.
        path (Path): A CSV file.
    """
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else ['image'])
        writer.writeheader()
        writer.writerows(rows)


def as_json(document: dict) -> str:
    """Return a report as JSON; what is undefined is null."""
    return json.dumps(_without_nan(document), indent=2, allow_nan=False,
                      ensure_ascii=False) + '\n'


def _without_nan(value):
    """The same with None in the place of NaN and infinity."""
    if isinstance(value, dict):
        return {str(k): _without_nan(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def as_csv(document: dict) -> str:
    """Return the figures of all folders, and of sources, as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator='\n')
    writer.writerow(['set', 'source', 'figure', 'value', 'low', 'high',
                     'unit', 'kind', 'images'])
    for name, one in document['sets'].items():
        for f in one['figures']:
            writer.writerow([
                name, 'all', f['name'], f['value'], f.get('low', ''),
                f.get('high', ''), f['unit'], f['kind'], f['images']])
        by_name = {f['name']: f for f in one['figures']}
        for source, figures in one['sources'].items():
            for key, value in figures.items():
                known = by_name.get(key, {'unit': '', 'kind': ''})
                writer.writerow([name, source, key, value, '', '',
                                 known['unit'], known['kind'],
                                 int(figures['images'])])
    for f in document.get('comparison', {}).get('figures', ()):
        writer.writerow(['difference', 'all', f['name'], f['difference'],
                         f['low'], f['high'], f['unit'], 'paired',
                         document['images']])
    return out.getvalue()


def as_text(document: dict) -> str:
    """Return a report for a terminal."""
    return _render(document, _text_table, heading='{}:', bullet='  ')


def as_markdown(document: dict) -> str:
    """Return a report as Markdown."""
    return '# Crack metrics\n\n' + _render(
        document, _markdown_table, heading='## {}', bullet='- ')


def _render(document: dict, table, *, heading: str, bullet: str) -> str:
    """All parts of a report; ``table`` takes titles and rows of text."""
    blocks = ['\n'.join(bullet + line for line in _facts(document))]
    sets = document['sets']
    titles, rows = _figure_rows(sets)
    blocks += [heading.format('Figures'), table(titles, rows)]
    for name, one in sets.items():
        if one['sources']:
            label = name if len(sets) > 1 else 'images'
            blocks += [heading.format(f'Sources of the {label}'),
                       table(*_source_rows(one, document['shown']))]
    if 'comparison' in document:
        found = document['comparison']
        blocks += [
            heading.format('From prediction (first) to compared (second)'),
            table(*_difference_rows(found)),
            heading.format('Images in the second folder'),
            table(*_change_rows(found))]
        for title, key in (('Most improved', 'most_better'),
                           ('Most worsened', 'most_worse')):
            if found[key]:
                blocks += [
                    heading.format(f'{title} images, by {found["by"]}'),
                    table(*_image_rows(found[key], found['by_unit']))]
    return '\n\n'.join(blocks) + '\n'


def _facts(document: dict) -> list:
    """What was done, a line each."""
    lines = [f'{key}: {value}' for key, value in document['done'].items()]
    for what, names in document['left_out'].items():
        shown = ', '.join(names[:3]) + (', ...' if len(names) > 3 else '')
        lines.append(f'left out, {what}: {len(names)} ({shown})')
    return lines


def _figure_rows(sets: dict) -> tuple:
    """Titles and rows of the main table: a column for each folder."""
    first = next(iter(sets.values()))['figures']
    intervals = any('low' in f for one in sets.values()
                    for f in one['figures'])
    titles = ['figure']
    for name in sets:
        titles += [name] + (['95 % interval'] if intervals else [])
    titles += ['unit', 'over', 'images']
    known = {name: {f['name']: f for f in one['figures']}
             for name, one in sets.items()}
    rows = []
    for figure in first:
        row = [figure['name']]
        for of in known.values():
            one = of.get(figure['name'])
            row.append('-' if one is None else _figure_text(one))
            if intervals:
                row.append('-' if one is None or 'low' not in one else
                           f'{_number(one["low"], one["unit"])} to '
                           f'{_number(one["high"], one["unit"])}')
        rows.append([*row, figure['unit'], figure['kind'],
                     str(figure['images'])])
    return titles, rows


def _source_rows(one: dict, shown: Sequence[str]) -> tuple:
    """Titles and rows of the table of sources, the mean of them last."""
    sources = one['sources']
    units = {f['name']: f['unit'] for f in one['figures']}
    rows = [[source, f'{figures["images"]:.0f}',
             *(_number(figures[key], units[key]) for key in shown)]
            for source, figures in sources.items()]
    means = []
    for key in shown:
        values = [f[key] for f in sources.values()
                  if not math.isnan(f[key])]
        means.append(_number(sum(values) / len(values), units[key])
                     if values else 'nan')
    rows.append(['mean of sources',
                 f'{sum(f["images"] for f in sources.values()):.0f}', *means])
    return ['source', 'images', *shown], rows


def _difference_rows(found: dict) -> tuple:
    """Titles and rows of a comparison's figures."""
    return ['figure', 'first', 'second', 'difference', '95 % interval',
            'p', 'better'], [
        [f['name'], _number(f['first'], f['unit']),
         _number(f['second'], f['unit']),
         _number(f['difference'], f['unit'], sign=True),
         f'{_number(f["low"], f["unit"], sign=True)} to '
         f'{_number(f["high"], f["unit"], sign=True)}', f'{f["p"]:.3f}',
         'higher' if f['better'] > 0 else 'lower']
        for f in found['figures']]


def _change_rows(found: dict) -> tuple:
    """Titles and rows of how many images changed."""
    return ['figure of an image', 'better', 'worse', 'equal', 'undefined'], [
        [key, *(str(n[x]) for x in ('better', 'worse', 'equal',
                                    'undefined'))]
        for key, n in found['images'].items()]


def _image_rows(images: Sequence[dict], unit: str) -> tuple:
    """Titles and rows of a list of images with both values."""
    return ['image', 'first', 'second'], [
        [x['image'], _number(x['first'], unit), _number(x['second'], unit)]
        for x in images]


def _figure_text(figure: dict) -> str:
    """The value of a figure; a number of images without decimals."""
    if figure['kind'] == NUMBER:
        return f'{figure["value"]:.0f}'
    return _number(figure['value'], figure['unit'])


def _number(value: float, unit: str, *, sign: bool = False) -> str:
    """A figure with as many digits as mean something."""
    if not math.isfinite(value):
        return f'{value}'
    digits = '.2f' if unit else '.4g'
    return f'{value:{"+" if sign else ""}{digits}}'


def _text_table(titles: Sequence[str], rows: Sequence) -> str:
    """Columns under their titles; numbers end in one line."""
    table = [list(titles), *rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(titles))]
    lines = []
    for row in table:
        cells = [f'{cell:{width}}' if _is_text(rows, i) else
                 f'{cell:>{width}}'
                 for i, (cell, width) in enumerate(
                     zip(row, widths, strict=True))]
        lines.append('  ' + '  '.join(cells).rstrip())
    lines.insert(1, '  ' + '  '.join('-' * width for width in widths))
    return '\n'.join(lines)


def _markdown_table(titles: Sequence[str], rows: Sequence) -> str:
    """A table of GitHub's Markdown."""
    rule = [':--' if _is_text(rows, i) else '--:' for i in range(len(titles))]
    lines = [[*titles], rule,
             *([cell.replace('|', '\\|') for cell in row] for row in rows)]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def _is_text(rows: Sequence, column: int) -> bool:
    """Whether a column holds anything but numbers and intervals."""
    return any(row[column] and row[column][0] not in '0123456789+-n'
               for row in rows) or column == 0
