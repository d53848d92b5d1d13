"""Converts DeepCrack (DeepCrack537) from the folders of its archive.

Reads ``train_img/``, ``train_lab/``, ``test_img/``, ``test_lab/`` (300 and
237 pairs). There is no official val: ``--val-share`` carves one from train,
photograph by photograph. A test image whose name train has too is called
``<stem>_test``. Usage::

    python tools/dataset_converters/deepcrack.py DeepCrack data/deepcrack
"""

import argparse
import sys
from pathlib import Path

from mmcrack.datasets.conversion import (
    Plan,
    Sample,
    crossing_groups,
    drop_leaks,
    mask_reader,
)
from mmcrack.datasets.conversion_command import (
    add_common_options,
    run_converter,
)
from mmcrack.datasets.pairing import pair_folders
from mmcrack.datasets.splits import (
    apportion,
    assign_splits,
    check_counts,
    photograph_of,
    read_split_lists,
    split_by_groups,
)

COUNTS = {'train': 300, 'test': 237}


def _pairs(src: Path, part: str) -> dict[str, tuple[str, str]]:
    """Image and mask names below the source by stem."""
    images, masks = f'{part}_img', f'{part}_lab'
    pairing = pair_folders(
        src / images,
        src / masks,
        image_suffixes='.jpg',
        mask_suffixes='.png',
    )
    for names, folder, other in (
        (pairing.images_without_mask, images, masks),
        (pairing.masks_without_image, masks, images),
    ):
        if names:
            raise FileNotFoundError(
                f'{src / folder / names[0]} has no partner in {src / other} '
                f'(and {len(names) - 1} more); complete the download'
            )
    return {
        pair.stem: (f'{images}/{pair.image}', f'{masks}/{pair.mask}')
        for pair in pairing.pairs
    }


def _carve(stems: list[str], *, share: float, seed: int) -> dict[str, str]:
    """Split of each training image: train, or val by whole photograph."""
    if not 0 <= share < 1:
        raise ValueError(
            f'--val-share must be in [0, 1), got {share}; 0.1 is usual'
        )
    train, val = apportion(len(stems), [1 - share, share])
    lists = split_by_groups(
        {stem: photograph_of('deepcrack', stem) for stem in stems},
        counts={'train': train, 'val': val} if val else {'train': train},
        seed=seed,
    )
    return {stem: split for split, names in lists.items() for stem in names}


def make_plan(args: argparse.Namespace) -> Plan:
    """Finds the pairs of DeepCrack.

    Args:
        args: Parsed command line.

    Returns:
        What to convert.

    Raises:
        FileNotFoundError: If a folder or a partner is missing.
        ValueError: If the counts differ from the published ones.
    """
    parts = {part: _pairs(args.src, part) for part in COUNTS}
    notes = check_counts(
        {part: len(pairs) for part, pairs in parts.items()},
        COUNTS,
        name='DeepCrack',
        allow_partial=args.allow_partial,
    )
    settings: dict[str, object] = {'drop_leaks': args.drop_leaks}
    left_out: list[dict[str, str]] = []
    parts['test'] = {
        # The official split uses some names twice, for different crops.
        f'{stem}_test' if stem in parts['train'] else stem: names
        for stem, names in parts['test'].items()
    }
    names = {**parts['train'], **parts['test']}
    if args.split_file is not None:
        split_of, unlisted = assign_splits(
            names,
            read_split_lists(args.split_file),
            allow_partial=args.allow_partial,
        )
        settings['split'] = 'file'
        left_out += [
            {'source_id': names[stem][0], 'reason': 'on no split list'}
            for stem in unlisted
        ]
    else:
        split_of = _carve(
            list(parts['train']), share=args.val_share, seed=args.seed
        )
        split_of |= dict.fromkeys(parts['test'], 'test')
        settings |= {'val_share': args.val_share, 'seed': args.seed}
    samples = [
        Sample(
            stem=stem,
            split=split,
            group=photograph_of('deepcrack', Path(names[stem][0]).stem),
            source_id=names[stem][0],
            image=args.src / names[stem][0],
            read_mask=mask_reader(args.src / names[stem][1]),
        )
        for stem, split in split_of.items()
    ]
    kept, leaks = drop_leaks(samples)
    if args.drop_leaks:
        left_out += [
            {
                'source_id': sample.source_id,
                'reason': 'its photograph is in an earlier split',
            }
            for sample in leaks
        ]
    elif leaks:
        photographs = ', '.join(crossing_groups(samples))
        notes.append(
            f'{len(leaks)} held-out images show photographs of an earlier '
            f'split ({photographs}): '
            f'{", ".join(sorted(s.stem for s in leaks))}; leave them out '
            'with --drop-leaks for a clean score'
        )
    return Plan(
        dataset='deepcrack',
        sources=[args.src],
        samples=kept if args.drop_leaks else samples,
        settings=settings,
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
        description='Convert DeepCrack537 (300 train, 237 test pairs).'
    )
    parser.add_argument(
        'src', type=Path, help='folder with train_img/, train_lab/, ...'
    )
    add_common_options(parser)
    parser.add_argument(
        '--val-share',
        type=float,
        default=0.0,
        help='part of train that becomes val, by whole photograph (0, the '
        'official 300/237: the configs list their val themselves)',
    )
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--split-file',
        type=Path,
        help='JSON {"train": [stems], ...} or a folder of <split>.txt',
    )
    parser.add_argument(
        '--drop-leaks',
        action='store_true',
        help='leave out test images whose photograph is in train',
    )
    return run_converter(parser, make_plan, argv)


if __name__ == '__main__':
    sys.exit(main())
