"""Converts NHA12D from the folders of its repository.

Reads ``{Asphalt,Concrete}_pavement_{FD,VD}/Raw_images/*.jpg`` and
``.../Masks/*.png`` (80 photographs of 1920 x 1080: asphalt and concrete, seen
forward and from above), in ``NHA12D_dataset/`` or in the folder itself.
Masks paint each class in a colour on black: what is not black is crack. Five
photographs are there twice, and the second copy is left out. The paper only
tests on the set; here each of the four parts is cut, in the order of its
names, into train, val and test, because neighbours look alike. Usage::

    python tools/dataset_converters/nha12d.py \
        NHA12D-Crack-Detection-Dataset-and-Comparison-Study data/nha12d
"""

import argparse
import sys
from functools import partial
from pathlib import Path

import numpy as np

from mmcrack.datasets.conversion import Plan, Sample
from mmcrack.datasets.conversion_command import (
    add_common_options,
    run_converter,
)
from mmcrack.datasets.lines import read_levels
from mmcrack.datasets.partners import find_pairs, nested_folder
from mmcrack.datasets.splits import (
    SPLITS,
    apportion,
    assign_splits,
    check_counts,
    read_split_lists,
)

PARTS = {
    'APFD': 'Asphalt_pavement_FD',
    'APVD': 'Asphalt_pavement_VD',
    'CPFD': 'Concrete_pavement_FD',
    'CPVD': 'Concrete_pavement_VD',
}
PAIRS = 80
# The same pixels under two names; three pairs were even labelled twice.
TWINS = {
    'APFD_19': 'APFD_18',
    'APVD_26': 'APVD_05',
    'APVD_27': 'APVD_01',
    'APVD_30': 'APVD_02',
    'CPFD_06': 'CPFD_05',
}
# A crack is a few pixels wide in two million.
_MAX_SHARE = 0.25


def read_colours(path: Path, image_size: tuple[int, int]) -> np.ndarray:
    """Reads a mask that paints cracks on black.

    Args:
        path: RGB mask, or its binarised copy.
        image_size: (height, width) of the photograph in pixels.

    Returns:
        Mask, uint8 (H, W), 1 where it is not black.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it cannot be decoded, differs from the photograph in
            size, or is mostly not black.
    """
    crack = read_levels(path) > 0
    if crack.shape != tuple(image_size):
        raise ValueError(
            f'the mask {path} is {crack.shape[1]}x{crack.shape[0]} but its '
            f'image is {image_size[1]}x{image_size[0]}; pair the right files'
        )
    if crack.mean() > _MAX_SHARE:
        raise ValueError(
            f'the mask {path} must be black where there is no crack, got '
            f'{crack.mean():.1%} of it not black; is it inverted, or was it '
            'saved as JPEG once?'
        )
    return crack.astype(np.uint8)


def split_parts(
    stems: list[str], shares: list[float]
) -> dict[str, str]:
    """Cuts each of the four parts in the order of its names.

    Args:
        stems: Names such as ``APFD_01``.
        shares: Of train, val and test.

    Returns:
        Split of each stem.

    Raises:
        ValueError: If the shares are none.
    """
    if min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise ValueError(
            '--split must be three shares >= 0 of train, val and test that '
            f'add up to 1, got {shares}'
        )
    split_of = {}
    for part in PARTS:
        own = sorted(stem for stem in stems if stem.startswith(part))
        for split, number in zip(
            SPLITS, apportion(len(own), shares), strict=True
        ):
            split_of |= dict.fromkeys(own[:number], split)
            own = own[number:]
    return split_of


def make_plan(args: argparse.Namespace) -> Plan:
    """Finds the pairs of NHA12D.

    Args:
        args: Parsed command line.

    Returns:
        What to convert.

    Raises:
        FileNotFoundError: If a folder or a partner is missing.
        ValueError: If the number of pairs differs from 80, or an option is
            out of its range.
    """
    folders = []
    for part in PARTS.values():
        root = nested_folder(args.src, f'NHA12D_dataset/{part}', part)
        folders.append([nested_folder(root, n) for n in ('Raw_images',
                                                         'Masks')])
    names, left_out = find_pairs(
        args.src, folders, allow_partial=args.allow_partial
    )
    notes = check_counts(
        {'all': len(names)},
        {'all': PAIRS},
        name='NHA12D',
        allow_partial=args.allow_partial,
    )
    for second, first in TWINS.items():
        if {first, second} <= set(names):
            left_out.append({
                'source_id': names.pop(second)[0],
                'reason': 'the photograph is there under another name',
            })
    if args.split_file is None:
        split_of = split_parts(list(names), args.split)
    else:
        split_of, unlisted = assign_splits(
            names,
            read_split_lists(args.split_file),
            allow_partial=args.allow_partial,
        )
        left_out += [
            {'source_id': names[stem][0], 'reason': 'on no split list'}
            for stem in unlisted
        ]
    return Plan(
        dataset='nha12d',
        sources=[args.src],
        samples=[
            Sample(
                stem=stem,
                split=split,
                group=stem,
                source_id=names[stem][0],
                image=args.src / names[stem][0],
                read_mask=partial(read_colours, args.src / names[stem][1]),
            )
            for stem, split in split_of.items()
        ],
        settings={'split': 'file' if args.split_file else args.split},
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
        description='Convert NHA12D (80 photographs, 75 different ones).'
    )
    parser.add_argument(
        'src', type=Path, help='folder with NHA12D_dataset/ or its four parts'
    )
    add_common_options(parser)
    parser.add_argument(
        '--split',
        nargs=3,
        type=float,
        default=[0.5, 0.15, 0.35],
        metavar=('TRAIN', 'VAL', 'TEST'),
        help='shares of the splits (0.5 0.15 0.35; 0 0 1 as in the paper)',
    )
    parser.add_argument(
        '--split-file',
        type=Path,
        help='JSON {"train": [stems], ...} or a folder of <split>.txt',
    )
    return run_converter(parser, make_plan, argv)


if __name__ == '__main__':
    sys.exit(main())
