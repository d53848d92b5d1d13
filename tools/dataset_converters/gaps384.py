"""Converts GAPs384 from the crops that FPHB's authors distribute.

Reads ``croppedimg/*.jpg`` and ``croppedgt/*.png``: 509 crops, each with more
than 1000 crack pixels, of 384 photographs of the German Asphalt Pavement
Distress set. FPHB tests on all of them, so all are test unless ``--split``
says otherwise; crops of one photograph (``train_0552_1_641``) stay together.
Usage::

    python tools/dataset_converters/gaps384.py GAPS384 data/gaps384
"""

import argparse
import sys
from pathlib import Path

from mmcrack.datasets.chosen_split import (
    add_group_option,
    add_split_options,
    chosen_plan,
)
from mmcrack.datasets.conversion import Plan, mask_reader
from mmcrack.datasets.conversion_command import (
    add_common_options,
    run_converter,
)
from mmcrack.datasets.partners import find_pairs, nested_folder
from mmcrack.datasets.splits import check_counts

PAIRS = 509
PHOTOGRAPH = r'^(.*?)(?:_\d+_\d+)?$'


def make_plan(args: argparse.Namespace) -> Plan:
    """Finds the pairs of GAPs384.

    Args:
        args: Parsed command line.

    Returns:
        What to convert.

    Raises:
        FileNotFoundError: If a folder or a partner is missing.
        ValueError: If the number of pairs differs from 509, or an option is
            out of its range.
    """
    folders = [
        nested_folder(args.src, name) for name in ('croppedimg', 'croppedgt')
    ]
    names, left_out = find_pairs(
        args.src, [folders], allow_partial=args.allow_partial
    )
    notes = check_counts(
        {'all': len(names)},
        {'all': PAIRS},
        name='GAPs384',
        allow_partial=args.allow_partial,
    )
    return chosen_plan(
        args,
        dataset='gaps384',
        names=names,
        read_mask=lambda stem: mask_reader(
            args.src / names[stem][1], lossy=True if args.lossy else None
        ),
        settings={'lossy': args.lossy},
        notes=notes,
        left_out=left_out,
    )


def main(argv: list[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: Arguments; None takes those of the process.

    Returns:
        Exit status.
    """
    parser = argparse.ArgumentParser(
        description='Convert the 509 crops of GAPs384.'
    )
    parser.add_argument(
        'src', type=Path, help='folder with croppedimg/ and croppedgt/'
    )
    add_common_options(parser)
    parser.add_argument(
        '--lossy',
        action='store_true',
        help='masks were resized or saved as JPEG once: crack is > 127',
    )
    add_split_options(parser, shares=(0.0, 0.0, 1.0))
    add_group_option(parser, usual=PHOTOGRAPH)
    return run_converter(parser, make_plan, argv)


if __name__ == '__main__':
    sys.exit(main())
