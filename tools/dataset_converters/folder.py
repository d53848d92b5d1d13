"""Converts any folder of photographs with a folder of masks.

For photographs of one's own. Images and masks are paired by name, subfolders
too. Usage::

    python tools/dataset_converters/folder.py photos masks data/mine \
        --split 0.8 0.1 0.1 --group-by '^(.*)_crop'
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from mmcrack.datasets.chosen_split import (
    MaskReader,
    add_group_option,
    add_split_options,
    photographs_by,
    refuse_crossing,
    split_images,
    split_settings,
)
from mmcrack.datasets.conversion import (
    IMAGE_SUFFIXES,
    Plan,
    Sample,
    exif_orientation,
    mask_reader,
)
from mmcrack.datasets.conversion_command import (
    add_common_options,
    run_converter,
)
from mmcrack.datasets.images import open_upright
from mmcrack.datasets.masks import IGNORED, mask_levels
from mmcrack.datasets.pairing import Pair, Pairing, pair_folders

# What ImageOps.exif_transpose does for each orientation.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def value_reader(
    path: Path, *, crack_values: list[int], ignore_value: int | None
) -> MaskReader:
    """Reads a mask whose crack values the user names.

    Args:
        path: Mask file.
        crack_values: Values that are crack; every other one is background.
        ignore_value: Value without a label, or None.

    Returns:
        Function from the image's (height, width) to the mask, uint8 (H, W)
        of 0, 1 and 255.
    """

    def read(size: tuple[int, int]) -> np.ndarray:
        picture, _ = open_upright(path, data=None, kind='mask')
        levels = mask_levels(picture, name=str(path))
        if levels.ndim == 3:
            if not (levels == levels[..., :1]).all():
                raise ValueError(
                    f'the mask {path} is coloured (its channels differ), so '
                    '--crack-value cannot name its crack; save one channel'
                )
            levels = levels[..., 0]
        if levels.shape != tuple(size):
            raise ValueError(
                f'the mask {path} is {levels.shape[1]}x{levels.shape[0]} but '
                f'its image is {size[1]}x{size[0]}; pair the right files'
            )
        mask = np.isin(levels, crack_values).astype(np.uint8)
        if ignore_value is not None:
            mask[levels == ignore_value] = IGNORED
        return mask

    return read


def turned_reader(read: MaskReader, orientation: int) -> MaskReader:
    """Turns a mask drawn on the pixels as stored like its photograph.

    Args:
        read: Reader of the mask as drawn.
        orientation: EXIF orientation of the photograph, 1 to 8.

    Returns:
        Reader of the upright mask.
    """
    if orientation not in TURNS:
        return read

    def turned(size: tuple[int, int]) -> np.ndarray:
        stored = size[::-1] if orientation >= 5 else size
        mask = Image.fromarray(read(stored))
        return np.array(mask.transpose(TURNS[orientation]))

    return turned


def _reader(pair: Pair, args: argparse.Namespace) -> MaskReader:
    path = args.masks / pair.mask
    if args.crack_value:
        read = value_reader(
            path,
            crack_values=args.crack_value,
            ignore_value=args.ignore_value,
        )
    else:
        read = mask_reader(
            path,
            ignore_value=args.ignore_value,
            lossy=True if args.lossy else None,
        )
    if args.masks_as_stored:
        read = turned_reader(read, exif_orientation(args.images / pair.image))
    return read


def _unpaired(
    pairing: Pairing, args: argparse.Namespace
) -> list[dict[str, str]]:
    """What has no partner; an error unless a part is allowed."""
    images, masks = pairing.images_without_mask, pairing.masks_without_image
    if (images or masks) and not args.allow_partial:
        raise ValueError(
            'every image must have a mask of its name, got '
            f'{len(images)} images without mask and {len(masks)} masks '
            f'without image (first: {[*images, *masks][0]!r}); mend the '
            'names or --mask-suffix, or leave them out with --allow-partial'
        )
    return [
        *({'source_id': name, 'reason': 'no mask'} for name in images),
        *({'source_id': name, 'reason': 'no image'} for name in masks),
    ]


def make_plan(args: argparse.Namespace) -> Plan:
    """Finds and splits the pairs of two folders.

    Args:
        args: Parsed command line.

    Returns:
        What to convert.

    Raises:
        FileNotFoundError: If a folder or a listed image is missing.
        ValueError: If options contradict each other, a partner is missing,
            or a photograph would be in two splits.
    """
    if args.crack_value and args.lossy:
        raise ValueError(
            '--crack-value needs exact values and --lossy says that there '
            'are none; give one of them'
        )
    if args.ignore_value is not None and args.ignore_value in (
        args.crack_value or ()
    ):
        raise ValueError(
            f'--ignore-value {args.ignore_value} is a --crack-value too; '
            'a pixel is one or the other'
        )
    pairing = pair_folders(
        args.images,
        args.masks,
        image_suffixes=args.image_suffix,
        mask_suffixes=args.mask_suffix,
    )
    if not pairing.pairs:
        raise ValueError(
            f'no image in {args.images} has a mask of its name in '
            f'{args.masks}; check the folders, --image-suffix and '
            '--mask-suffix'
        )
    left_out = _unpaired(pairing, args)
    pairs = {pair.stem: pair for pair in pairing.pairs}
    groups = photographs_by(pairs, args.group_by)
    split_of, unlisted = split_images(groups, args)
    left_out += [
        {'source_id': pairs[stem].image, 'reason': 'on no split list'}
        for stem in unlisted
    ]
    samples = [
        Sample(
            stem=stem.replace('/', '_'),
            split=split,
            group=groups[stem],
            source_id=pairs[stem].image,
            image=args.images / pairs[stem].image,
            read_mask=_reader(pairs[stem], args),
        )
        for stem, split in split_of.items()
    ]
    refuse_crossing(samples, cure='mend the split file or --group-by')
    names = 'group_by', 'crack_value', 'ignore_value', 'lossy'
    settings = {name: getattr(args, name) for name in names}
    settings['masks_as_stored'] = args.masks_as_stored
    settings |= split_settings(args)
    return Plan(
        dataset=args.name,
        sources=[args.images, args.masks],
        samples=samples,
        settings=settings,
        left_out=left_out,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description='Convert a folder of photographs and one of masks.'
    )
    add = parser.add_argument
    add('images', type=Path, help='folder of photographs')
    add('masks', type=Path, help='folder of masks; may be the same one')
    add_common_options(parser)
    add('--name', default='folder', help='name for the manifest')
    add(
        '--image-suffix',
        nargs='+',
        default=[*IMAGE_SUFFIXES, '.webp'],
        help='endings of photographs (any usual picture)',
    )
    add(
        '--mask-suffix',
        nargs='+',
        default=['.png'],
        help='endings of masks behind the name of the photograph, such as '
        '.png (default) or _mask.png',
    )
    add(
        '--crack-value',
        nargs='+',
        type=int,
        help='values that are crack, all others are background; without it '
        'masks hold {0, 1} or {0, 255}',
    )
    add('--ignore-value', type=int, help='value of pixels without a label')
    add(
        '--lossy',
        action='store_true',
        help='masks were resized or saved as JPEG once: crack is > 127',
    )
    add(
        '--masks-as-stored',
        action='store_true',
        help='masks were drawn on the pixels as stored, before EXIF turned '
        'the photograph: turn them too',
    )
    add_split_options(parser, shares=(0.8, 0.1, 0.1))
    add_group_option(parser, usual=None)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: Arguments; None takes those of the process.

    Returns:
        Exit status.
    """
    return run_converter(_parser(), make_plan, argv)


if __name__ == '__main__':
    sys.exit(main())
