"""Run or resume a grid around a config, and draw it: Figure 4 of CIRL.

``python tools/analysis/sweep.py SWEEP.py`` trains and tests the base config
and, one parameter at a time, each other value of a grid, over seeds. Rows
are run as ``tools/benchmark/run_seeds.py`` runs them: a CSV row is written
after each, rows that are there are skipped, and a training that broke off is
resumed, so that a sweep can be stopped (``--minutes``, or by hand) and
started again. The base config, which lies on every curve, is trained once
for a seed. ``--draw-only`` draws what the CSV file holds.

A sweep is a config file with one dict::

    sweep = dict(
        base='../base_config.py',              # from the sweep's own folder
        parameters=dict(
            some_name=dict(
                key='model.decode_head.x',     # as in --cfg-options
                values=[0.1, 0.2],             # one is the base config's
                label='x',                     # optional, for the axis
                paper=0.1,                     # optional, marked
                paper_drop=1.5)))              # optional, in points of F1
"""

import argparse
import csv
import importlib.util
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'benchmark'))
if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import run_seeds  # noqa: E402
from run_seeds import Row  # noqa: E402

AXES = dict(image_Dice='F1, mean over images', Dice='F1, pooled')
OPTIONAL = {'label', 'paper', 'paper_drop'}


class Parameter(NamedTuple):
    """One parameter of a sweep.

    Attributes:
        name (str): In the CSV file.
        key (str): Of the config, dotted.
        values (tuple[float, ...]): Ascending; one is ``own``.
        own (float): The base config's value.
        label (str): For the axis.
        paper (float, optional): The paper's value.
        paper_drop (float, optional): How many points of F1 the paper's
            worst value loses against its best.
    """

    name: str
    key: str
    values: tuple[float, ...]
    own: float
    label: str
    paper: float | None
    paper_drop: float | None


class Sweep(NamedTuple):
    """A grid around a config.

    Attributes:
        base (Path): The config.
        parameters (list[Parameter]): Changed one at a time.
    """

    base: Path
    parameters: list[Parameter]


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Run or resume a grid around a config, and draw it.')
    add = parser.add_argument
    add('sweep', help='sweep file')
    run_seeds.add_options(parser)
    add('--csv', type=Path,
        help='rows (default WORK_DIR/SWEEP.csv)')
    add('--metric', choices=run_seeds.KEYS, default='image_Dice',
        help='to draw (default image_Dice: F1, mean over images)')
    add('--out', type=Path, help='the picture (default: beside the rows)')
    add('--draw-only', action='store_true', help='run nothing')
    args = parser.parse_args(argv)
    run_seeds.check_options(parser, args)
    args.checkpoint = None
    stem = Path(args.sweep).stem
    args.csv = args.csv or args.work_dir / f'{stem}.csv'
    args.out = args.out or args.csv.with_name(f'{stem}_{args.metric}.png')
    return args


def read_sweep(path: str) -> Sweep:
    """Read a sweep file and check it against its base config.

    Args:
        path (str): The file.

    Returns:
        Sweep: With what the base config holds.

    Raises:
        FileNotFoundError: If it or its base config does not exist.
        ValueError: If it is no sweep, or does not fit the base config.
    """
    from mmcrack.engine.launch import load_config
    content = load_config(path).get('sweep')
    if not isinstance(content, dict) or set(content) != {
            'base', 'parameters'} or not content['parameters']:
        raise ValueError(
            f'{path!r} is no sweep: wanted sweep = dict(base=CONFIG, '
            'parameters=dict(NAME=dict(key=..., values=[...]))).')
    base = Path(path).parent / content['base']
    cfg = load_config(str(base))
    return Sweep(base, [_read_parameter(name, part, cfg)
                        for name, part in content['parameters'].items()])


def _read_parameter(name: str, part: Any, cfg: Any) -> Parameter:
    """Check one parameter of a sweep against the base config."""
    known = {'key', 'values'}
    if not isinstance(part, dict) or not known <= set(part) <= (
            known | OPTIONAL):
        raise ValueError(
            f'The parameter {name!r} of the sweep wants key and values, and '
            f'may have {", ".join(sorted(OPTIONAL))}; got '
            f'{sorted(part) if isinstance(part, dict) else part!r}.')
    own = cfg.to_dict()
    for step in part['key'].split('.'):
        if not isinstance(own, dict) or step not in own:
            raise ValueError(
                f'The base config has no {part["key"]!r} (not from {step!r} '
                f'on), so the parameter {name!r} would change nothing: write '
                'the value out in the config, or mend the key.')
        own = own[step]
    values = tuple(sorted(set(part['values'])))
    if own not in values:
        raise ValueError(
            f'The base config has {part["key"]}={own!r}, which is not among '
            f'the values {list(values)} of the parameter {name!r}: its run '
            'would lie on no curve; add it.')
    return Parameter(name, part['key'], values, own, part.get('label', name),
                     part.get('paper'), part.get('paper_drop'))


