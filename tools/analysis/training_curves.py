"""Draw losses and figures in the course of trainings, from their logs.

``python tools/analysis/training_curves.py WORK_DIR... --out FIGURE.png``
reads what MMEngine logged (of all runs of a folder, where a training was
resumed) and draws one diagram for each figure with one line for each
training. ``--keys`` chooses figures, ``--list`` names those that there are.
"""

import argparse
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

# Drawn unless --keys says otherwise, where a log has them.
USUAL = ('loss', 'lr', 'grad_norm', 'crack/IoU', 'crack/image_F1',
         'crack/mBA')
Log = Mapping[int, Mapping[str, float]]


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Draw losses and figures in the course of trainings.')
    add = parser.add_argument
    add('work_dirs', nargs='+', type=Path, help='folders of trainings')
    add('--keys', nargs='+', metavar='KEY',
        help=f'figures to draw (default: {", ".join(USUAL)} and all '
        'losses, where a log has them)')
    add('--titles', nargs='+', help='one for each folder')
    add('--window', type=int, default=5,
        help='logged values to each running median (default %(default)s)')
    add('--log', nargs='+', default=[], metavar='KEY',
        help='figures on a logarithmic axis')
    add('--list', action='store_true', help='name the figures, draw nothing')
    add('--out', type=Path, default=Path('curves.png'),
        help='(default %(default)s)')
    args = parser.parse_args(argv)
    if args.titles and len(args.titles) != len(args.work_dirs):
        parser.error(f'--titles wants {len(args.work_dirs)} titles, one for '
                     f'each folder, got {len(args.titles)}')
    if args.window < 1 or args.window % 2 == 0:
        parser.error(f'--window must be odd and at least 1, got '
                     f'{args.window}')
    return args


def names_in(logs: Sequence[Log]) -> list[str]:
    """Return the names of all figures, sorted."""
    return sorted({
        key
        for log in logs for row in log.values() for key in row
        if key not in ('iter', 'step', 'epoch')
    })


def choose_keys(there: Sequence[str],
                wanted: Sequence[str] | None) -> list[str]:
    """Return the figures to draw.

    Args:
        there (Sequence[str]): Those that the logs hold.
        wanted (Sequence[str], optional): ``--keys``.

    Returns:
        list[str]: In the order of drawing.

    Raises:
        ValueError: If one is not there.
    """
    from mmcrack.engine.sentences import did_you_mean
    if wanted is None:
        losses = [key for key in there
                  if 'loss' in key and key not in USUAL]
        return [key for key in USUAL if key in there] + losses
    for key in wanted:
        if key not in there:
            raise ValueError(f'No log holds {key!r}.'
                             f'{did_you_mean(key, there)} --list names all.')
    return list(wanted)


def main(argv: Sequence[str] | None = None) -> None:
    """Draw.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.

    Raises:
        FileNotFoundError: If a folder has no log.
        ValueError: If a log is empty or lacks a figure.
    """
    from mmcrack.engine.logs import read_scalars
    from mmcrack.visualization.plots import write_figure
    from mmcrack.visualization.training_curves import curves_figure
    args = parse_args(argv)
    titles = args.titles or unique_titles(args.work_dirs)
    runs = {title: read_scalars(path)
            for title, path in zip(titles, args.work_dirs, strict=True)}
    there = names_in(list(runs.values()))
    if not there:
        raise ValueError(f'The log of {args.work_dirs[0]} is empty: the '
                         'training wrote nothing down yet.')
    if args.list:
        print('\n'.join(there))
        return
    keys = choose_keys(there, args.keys)
    for key in set(args.log) - set(keys):
        raise ValueError(f'--log names {key!r}, which is not drawn: it must '
                         f'be one of {", ".join(keys)}.')
    write_figure(args.out, curves_figure(
        runs, keys=keys, window=args.window, log_axes=args.log))
    print(f'Wrote {args.out}: {", ".join(keys)}.')


def unique_titles(paths: Sequence[Path]) -> list[str]:
    """Return names of folders, with those above where two are the same."""
    names = [path.resolve().name for path in paths]
    return [name if names.count(name) == 1 else str(path)
            for name, path in zip(names, paths, strict=True)]


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    return run_tool(main, 'training_curves.py')


if __name__ == '__main__':
    sys.exit(command())
