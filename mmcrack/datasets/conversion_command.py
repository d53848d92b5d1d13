"""The command line that all dataset converters share."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from mmcrack.datasets.conversion import Plan, convert


def add_common_options(parser: ArgumentParser) -> None:
    """Adds the output folder and the options that every converter has.

    Args:
        parser: Command line to add to.
    """
    parser.add_argument(
        'out', type=Path, help='folder to make, new or empty'
    )
    parser.add_argument(
        '--overwrite',
        action='store_true',
        help='replace an earlier conversion in OUT',
    )
    parser.add_argument(
        '--drop-duplicates',
        action='store_true',
        help='an image that occurs in two splits is dropped from train '
        '(or val) instead of refused',
    )
    parser.add_argument(
        '--allow-partial',
        action='store_true',
        help='convert a part of the data set, with a warning',
    )


def run_converter(
    parser: ArgumentParser,
    make_plan: Callable[[Namespace], Plan],
    argv: Sequence[str] | None,
) -> int:
    """Runs a converter's command line.

    Args:
        parser: Command line with :func:`add_common_options`.
        make_plan: Reads the sources; its ValueError, TypeError and OSError
            are the user's to mend.
        argv: Arguments; None takes those of the process.

    Returns:
        Exit status: 0, 2 after one sentence on the error stream, or 130
        when interrupted.
    """
    args = parser.parse_args(argv)

    def action() -> None:
        manifest = convert(
            make_plan(args),
            args.out,
            overwrite=args.overwrite,
            drop_duplicates=args.drop_duplicates,
        )
        print(report(manifest))
        print(f'written to {args.out}')

    return exit_status(action)


def exit_status(action: Callable[[], None]) -> int:
    """Runs what a command does; errors of its user end in one sentence.

    Args:
        action: What it does; its ValueError, TypeError and OSError are the
            user's to mend.

    Returns:
        Exit status: 0, 2 after one sentence on the error stream, or 130
        when interrupted.
    """
    try:
        action()
    except (ValueError, TypeError, OSError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print('interrupted: nothing was written', file=sys.stderr)
        return 130
    return 0


def report(manifest: Mapping) -> str:
    """Says what a conversion holds.

    Args:
        manifest: As :func:`convert` returns it.

    Returns:
        A few lines: pairs and crack share per split, sizes, notes, and what
        was left out.
    """
    lines = [f'{manifest["dataset"]}:']
    for split, count in manifest['counts'].items():
        shares = [
            100 * r['crack_share']
            for r in manifest['images']
            if r['split'] == split
        ]
        lines.append(
            f'  {split}: {count} pairs, crack pixels % min/median/max '
            f'{min(shares):.3f}/{np.median(shares):.3f}/{max(shares):.3f}'
        )
    sizes = (f'{size} ({n})' for size, n in manifest['sizes'].items())
    lines.append(f'  sizes (w x h): {", ".join(sizes)}')
    lines += [f'warning: {note}' for note in manifest['notes']]
    reasons: dict[str, list[str]] = {}
    for entry in manifest['left_out']:
        reasons.setdefault(entry['reason'], []).append(entry['source_id'])
    lines += [
        f'left out, {reason}: {len(names)} ({", ".join(names)})'
        for reason, names in reasons.items()
    ]
    return '\n'.join(lines)
