"""Examine a crack data set for 17 faults that spoil training and figures.

Usage::

    python tools/dataset_doctor.py data/deepcrack --out work_dirs/doctor
    python tools/dataset_doctor.py --images photos --masks labels --fix mended
    python tools/dataset_doctor.py configs/cirl/some_config.py --workers 8

``docs/dataset_doctor.md`` says what each finding means. Exit status: 0
without a grave finding, 1 with one, 2 if the input is unusable.
"""

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line.

    Args:
        argv: Arguments; None takes those of the process.

    Returns:
        The options.
    """
    parser = argparse.ArgumentParser(
        description='Examine a crack data set for 17 faults.')
    add = parser.add_argument
    add('data', nargs='?', metavar='DATA',
        help='folder with images/<split> and masks/<split>, or a config file')
    add('--images', type=Path, help='folder of images, in place of DATA')
    add('--masks', type=Path, help='folder of their masks')
    add('--image-suffix', nargs='+', metavar='END',
        help='endings of images (any usual picture)')
    add('--mask-suffix', nargs='+', metavar='END',
        help='endings of masks, such as _mask.png (any usual picture)')
    add('--cfg-options', nargs='+', metavar='KEY=VALUE',
        help='override settings of the config')
    add('--out', type=Path, metavar='FOLDER',
        help='write report.json, report.md and page.html')
    add('--fix', type=Path, metavar='FOLDER',
        help='write a mended copy; the original is only read')
    add('--overwrite', action='store_true',
        help='replace an earlier copy in the folder of --fix')
    add('--workers', type=int, default=1, help='processes (%(default)s)')
    add('--no-crops', action='store_true',
        help='do not look for crops of one photograph (most of the time)')
    return parser.parse_args(argv)


def find_source(args: argparse.Namespace) -> Any:
    """Lists the pairs that the command line names.

    Args:
        args: Of :func:`parse_args`.

    Returns:
        Source: The pairs.

    Raises:
        ValueError: If the options contradict each other or name nothing.
    """
    from mmcrack.datasets.doctor.sources import (
        MASK_SUFFIXES,
        PHOTO_SUFFIXES,
        from_folders,
        from_layout,
    )
    pair = args.images, args.masks
    if (args.data is None) == (pair == (None, None)) or (
            None in pair and pair != (None, None)):
        raise ValueError(
            'give either DATA (a folder or a config file) or both --images '
            'and --masks.')
    suffixes = args.image_suffix or args.mask_suffix
    if args.data is not None and suffixes:
        raise ValueError(
            '--image-suffix and --mask-suffix go with --images and --masks, '
            'not with DATA.')
    is_config = args.data is not None and args.data.endswith('.py')
    if args.cfg_options and not is_config:
        raise ValueError('--cfg-options goes with a config file (.py).')
    if args.data is None:
        return from_folders(
            *pair, image_suffix=args.image_suffix or PHOTO_SUFFIXES,
            mask_suffix=args.mask_suffix or MASK_SUFFIXES)
    if not is_config:
        return from_layout(Path(args.data))
    return _config_source(args)


def _config_source(args: argparse.Namespace) -> Any:
    from mmcrack.datasets.doctor.config_source import from_config
    from mmcrack.engine.launch import KeyValues, load_config
    options = argparse.ArgumentParser()
    options.add_argument('--cfg-options', nargs='+', action=KeyValues)
    given = ['--cfg-options', *args.cfg_options] if args.cfg_options else []
    cfg = load_config(args.data, options.parse_args(given).cfg_options)
    return from_config(cfg, args.data)


def main(argv: Sequence[str] | None = None) -> int:
    """Examine, report, mend.

    Args:
        argv: Arguments; None takes those of the process.

    Returns:
        0, or 1 with a grave finding.

    Raises:
        ValueError: If an option or the data are unusable.
    """
    from mmcrack.datasets.conversion_command import report
    from mmcrack.datasets.doctor.examination import examine, show
    from mmcrack.datasets.doctor.mending import check_apart, mend
    from mmcrack.datasets.doctor.page import write_page
    from mmcrack.datasets.doctor.report import as_text, write_report
    args = parse_args(argv)
    source = find_source(args)
    for option, folder in (('--out', args.out), ('--fix', args.fix)):
        if folder is not None:
            check_apart(folder, source.folders, option)
    if args.fix and args.fix.exists() and any(args.fix.iterdir()) and (
            not args.overwrite):
        raise ValueError(
            f'--fix {args.fix} must be new or empty, got a folder with files '
            'in it; name another, or replace an earlier copy with '
            '--overwrite.')
    found = examine(source, workers=args.workers, crops=not args.no_crops,
                    progress=show)
    print(as_text(found))
    if args.out:
        for file in write_report(found, args.out):
            print(file)
        write_page(found, args.out / 'page.html')
        print(args.out / 'page.html')
    if args.fix:
        print(report(mend(found, args.fix, overwrite=args.overwrite)))
        print(f'mended copy written to {args.fix}')
    return int(found.grave)


def command(argv: Sequence[str] | None = None) -> int:
    """Run :func:`main`; the user's errors end in one sentence.

    Args:
        argv: Arguments; None takes those of the process.

    Returns:
        Exit status: 0, 1 or 2.
    """
    from mmcrack.engine.sentences import run_tool
    status = [0]

    def job() -> None:
        status[0] = main(argv)

    return run_tool(job, 'dataset_doctor.py') or status[0]


if __name__ == '__main__':
    sys.exit(command())
