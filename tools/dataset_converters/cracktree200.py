"""Converts CrackTree200 from the folders that it is distributed in.

Reads ``cracktree200rgb/*.jpg`` and ``cracktree200_gt/*.png`` (206 pairs).
The labels are lines of one pixel. JTFN, whose protocol CIRL follows, widens
them by 4 pixels before training and before evaluation; so does
``--dilate 4``, for all splits. Both papers train on 164 images and test on
42, and neither lists them: the split here comes from the seed. Usage::

    python tools/dataset_converters/cracktree200.py CrackTree200 \
        data/cracktree200
"""

import argparse
import sys
from functools import partial
from pathlib import Path

from mmcrack.datasets.conversion import Plan, Sample
from mmcrack.datasets.conversion_command import (
    add_common_options,
    run_converter,
)
from mmcrack.datasets.lines import check_radius, read_lines
from mmcrack.datasets.pairing import pair_folders
from mmcrack.datasets.splits import (
    SPLITS,
    apportion,
    assign_splits,
    check_counts,
    read_split_lists,
    seeded_order,
)

PAIRS = 206
COUNTS = {'train': 164, 'test': 42}
IMAGES, MASKS = 'cracktree200rgb', 'cracktree200_gt'


def _folder(src: Path, name: str) -> Path:
    """A folder; the archives of one distribution nest it in itself."""
    nested = src / name / name
    return nested if nested.is_dir() else src / name


def _pairs(src: Path) -> dict[str, tuple[str, str]]:
    """Image and mask names below the source by stem."""
    images, masks = _folder(src, IMAGES), _folder(src, MASKS)
    pairing = pair_folders(
        images, masks, image_suffixes='.jpg', mask_suffixes='.png'
    )
    for names, folder, other in (
        (pairing.images_without_mask, images, masks),
        (pairing.masks_without_image, masks, images),
    ):
        if names:
            raise FileNotFoundError(
                f'{folder / names[0]} has no partner in {other} (and '
                f'{len(names) - 1} more); complete the download'
            )
    return {
        pair.stem: tuple(
            (folder / name).relative_to(src).as_posix()
            for folder, name in ((images, pair.image), (masks, pair.mask))
        )
        for pair in pairing.pairs
    }


def _seeded(
    stems: list[str], *, share: float, seed: int
) -> dict[str, str]:
    """Split of each stem: 164/42, a val carved from train."""
    if not 0 <= share < 1:
        raise ValueError(
            f'--val-share must be in [0, 1), got {share}; 0.1 is usual'
        )
    train, test = apportion(len(stems), list(COUNTS.values()))
    train, val = apportion(train, [1 - share, share])
    order = seeded_order(stems, seed=seed)
    numbers = dict(zip(SPLITS, (train, val, test), strict=True))
    # Test first: it must not change with the share of val.
    split_of, start = {}, 0
    for split in ('test', 'val', 'train'):
        stop = start + numbers[split]
        split_of |= dict.fromkeys(order[start:stop], split)
        start = stop
    return split_of


def make_plan(args: argparse.Namespace) -> Plan:
    """Finds the pairs of CrackTree200.

    Args:
        args: Parsed command line.

    Returns:
        What to convert.

    Raises:
        FileNotFoundError: If a folder or a partner is missing.
        ValueError: If the number of pairs differs from 206, or an option is
            out of its range.
    """
    check_radius(args.dilate)
    names = _pairs(args.src)
    notes = check_counts(
        {'all': len(names)},
        {'all': PAIRS},
        name='CrackTree200',
        allow_partial=args.allow_partial,
    )
    settings: dict[str, object] = {'dilate': args.dilate}
    unlisted: list[str] = []
    if args.split_file is not None:
        split_of, unlisted = assign_splits(
            names,
            read_split_lists(args.split_file),
            allow_partial=args.allow_partial,
        )
        settings['split'] = 'file'
    else:
        split_of = _seeded(list(names), share=args.val_share, seed=args.seed)
        settings |= {'val_share': args.val_share, 'seed': args.seed}
    return Plan(
        dataset='cracktree200',
        sources=[args.src],
        samples=[
            Sample(
                stem=stem,
                split=split,
                group=stem,
                source_id=names[stem][0],
                image=args.src / names[stem][0],
                read_mask=partial(
                    read_lines, args.src / names[stem][1], radius=args.dilate
                ),
            )
            for stem, split in split_of.items()
        ],
        settings=settings,
        notes=notes,
        left_out=[
            {'source_id': names[stem][0], 'reason': 'on no split list'}
            for stem in unlisted
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
        description='Convert CrackTree200 (206 pairs, 164 train, 42 test).'
    )
    parser.add_argument(
        'src', type=Path, help=f'folder with {IMAGES}/ and {MASKS}/'
    )
    add_common_options(parser)
    parser.add_argument(
        '--dilate',
        type=int,
        default=4,
        metavar='RADIUS',
        help='widen the lines of all masks to every pixel within this many '
        'pixels (4, as JTFN and CIRL); 0 keeps them',
    )
    parser.add_argument(
        '--val-share',
        type=float,
        default=0.0,
        help='part of train that becomes val (0: the papers have none)',
    )
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--split-file',
        type=Path,
        help='JSON {"train": [stems], ...} or a folder of <split>.txt',
    )
    return run_converter(parser, make_plan, argv)


if __name__ == '__main__':
    sys.exit(main())
