"""Converts the masonry set of Dais et al. (2021) from its repository.

Reads ``crack_detection_224_images/*.png`` and
``crack_detection_224_masks/*.png`` (240 patches of 224 x 224), in
``dataset/`` or in the folder itself. A name is ``a_<photograph>_<patch>``,
and patches of one photograph stay in one split; there is no official one.
Usage::

    python tools/dataset_converters/masonry.py crack_detection_CNN_masonry \
        data/masonry
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

PAIRS = 240
FOLDERS = 'crack_detection_224_images', 'crack_detection_224_masks'
PHOTOGRAPH = r'^(.*?)(?:_\d+)?$'


def make_plan(args: argparse.Namespace) -> Plan:
    """Finds the pairs of the masonry set.

    Args:
        args: Parsed command line.

    Returns:
        What to convert.

    Raises:
        FileNotFoundError: If a folder or a partner is missing.
        ValueError: If the number of pairs differs from 240, or an option is
            out of its range.
    """
    folders = [
        nested_folder(args.src, f'dataset/{name}', name) for name in FOLDERS
    ]
    names, left_out = find_pairs(
        args.src, [folders], allow_partial=args.allow_partial
    )
    notes = check_counts(
        {'all': len(names)},
        {'all': PAIRS},
        name='Masonry',
        allow_partial=args.allow_partial,
    )
    return chosen_plan(
        args,
        dataset='masonry',
        names=names,
        read_mask=lambda stem: mask_reader(args.src / names[stem][1]),
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
        description='Convert the masonry set of Dais et al. (240 patches).'
    )
    parser.add_argument(
        'src', type=Path, help=f'folder with dataset/{FOLDERS[0]}/ and so on'
    )
    add_common_options(parser)
    add_split_options(parser, shares=(0.8, 0.1, 0.1))
    add_group_option(parser, usual=PHOTOGRAPH)
    return run_converter(parser, make_plan, argv)


if __name__ == '__main__':
    sys.exit(main())
