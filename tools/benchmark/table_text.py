"""A table of results as Markdown and as CSV."""

import csv
import io
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from tables import Column, Table, TableRow

Results = Mapping[str, Sequence[dict]]


def figure(figures: Mapping[str, float] | None, key: str) -> float | None:
    """Return one figure of a test.

    Args:
        figures (Mapping[str, float], optional): As logged.
        key (str): With or without ``crack/``; 'images_per_second' is made
            from 'seconds_per_image'.

    Returns:
        float | None: None where it is missing or not a number.
    """
    figures = figures or {}
    if key == 'images_per_second' and figures.get('seconds_per_image'):
        return 1 / figures['seconds_per_image']
    value = figures.get(key, figures.get(f'crack/{key}'))
    return None if value is None or math.isnan(value) else float(value)


def spread_text(values: Sequence[float | None], digits: int) -> str:
    """Write mean and standard deviation of seeds.

    Args:
        values (Sequence): One for each seed; None where it has no figure.
        digits (int): Behind the point.

    Returns:
        str: 'mean ± deviation' (n - 1 in the denominator), the figure alone
        for one seed, '' for none.
    """
    values = [v for v in values if v is not None]
    if not values:
        return ''
    text = f'{statistics.fmean(values):.{digits}f}'
    if len(values) > 1:
        text += f' ± {statistics.stdev(values):.{digits}f}'
    return text


def rows_in_order(table: Table) -> list[TableRow]:
    """Return the rows that are shown, as the file has them."""
    by_name = {row.name: row for row in table.rows}
    return [by_name[name] for name in table.order if by_name[name].show]


def has_paper(table: Table, column: Column) -> bool:
    """Tell whether the paper prints a column."""
    return any(column.key in row.paper for row in table.rows)


def main_column(table: Table) -> Column:
    """Return the column whose differences to the baseline are told."""
    return next((c for c in table.columns if c.main), table.columns[0])


def lines_of(table: Table, results: Results, errors: Mapping[str, str],
             which: str = 'last') -> list[dict[str, str]]:
    """Return the lines of the table.

    Args:
        table (Table): The table.
        results (Results): For each row's name what its seeds found.
        errors (Mapping[str, str]): For each row's name why it failed.
        which (str): 'last' or 'best' checkpoint.

    Returns:
        list[dict[str, str]]: The same keys each, headings.
    """
    lines = []
    for row in rows_in_order(table):
        found = results.get(row.name, ())
        line = {'system': row.name}
        for column in table.columns:
            title = f'{column.label} [{column.unit}]' if column.unit else \
                column.label
            ours = spread_text([figure(r[which], column.key) for r in found],
                               column.digits)
            if has_paper(table, column):
                paper = row.paper.get(column.key)
                line[f'{title}, paper'] = '' if paper is None else \
                    f'{paper:.{column.digits}f}'
                title += ', ours'
            line[title] = ours
        if table.baseline:
            line.update(_differences(table, results, row, which))
        if which == 'last':
            line.update(_costs(table, found))
        line['seeds'] = ' '.join(str(r['seed']) for r in found) or (
            'failed' if row.name in errors else '')
        lines.append(line)
    return lines


def _differences(table: Table, results: Results, row: TableRow,
                 which: str) -> dict[str, str]:
    """Compare a row with the baseline, seed by seed."""
    column = main_column(table)
    base = next(r for r in table.rows if r.name == table.baseline)
    title = f'{column.label} over {table.baseline}'
    line = {}
    if has_paper(table, column):
        pair = row.paper.get(column.key), base.paper.get(column.key)
        line[f'{title}, paper'] = '' if None in pair or row is base else \
            f'{pair[0] - pair[1]:+.{column.digits}f}'
        title += ', ours'
    theirs = {r['seed']: figure(r[which], column.key)
              for r in results.get(base.name, ())}
    gaps = []
    for result in results.get(row.name, ()):
        pair = figure(result[which], column.key), theirs.get(result['seed'])
        if None not in pair:
            gaps.append(pair[0] - pair[1])
    text = spread_text(gaps, column.digits)
    line[title] = '' if row is base or not text else (
        text if text.startswith('-') else f'+{text}')
    return line


def _costs(table: Table, found: Sequence[dict]) -> dict[str, str]:
    """Return parameters, operations and seconds of a row."""
    height, width = table.flops_size
    first = found[0] if found else {}
    gflops = first.get('gflops')
    seconds = [figure(r['last'], 'seconds_per_image') for r in found]
    trained = [r.get('train_seconds') for r in found]
    return {
        'parameters [M]': f'{first["parameters"] / 1e6:.2f}' if first else '',
        f'GFLOPs at {width}x{height}':
            f'{gflops:.4g}' if gflops is not None else ('?' if first else ''),
        's per image': spread_text(seconds, 4),
        'training [s]': spread_text(trained, 0),
    }


