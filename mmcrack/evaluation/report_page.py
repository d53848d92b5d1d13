"""A report of scored runs as one page that needs no network.

Not in the papers. What the document holds is said in
:mod:`mmcrack.evaluation.report`; here it has a set for each run, and
``comparisons``, for each run but the first what changed from the first.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmcrack.evaluation.scores.base import NUMBER
from mmcrack.functional.metrics.curves import Curve
from mmcrack.functional.metrics.tolerance import match_ratios
from mmcrack.visualization import page as parts
from mmcrack.visualization.drawing import FALSE_ALARM, HIT, MISS, to_picture
from mmcrack.visualization.page import Cell, Layer, number_cell
from mmcrack.visualization.page_plots import (
    Axis,
    Series,
    axis_over,
    bar_plot,
    line_plot,
    scatter_plot,
)

#: More runs than colours cannot be told apart.
MOST_RUNS = 4
_LONG_EDGE = 1600
_PHOTOGRAPH, _MAP = 350_000, 150_000
_BY = 'F1'


class Shown(NamedTuple):
    """One image for the eyes.

    Attributes:
        photograph (array, optional): uint8, (H, W, 3), RGB.
        target (array): bool, (H, W), the truth.
        valid (array, optional): bool, (H, W), judged pixels.
        predicted (dict[str, array]): bool, (H, W), by run.
        probability (dict[str, array]): float, (H, W), by run, if known.
    """

    photograph: NDArray[np.uint8] | None
    target: NDArray[np.bool_]
    valid: NDArray[np.bool_] | None
    predicted: Mapping[str, NDArray[np.bool_]]
    probability: Mapping[str, NDArray[np.floating]]


class Details(NamedTuple):
    """What the diagrams of one run show.

    Attributes:
        curve (Curve, optional): Over thresholds, of exact pixels.
        widths (list[dict]): Of ``width_summary``.
        errors (dict): Of ``error_summary``.
    """

    curve: Curve | None
    widths: list
    errors: dict


def report_page(document: dict, rows: Mapping[str, Sequence[dict]],
                details: Mapping[str, Details],
                show: Callable[[str], Shown], *, shown: int,
                reach: float) -> str:
    """Make the page.

    Args:
        document (dict): The report.
        rows (Mapping[str, Sequence[dict]]): Of all images, by run; with the
            scores ``pixel``.
        details (Mapping[str, Details]): By run.
        show (Callable): Reads the image of a name.
        shown (int): How many of the worst images, and of the best.
        reach (float): Of the counts by width, in pixels.

    Returns:
        str: HTML.
    """
    runs = list(document['sets'])
    title = 'Crack segmentation: ' + ' and '.join(runs)
    sections = [parts.section('figures', 'Figures', *_figures(document))]
    if all(d.curve is not None for d in details.values()):
        sections.append(parts.section(
            'curves', 'Over all thresholds', *_curves(details)))
    sections += [
        parts.section('widths', 'By crack width', *_widths(details, reach)),
        parts.section('boundary', 'Boundary errors', *_errors(details))]
    for run, found in document['comparisons'].items():
        sections.append(parts.section(
            f'from-{runs.index(run)}', f'From {runs[0]} to {run}',
            *_comparison(found, rows[runs[0]], rows[run], runs[0], run)))
    chosen = choose_images(rows, document, shown)
    sections.append(parts.section(
        'images', 'Worst and best images', *_images(chosen, rows, show)))
    sections.append(parts.section('all', 'All images', _all_images(
        rows, {name for _, names in chosen for name in names})))
    done = dict(document['done'])
    return parts.page(title, parts.facts(done) + _missing(document),
                      sections)


def choose_images(rows: Mapping[str, Sequence[dict]], document: dict,
                  count: int) -> list[tuple[str, list[str]]]:
    """Choose the images to look at: by the F1 of the first run.

    Args:
        rows (Mapping[str, Sequence[dict]]): By run.
        document (dict): With ``comparisons``.
        count (int): Of the worst, and of the best.

    Returns:
        list[tuple[str, list[str]]]: Headings with names; a name once.
    """
    first, *others = rows
    known = [(row[_BY], row['image']) for row in rows[first]
             if np.isfinite(row[_BY])]
    known.sort()
    names = [name for _, name in known]
    worst = names[:count]
    best = [n for n in names[::-1][:count] if n not in worst]
    chosen = [(f'Worst of {first}', worst), (f'Best of {first}', best)]
    seen = {*worst, *best}
    for run in others:
        found = document['comparisons'][run]
        for key, text in (('most_better', 'Gained most from'),
                          ('most_worse', 'Lost most from')):
            new = [x['image'] for x in found[key] if x['image'] not in seen]
            seen.update(new[:count])
            chosen.append((f'{text} {first} to {run}', new[:count]))
    alarms = sorted(
        ((row['fp'], row['image']) for row in rows[first]
         if not np.isfinite(row[_BY]) and row['fp']), reverse=True)
    chosen.append((f'False alarms of {first} where there is no crack',
                   [name for _, name in alarms[:count]]))
    return [(text, names) for text, names in chosen if names]


def _missing(document: dict) -> str:
    left = document['left_out']
    return ''.join(parts.paragraph(
        f'Left out, {what}: {len(names)} ({", ".join(names[:3])}'
        f'{", ..." if len(names) > 3 else ""}).') for what, names in
        left.items())


def _number(value: float, unit: str, **options: Any) -> Cell:
    """A figure; percentages and pixels with two decimals."""
    return number_cell(value, 2 if unit else 4, **options)


def _interval(low: float, high: float, unit: str, *, sign: bool = False
              ) -> Cell:
    if np.isnan(low):
        return Cell('–', float('nan'))
    form = f'{"+" if sign else ""}.{2 if unit else 4}f'
    return Cell(f'{low:{form}} to {high:{form}}', low)


def _figures(document: dict) -> list[str]:
    """The table of all figures."""
    sets = document['sets']
    titles = ['figure']
    for run in sets:
        titles += [run, '95 % interval']
    titles += ['unit', 'over', 'images', 'better']
    known = {run: {f['name']: f for f in one['figures']}
             for run, one in sets.items()}
    rows = []
    for figure in next(iter(sets.values()))['figures']:
        row: list[Cell | str] = [figure['name']]
        for of in known.values():
            one = of[figure['name']]
            if figure['kind'] == NUMBER:
                row += [number_cell(one['value'], 0), Cell('–')]
            else:
                row += [_number(one['value'], one['unit']),
                        _interval(one['low'], one['high'], one['unit'])]
        better = {1: 'higher', -1: 'lower', 0: ''}[figure['better']]
        rows.append([*row, figure['unit'],
                     Cell(figure['kind'], kind='text'),
                     number_cell(figure['images'], 0),
                     Cell(better, kind='text')])
    return [
        parts.table(titles, rows, sortable=False,
                    caption='Intervals: bootstrap over images'),
        parts.paragraph('Crops of one photograph are not independent: '
                        'intervals are too narrow then.', soft=True)]


def _curves(details: Mapping[str, Details]) -> list[str]:
    """Precision over recall, and F1 over the threshold."""
    pr, f1 = [], []
    for run, one in details.items():
        thresholds = list(one.curve.thresholds)
        found = {key: 100 * np.asarray(value) for key, value in
                 match_ratios(one.curve.counts, empty='skip').items()}
        # Without a predicted pixel there is no precision.
        some = np.asarray(one.curve.counts.pred) > 0
        precision = np.where(some, found['Precision'], np.nan)
        marks, best = [], -1
        if np.isfinite(found['F1']).any():
            best = int(np.nanargmax(found['F1']))
            text = (f'best F1 {found["F1"][best]:.2f} % at '
                    f'{thresholds[best]:.2f}')
            marks = [(found['Recall'][best], precision[best], text)]
        pr.append(Series(run, found['Recall'].tolist(), precision.tolist(),
                         marks))
        f1.append(Series(run, thresholds, found['F1'].tolist(), [
            (thresholds[best], found['F1'][best], marks[0][2])] if marks
            else []))
    percent = Axis('', 0, 100)
    best = [f'{s.title}: {s.marks[0][2]}.' for s in f1 if s.marks]
    return [
        parts.paragraph(' '.join(best) + ' Exact pixels, pooled over all '
                        'images; crack where the probability is above the '
                        'threshold.'),
        parts.legend([*details]), '<div class="grid"><figure>',
        line_plot(pr, percent._replace(title='recall, %'),
                  percent._replace(title='precision, %'),
                  title='Precision over recall. ' + ' '.join(best)),
        '</figure><figure>',
        line_plot(f1, Axis('threshold', 0, 1),
                  percent._replace(title='F1, %'),
                  title='F1 over the threshold. ' + ' '.join(best)),
        '</figure></div>']


def _widths(details: Mapping[str, Details], reach: float) -> list[str]:
    """Recall and F1 by the true width."""
    titles = ['true width, px']
    first = next(iter(details.values())).widths
    names = [one['name'] for one in first]
    recall, f1 = [], []
    for run, detail in details.items():
        recall.append(Series(
            run, (), [x['Recall'] for x in detail.widths],
            low=[x['low'] for x in detail.widths],
            high=[x['high'] for x in detail.widths]))
        f1.append(Series(run, (), [x['F1'] for x in detail.widths]))
        titles += [f'recall {run}', '95 % interval',
                   f'recall within {reach:g} px', 'F1']
    titles += ['true pixels', 'images']
    rows = []
    for n, one in enumerate(first):
        row: list[Cell | str] = [Cell(one['name'], n)]
        for detail in details.values():
            x = detail.widths[n]
            row += [number_cell(x['Recall'], 2),
                    _interval(x['low'], x['high'], '%'),
                    number_cell(x['Recall_near'], 2),
                    number_cell(x['F1'], 2)]
        rows.append([*row, number_cell(one['pixels'], 0),
                     number_cell(one['images'], 0)])
    percent = Axis('recall, %', 0, 100)
    return [
        parts.paragraph(
            'Each true pixel has the width of the true crack around it, '
            'measured at the nearest point of its centre line. F1 counts a '
            f'false alarm to the nearest true crack within {reach:g} px; '
            'those farther away belong to no width.'),
        parts.legend([*details]), '<div class="grid"><figure>',
        bar_plot(recall, names, 'true width, px', percent,
                 title='Recall by true width with 95 % intervals'),
        '</figure><figure>',
        bar_plot(f1, names, 'true width, px',
                 percent._replace(title='F1, %'), title='F1 by true width'),
        '</figure></div>', parts.table(titles, rows)]


def _errors(details: Mapping[str, Details]) -> list[str]:
    """Histogram of signed distances."""
    errors = {run: one.errors for run, one in details.items()}
    limit = next(iter(errors.values()))['limit']
    names = [str(k) if k % 2 == 0 else '' for k in range(-limit, limit + 1)]
    names[0], names[-1] = f'≤{-limit}', f'≥{limit}'
    series = [
        Series(run, (), [100 * c / max(one['pixels'], 1)
                         for c in one['counts']])
        for run, one in errors.items()]
    y = axis_over('share of boundary, %', [v for s in series for v in s.y],
                  low=0)
    keys = ('within_0', 'within_1', 'within_2', 'inside', 'outside',
            'beyond')
    rows = [[run, *(number_cell(one[key], 2) for key in keys),
             number_cell(one['pixels'], 0)] for run, one in errors.items()]
    return [
        parts.paragraph(
            'Distance from each predicted boundary pixel to the nearest '
            'true one: below 0 inside the true crack (drawn too narrow), '
            'above 0 outside it (too wide, or a false alarm).'),
        parts.legend([*details]), '<figure>',
        bar_plot(series, names, 'distance, px', y,
                 title='Histogram of boundary errors'), '</figure>',
        parts.table(['run', 'exact, %', 'within 1 px, %', 'within 2 px, %',
                     'inside, %', 'outside, %',
                     f'{limit} px or more, %', 'boundary pixels'], rows),
        '<details><summary>Numbers of the histogram</summary>',
        parts.table(['distance, px', *errors], [
            [Cell(str(k - limit), k - limit),
             *(number_cell(one['counts'][k], 0) for one in errors.values())]
            for k in range(2 * limit + 1)]), '</details>']


def _comparison(found: dict, first: Sequence[dict], second: Sequence[dict],
                one: str, two: str) -> list[str]:
    """The paired comparison of two runs."""
    by = found['by']
    count = found['images'].get(by, dict(better=0, worse=0, equal=0))
    figures = [[
        f['name'], _number(f['first'], f['unit']),
        _number(f['second'], f['unit']),
        _number(f['difference'], f['unit'], sign=True, better=f['better']),
        _interval(f['low'], f['high'], f['unit'], sign=True),
        number_cell(f['p'], 3), Cell(f['unit'], kind='text')]
        for f in found['figures']]
    images = [[key, *(number_cell(n[x], 0) for x in (
        'better', 'worse', 'equal', 'undefined'))]
        for key, n in found['images'].items()]
    pairs = [(a[by], b[by], f'{a["image"]}: {a[by]:.2f} to {b[by]:.2f}')
             for a, b in zip(first, second, strict=True)]
    known = [v for a, b, _ in pairs for v in (a, b)]
    return [
        parts.paragraph(
            f'{by} of an image: {count["better"]} images are better in '
            f'{two}, {count["worse"]} worse, {count["equal"]} equal.'),
        '<figure>',
        scatter_plot(pairs, axis_over(f'{by} of {one}, %', known),
                     axis_over(f'{by} of {two}, %', known),
                     title=f'{by} of each image, {two} over {one}: '
                     'above the line an image is better'),
        f'<figcaption>Each dot is an image; above the line {two} is better.'
        '</figcaption></figure>',
        parts.table(['figure', one, two, 'difference', '95 % interval', 'p',
                     'unit'], figures, caption='Paired bootstrap over '
                    'images; the difference is the second less the first'),
        parts.table(['figure of an image', 'better', 'worse', 'equal',
                     'undefined'], images, caption=f'Images in {two}')]


def _anchor(name: str) -> str:
    return 'image-' + ''.join(c if c.isalnum() else '-' for c in name)


def _images(chosen: Sequence[tuple[str, list[str]]],
            rows: Mapping[str, Sequence[dict]],
            show: Callable[[str], Shown]) -> list[str]:
    """The pictures, all runs of an image side by side."""
    by_name = {run: {row['image']: row for row in found}
               for run, found in rows.items()}
    html = [parts.paragraph(
        f'Chosen by the F1 of each image. Pictures are reduced to at most '
        f'{_LONG_EDGE} pixels and {_PHOTOGRAPH // 1000} kB each.')]
    for heading, names in chosen:
        html.append(f'<h3>{parts.escape(heading)}</h3>')
        for name in names:
            image = show(name)
            views = ''.join(
                parts.viewer(
                    _layers(image, run), title=f'{name}, {run}',
                    note=_scores(by_name[run][name]), group=_anchor(name))
                for run in rows)
            html.append(
                f'<article class="case" id="{_anchor(name)}"><h3>'
                f'{parts.escape(name)}</h3><div class="grid">{views}</div>'
                '</article>')
    return html


def _scores(row: dict) -> str:
    return ', '.join(
        f'{key} {row[key]:.2f} %' if np.isfinite(row[key]) else
        f'{key} undefined' for key in ('F1', 'Precision', 'Recall', 'IoU'))


def _layers(image: Shown, run: str) -> list[Layer]:
    """Photograph, probability, hits, misses and false alarms."""
    pred, target = image.predicted[run], image.target
    judged = np.ones_like(target) if image.valid is None else image.valid
    ground = image.photograph
    if ground is None or ground.shape[:2] != target.shape:
        ground = np.full((*target.shape, 3), 40, np.uint8)
    limits = dict(max_long_edge=_LONG_EDGE, max_bytes=_MAP)
    layers = [Layer('image', 'image', parts.encode_picture(
        to_picture(ground), max_long_edge=_LONG_EDGE,
        max_bytes=_PHOTOGRAPH))]
    if run in image.probability:
        layers.append(Layer('probability', 'probability', parts.encode_heat(
            image.probability[run], **limits), None, False))
    for key, mask, color in (
            ('false alarm', pred & ~target & judged, FALSE_ALARM),
            ('missed', target & ~pred & judged, MISS),
            ('hit', pred & target & judged, HIT)):
        layers.append(Layer(key, key, parts.encode_mask(
            mask, color, **limits), color))
    return layers


def _all_images(rows: Mapping[str, Sequence[dict]], linked: set[str]) -> str:
    """A table with a row for each image."""
    first, *others = rows
    keys = ('F1', 'Precision', 'Recall', 'IoU')
    titles = ['image', *(f'{key} {run}' for run in rows for key in keys)]
    titles += [f'F1: {run} less {first}' for run in others]
    table = []
    for group in zip(*rows.values(), strict=True):
        name = group[0]['image']
        cells: list[Cell | str] = [
            Cell(name, link=_anchor(name) if name in linked else '')]
        cells += [number_cell(row[key], 2) for row in group for key in keys]
        cells += [number_cell(row['F1'] - group[0]['F1'], 2, sign=True,
                              better=1) for row in group[1:]]
        table.append(cells)
    return parts.table(titles, table)
