"""Converts UAV75 from the folders of its repository.

Reads ``train_img/``, ``train_lab/``, ``val_img/``, ... (50, 10 and 15 crops
of 512 x 512). Labels hold 255 (crack, lines of one pixel), 204 (planking:
the marks of formwork that look like cracks) and 0. Crops of one photograph
share the name up to its last letter (DSC00567b), and the official test part
shows photographs of train. Usage::

    python tools/dataset_converters/uav75.py uav75 data/uav75
"""

import argparse
import sys
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from mmcrack.datasets.chosen_split import official_leaks, photographs_by
from mmcrack.datasets.conversion import Plan, Sample
from mmcrack.datasets.conversion_command import (
    add_common_options,
    run_converter,
)
from mmcrack.datasets.images import open_upright
from mmcrack.datasets.lines import check_radius, dilate
from mmcrack.datasets.masks import IGNORED
from mmcrack.datasets.partners import find_pairs, nested_folder
from mmcrack.datasets.splits import SPLITS, check_counts

COUNTS = {'train': 50, 'val': 10, 'test': 15}
PHOTOGRAPH = r'^(.*\d)[a-z]?$'
CRACK, PLANKING = 255, 204


def read_label(
    path: Path, image_size: tuple[int, int], *, radius: int, planking: str
) -> np.ndarray:
    """Reads a label of UAV75.

    Args:
        path: PNG, greyscale or RGBA; its alpha channel means nothing.
        image_size: (height, width) of the image in pixels.
        radius: Widens the lines, see :func:`mmcrack.datasets.lines.dilate`.
        planking: ``'background'``, or ``'ignore'`` for 255.

    Returns:
        Mask, uint8 (H, W) of 0, 1 and 255.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it cannot be decoded, differs from the image in size,
            or holds other values than 0, 204 and 255.
    """
    picture, _ = open_upright(path, data=None, kind='mask')
    if picture.mode == 'RGBA':
        # A conversion to L would blend nothing, but says so nowhere.
        picture = Image.fromarray(np.array(picture)[..., :3])
    levels = np.array(picture.convert('L'))
    if levels.shape != tuple(image_size):
        raise ValueError(
            f'the mask {path} is {levels.shape[1]}x{levels.shape[0]} but its '
            f'image is {image_size[1]}x{image_size[0]}; pair the right files'
        )
    values = set(np.unique(levels).tolist())
    if not values <= {0, PLANKING, CRACK}:
        raise ValueError(
            f'the mask {path} must hold 0, 204 (planking) and 255 (crack), '
            f'got {sorted(values)[:8]}; restore the file'
        )
    mask = dilate((levels == CRACK).astype(np.uint8), radius=radius)
    if planking == 'ignore':
        mask[(levels == PLANKING) & (mask == 0)] = IGNORED
    return mask


def make_plan(args: argparse.Namespace) -> Plan:
    """Finds the pairs of UAV75.

    Args:
        args: Parsed command line.

    Returns:
        What to convert.

    Raises:
        FileNotFoundError: If a folder or a partner is missing.
        ValueError: If there are not 50, 10 and 15 pairs, or an option is out
            of its range.
    """
    check_radius(args.dilate)
    how = {'radius': args.dilate, 'planking': args.planking}
    samples, left_out = [], []
    for split in SPLITS:
        folders = [
            nested_folder(args.src, f'{split}_{part}')
            for part in ('img', 'lab')
        ]
        names, alone = find_pairs(
            args.src, [folders], allow_partial=args.allow_partial
        )
        left_out += alone
        groups = photographs_by(names, PHOTOGRAPH)
        samples += [
            Sample(
                stem=stem,
                split=split,
                group=groups[stem],
                source_id=image,
                image=args.src / image,
                read_mask=partial(read_label, args.src / mask, **how),
            )
            for stem, (image, mask) in names.items()
        ]
    found = [sample.split for sample in samples]
    counted = check_counts(
        {split: found.count(split) for split in COUNTS},
        COUNTS,
        name='UAV75',
        allow_partial=args.allow_partial,
    )
    kept, notes, dropped = official_leaks(samples, drop=args.drop_leaks)
    return Plan(
        dataset='uav75',
        sources=[args.src],
        samples=kept,
        settings={
            'dilate': args.dilate,
            'planking': args.planking,
            'drop_leaks': args.drop_leaks,
        },
        notes=[*counted, *notes],
        left_out=[*left_out, *dropped],
    )


def main(argv: list[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: Arguments; None takes those of the process.

    Returns:
        Exit status.
    """
    parser = argparse.ArgumentParser(
        description='Convert UAV75 (50, 10 and 15 crops, official split).'
    )
    parser.add_argument(
        'src', type=Path, help='folder with train_img/, train_lab/, ...'
    )
    add_common_options(parser)
    parser.add_argument(
        '--planking',
        choices=['background', 'ignore'],
        default='background',
        help='what the marks of formwork become (background: they are there '
        'to be told from cracks)',
    )
    parser.add_argument(
        '--dilate',
        type=int,
        default=0,
        metavar='RADIUS',
        help='widen the lines to every pixel within this many pixels (0: '
        'keep them)',
    )
    parser.add_argument(
        '--drop-leaks',
        action='store_true',
        help='leave out held-out crops whose photograph is in an earlier '
        'split',
    )
    return run_converter(parser, make_plan, argv)


if __name__ == '__main__':
    sys.exit(main())
