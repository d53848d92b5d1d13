"""Turns masks into polygons of an annotation tool, to label them anew.

For predictions, for the ambiguous regions that
``tools/analysis/show_ambiguity.py --masks`` writes, or for the masks of a
converted data set. OUT is a file of COCO (``--format coco``) or CVAT
(``cvat``), or a folder of labelme files (``labelme``).
Holes are joined to the outline by cuts of no width, as none of the three
knows holes. With ``--tolerance 0`` reading the file back with ``polygons.py``
gives the same masks, pixel by pixel; what a tolerance costs is printed.
Usage::

    python tools/dataset_converters/to_polygons.py predictions photos \
        cracks.xml --format cvat
"""

import argparse
import sys
from pathlib import Path

from mmcrack.datasets.annotated import FORMATS
from mmcrack.datasets.conversion_command import exit_status
from mmcrack.datasets.relabel import (
    Outlining,
    find_masks,
    outline_masks,
    write_annotations,
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description='Outline masks by polygons of COCO, labelme or CVAT.'
    )
    add = parser.add_argument
    add('masks', type=Path, help='folder of masks, {0, 1} or {0, 255}')
    add('images', type=Path, help='folder of the images, by the same names')
    add('out', type=Path, help='file to write (labelme: folder)')
    add('--format', choices=FORMATS, required=True)
    add(
        '--tolerance',
        type=float,
        default=0.5,
        metavar='PIXELS',
        help='that an outline may move by to have fewer corners (0.5); 0 '
        'follows the pixels exactly',
    )
    add(
        '--min-iou',
        type=float,
        default=0.9,
        metavar='SHARE',
        help='a piece that would fit worse is simplified less (0.9)',
    )
    add(
        '--min-area',
        type=int,
        default=0,
        metavar='PIXELS',
        help='smaller pieces and holes are passed over (0)',
    )
    add('--label', default='crack', help='of the polygons (crack)')
    add('--ignore-value', type=int, help='value of masks without a label')
    add(
        '--ignore-label',
        help='outline what has --ignore-value too, under this label',
    )
    add(
        '--mask-suffix',
        nargs='+',
        default=['.png'],
        help='endings of masks behind the name of the image (.png)',
    )
    add('--overwrite', action='store_true', help='replace files of OUT')
    return parser


def main(argv: list[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: Arguments; None takes those of the process.

    Returns:
        Exit status.
    """
    args = _parser().parse_args(argv)

    def action() -> None:
        how = Outlining(
            tolerance=args.tolerance,
            min_iou=args.min_iou,
            min_area=args.min_area,
            label=args.label,
            ignore_value=args.ignore_value,
            ignore_label=args.ignore_label,
        )
        pairs = find_masks(
            args.masks, args.images, mask_suffixes=args.mask_suffix
        )
        found, fit = outline_masks(
            args.masks, args.images, pairs=pairs, how=how
        )
        write_annotations(
            found,
            args.out,
            kind=args.format,
            images=args.images,
            overwrite=args.overwrite,
        )
        print(fit.text())
        print(f'written to {args.out}')

    return exit_status(action)


if __name__ == '__main__':
    sys.exit(main())