def row_name(sweep: Sweep, parameter: Parameter, value: float) -> str:
    """Return how the CSV file names a value; the base config's its own."""
    stem = sweep.base.stem
    if value == parameter.own:
        return stem
    return f'{stem}-{parameter.name}_{value:g}'


def rows_of(sweep: Sweep, seeds: Sequence[int]) -> list[Row]:
    """List the rows, seed by seed, the base config first.

    Args:
        sweep (Sweep): P parameters with V_i values.
        seeds (Sequence[int]): Seeds.

    Returns:
        list[Row]: 1 + sum(V_i - 1) for each seed.
    """
    rows = []
    for seed in seeds:
        rows.append(Row(sweep.base.stem, sweep.base, seed))
        rows += [
            Row(row_name(sweep, p, value), sweep.base, seed,
                (f'{p.key}={value}', ))
            for p in sweep.parameters for value in p.values if value != p.own]
    return rows


def read_scores(path: Path, metric: str) -> dict[str, list[float]]:
    """Read one column of a CSV file.

    Args:
        path (Path): As ``run_seeds.py`` writes it.
        metric (str): Column.

    Returns:
        dict[str, list[float]]: For each name its seeds' scores.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it lacks the column.
    """
    if not path.is_file():
        raise FileNotFoundError(f'There are no rows yet: {str(path)!r} does '
                                'not exist.')
    scores: dict[str, list[float]] = {}
    with path.open(newline='') as file:
        reader = csv.DictReader(file)
        if metric not in (reader.fieldnames or ()):
            raise ValueError(f'{str(path)!r} has no column {metric!r}, only '
                             f'{", ".join(reader.fieldnames or ())}.')
        for row in reader:
            scores.setdefault(row['config'], []).append(float(row[metric]))
    return scores


def drop_of(scores: Sequence[Sequence[float]]) -> float | None:
    """Return how far the worst mean lies below the best; None for one."""
    means = [math.fsum(s) / len(s) for s in scores if s]
    return max(means) - min(means) if len(means) > 1 else None


def draw(sweep: Sweep, args: argparse.Namespace) -> None:
    """Draw and print what the CSV file holds.

    Args:
        sweep (Sweep): The grid.
        args (argparse.Namespace): With ``csv``, ``metric`` and ``out``.

    Raises:
        ValueError: If it holds no row of this sweep.
    """
    from mmcrack.visualization.plots import (
        Curve,
        curve_figure,
        write_figure,
    )
    held = read_scores(args.csv, args.metric)
    curves = []
    for parameter in sweep.parameters:
        scores = [held.get(row_name(sweep, parameter, value), [])
                  for value in parameter.values]
        drop, note = drop_of(scores), ''
        if drop is not None:
            note = f'best - worst: {drop:.1f}'
            if parameter.paper_drop is not None:
                note += f' (paper: {parameter.paper_drop:.1f})'
        curves.append(Curve(parameter.label, parameter.values, scores,
                            parameter.paper, note))
        said = ', '.join(f'{v:g}: {math.fsum(s) / len(s):.2f} ({len(s)})'
                         for v, s in zip(parameter.values, scores,
                                         strict=True) if s)
        print(f'{parameter.name}: {said or "nothing yet"}; {note}'.rstrip(
            '; '))
    if not any(s for curve in curves for s in curve.scores):
        raise ValueError(f'{str(args.csv)!r} holds no row of this sweep.')
    write_figure(args.out, curve_figure(
        curves, score=AXES.get(args.metric, args.metric),
        note=f'{sweep.base.stem}; number of seeds: {_seeds_text(curves)}'))
    print(args.out)


def _seeds_text(curves: Sequence[Any]) -> str:
    """Return how many seeds the points of curves have."""
    counts = sorted({len(s) for curve in curves for s in curve.scores if s})
    return '-'.join(str(n) for n in dict.fromkeys((counts[0], counts[-1])))


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is left and draw.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.

    Returns:
        int: 0 if all rows are there, 1 if one failed, 3 if time was up.

    Raises:
        ValueError: If the sweep does not fit its base config.
    """
    args = parse_args(argv)
    sweep = read_sweep(args.sweep)
    code = 0
    if not args.draw_only:
        rows = rows_of(sweep, args.seeds)
        print(f'{len(rows)} rows, into {args.csv}', flush=True)
        code = run_seeds.run_rows(rows, args)
    if args.draw_only or args.csv.is_file():
        draw(sweep, args)
    return code


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    codes: list[int] = []
    return run_tool(lambda: codes.append(main()), 'sweep.py') or codes[0]


if __name__ == '__main__':
    sys.exit(command())
