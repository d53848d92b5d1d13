"""Converts images that were annotated in an annotation tool.

Reads COCO JSON (polygons and run lengths), labelme JSON (polygon, linestrip,
line, rectangle, mask) and CVAT XML ("CVAT for images 1.1": polygon,
polyline, box, mask), and finds out which by itself. A pixel is crack when its
centre is inside a polygon, or at most half of ``--line-width`` from a line.
Usage::

    python tools/dataset_converters/polygons.py annotations.json photos \
        data/mine --crack-label crack --ignore-label unsure
"""

import argparse
import sys
from functools import partial
from pathlib import Path

from mmcrack.datasets.annotated import (
    check_labels,
    match_images,
    read_annotations,
)
from mmcrack.datasets.annotations import AnnotatedImage, render
from mmcrack.datasets.chosen_split import (
    add_group_option,
    add_split_options,
    photographs_by,
    refuse_crossing,
    split_images,
    split_settings,
)
from mmcrack.datasets.conversion import Plan, Sample
from mmcrack.datasets.conversion_command import (
    add_common_options,
    run_converter,
)


def _images(
    args: argparse.Namespace,
) -> tuple[dict[str, AnnotatedImage], str, list[dict[str, str]]]:
    """Annotations by file name, the format, and what is left out."""
    annotated, kind = read_annotations(args.annotations)
    found, missing, bare = match_images(annotated, args.images)
    if (missing or bare) and not args.allow_partial:
        raise ValueError(
            'every image must be annotated and every annotation have its '
            f'image, got {len(bare)} images without annotation and '
            f'{len(missing)} annotations without image (first: '
            f'{[*bare, *missing][0]!r}); mend the folders, or leave them out '
            'with --allow-partial'
        )
    if not found:
        raise ValueError(
            f'no image in {args.images} is named in {args.annotations}; give '
            'the folder of the images that were annotated'
        )
    return found, kind, [
        *({'source_id': name, 'reason': 'no annotation'} for name in bare),
        *({'source_id': name, 'reason': 'no image'} for name in missing),
    ]


def make_plan(args: argparse.Namespace) -> Plan:
    """Finds and splits annotated images.

    Args:
        args: Parsed command line.

    Returns:
        What to convert.

    Raises:
        FileNotFoundError: If a folder, a file or a listed image is missing.
        ValueError: If a file cannot be read, a label does not occur, or an
            image is not annotated.
    """
    if args.line_width is not None and not args.line_width > 0:
        raise ValueError(
            f'--line-width must be above 0 pixels, got {args.line_width}'
        )
    found, kind, left_out = _images(args)
    labels = {
        'crack_labels': args.crack_label,
        'ignore_labels': args.ignore_label,
    }
    notes = check_labels(found, **labels)
    names = {name.rpartition('.')[0]: name for name in found}
    groups = photographs_by(names, args.group_by)
    split_of, unlisted = split_images(groups, args)
    samples = [
        Sample(
            stem=stem.replace('/', '_'),
            split=split,
            group=groups[stem],
            source_id=names[stem],
            image=args.images / names[stem],
            read_mask=partial(
                render,
                found[names[stem]],
                line_width=args.line_width,
                **labels,
            ),
        )
        for stem, split in split_of.items()
    ]
    refuse_crossing(samples, cure='mend the split file or --group-by')
    return Plan(
        dataset=args.name,
        sources=[args.images, args.annotations],
        samples=samples,
        settings={
            'format': kind,
            **labels,
            'line_width': args.line_width,
            'group_by': args.group_by,
            **split_settings(args),
        },
        notes=notes,
        left_out=[
            *left_out,
            *(
                {'source_id': names[stem], 'reason': 'on no split list'}
                for stem in unlisted
            ),
        ],
    )


def main(argv: list[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: Arguments; None takes those of the process.

    Returns:
        Exit status.
    """
    parser = argparse.ArgumentParser(
        description='Convert images annotated in COCO, labelme or CVAT form.'
    )
    add = parser.add_argument
    add(
        'annotations',
        type=Path,
        help='JSON or XML file, or a folder of labelme files',
    )
    add('images', type=Path, help='folder of the images')
    add_common_options(parser)
    add('--name', default='polygons', help='name for the manifest')
    add(
        '--crack-label',
        nargs='+',
        default=['crack'],
        metavar='LABEL',
        help='labels of cracks, letter case aside (crack)',
    )
    add(
        '--ignore-label',
        nargs='+',
        default=[],
        metavar='LABEL',
        help='labels of what shall be ignored, in training and in the test '
        '(255); over a crack they win',
    )
    add(
        '--line-width',
        type=float,
        metavar='PIXELS',
        help='of lines; needed where there are some',
    )
    add_split_options(parser, shares=(0.8, 0.1, 0.1))
    add_group_option(parser, usual=None)
    return run_converter(parser, make_plan, argv)


if __name__ == '__main__':
    sys.exit(main())