def markdown(table: Table, results: Results, errors: Mapping[str, str],
             budget: str) -> str:
    """Return the whole page.

    Args:
        table (Table): The table.
        results (Results): For each row's name what its seeds found.
        errors (Mapping[str, str]): For each row's name why it failed.
        budget (str): In words.

    Returns:
        str: Markdown: the table, that of the best checkpoints where sets
        have a validation split of their own, and what was run how.
    """
    text = [f'# {table.title}', '']
    if table.source:
        text += [f'Paper: {table.source}.', '']
    text += [_as_markdown(lines_of(table, results, errors)), '']
    if any(r.get('best') for found in results.values() for r in found):
        kept = {name: [r for r in found if r.get('best')]
                for name, found in results.items()}
        text += ['The best checkpoint by the validation split, in place of '
                 'the last:', '',
                 _as_markdown(lines_of(table, kept, errors, 'best')), '']
    text += [f'- {line}' for line in _notes(table, results, errors, budget)]
    return '\n'.join(text) + '\n'


def _as_markdown(lines: Sequence[Mapping[str, str]]) -> str:
    rows = [list(lines[0]), ['---'] * len(lines[0])]
    rows += [[str(v).replace('|', '\\|') for v in line.values()]
             for line in lines]
    return '\n'.join(f'| {" | ".join(row)} |' for row in rows)


def _notes(table: Table, results: Results, errors: Mapping[str, str],
           budget: str) -> list[str]:
    """Say how the figures were made."""
    shown = {row.name for row in rows_in_order(table)}
    found = [r for name, rows in results.items() if name in shown
             for r in rows]
    notes = [f'Budget: {budget}. Ours: mean ± standard deviation over the '
             'seeds, the last checkpoint. Empty: not run.']
    images = sorted({
        ', '.join(f'{split} {n}' for split, n in r['images'].items()) +
        f' ({r["data"]})' for r in found})
    if images:
        notes.append(f'Images: {"; ".join(images)}.')
    own = {r['own_validation'] for r in found}
    if own == {False}:
        notes.append('No set here has a validation split of its own, so '
                     'there is no best checkpoint to choose.')
    for title, key in (('Hardware and torch', 'machine'),
                       ('Commit', 'commit')):
        kinds = sorted({r[key] for r in found if r.get(key)})
        if kinds:
            notes.append(f'{title}: {"; ".join(kinds)}.')
    if found:
        notes.append(
            'Parameters and GFLOPs (two for each multiply-add) are those of '
            'a test; seconds per image is the median from decoded image to '
            'mask, without reading and scoring, beside whatever else ran; '
            'training seconds hold validation, and after an interruption '
            'what was done again.')
        tried = {key for r in found for key in r['last']}
        notes += [f'No test gave {c.key!r} ({c.label}).'
                  for c in table.columns
                  if c.key != 'images_per_second'
                  and not {c.key, f'crack/{c.key}'} & tried]
    notes += [f'{row.name}: {row.note}' for row in rows_in_order(table)
              if row.note]
    notes += table.notes
    notes += [f'**{name} failed**: {words}' for name, words in errors.items()]
    return notes


def table_csv(table: Table, results: Results,
              errors: Mapping[str, str]) -> str:
    """Return the table as CSV, means and deviations in columns of their own.

    Args:
        table (Table): The table.
        results (Results): For each row's name what its seeds found.
        errors (Mapping[str, str]): For each row's name why it failed.
    """
    lines = []
    for row in rows_in_order(table):
        found = results.get(row.name, ())
        line: dict[str, Any] = dict(
            system=row.name, config=row.config.stem if row.config else '')
        for column in table.columns:
            line[f'{column.key} paper'] = row.paper.get(column.key, '')
            for which in ('last', 'best'):
                values = [figure(r[which], column.key) for r in found]
                values = [v for v in values if v is not None]
                name = f'{column.key} {which}'
                line[f'{name} mean'] = _rounded(
                    statistics.fmean(values) if values else None)
                line[f'{name} sd'] = _rounded(
                    statistics.stdev(values) if len(values) > 1 else None)
        first = found[0] if found else {}
        line['parameters'] = first.get('parameters', '')
        line['GFLOPs'] = _rounded(first.get('gflops'))
        line['seeds'] = ' '.join(str(r['seed']) for r in found)
        line['error'] = errors.get(row.name, '')
        lines.append(line)
    return _as_csv(lines)


def seeds_csv(table: Table, results: Results) -> str:
    """Return one line for each row, seed and checkpoint.

    Args:
        table (Table): The table.
        results (Results): For each row's name what its seeds found.
    """
    lines = []
    for row in rows_in_order(table):
        for result in results.get(row.name, ()):
            for which in ('last', 'best'):
                if result.get(which):
                    lines.append(dict(
                        system=row.name,
                        config=row.config.stem,
                        seed=result['seed'],
                        checkpoint=which,
                        **{c.key: _rounded(figure(result[which], c.key))
                           for c in table.columns},
                        seconds_per_image=_rounded(
                            figure(result[which], 'seconds_per_image')),
                        train_seconds=_rounded(result['train_seconds']),
                        machine=result['machine'],
                        commit=result['commit']))
    return _as_csv(lines)


def _rounded(value: float | None) -> str:
    return '' if value is None else f'{value:.6g}'


def _as_csv(lines: Sequence[Mapping[str, Any]]) -> str:
    """Return CSV text; nothing for no line."""
    if not lines:
        return ''
    text = io.StringIO()
    writer = csv.DictWriter(text, list(lines[0]), lineterminator='\n')
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()
