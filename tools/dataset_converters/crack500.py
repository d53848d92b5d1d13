"""Converts Crack500 from the folders that its authors distribute.

Reads the crops (``traincrop/``, ``valcrop/``, ``testcrop/`` with ``x.jpg``
beside ``x.png`` and the lists ``train.txt``, ``val.txt``, ``test.txt``), or
with ``--layout full`` the whole photographs (``traindata/``, ... with
``x.jpg`` beside ``x_mask.png``). Usage::

    python tools/dataset_converters/crack500.py CRACK500 data/crack500
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
from mmcrack.datasets.splits import SPLITS, check_counts, photograph_of

COUNTS = {'train': 1896, 'val': 348, 'test': 1124}
PHOTOGRAPHS = {'train': 250, 'val': 50, 'test': 200}


def _sample(src: Path, split: str, image: str, mask: str, lossy: bool):
    stem = Path(image).stem
    return Sample(
        stem=stem,
        split=split,
        group=photograph_of('crack500', stem),
        source_id=image,
        image=src / image,
        read_mask=mask_reader(src / mask, lossy=True if lossy else None),
    )


def _listed(src: Path, split: str, lossy: bool) -> list[Sample]:
    """Crops that a list file names."""
    path = src / f'{split}.txt'
    if not path.is_file():
        raise FileNotFoundError(
            f'Crack500 must have the list {path}, which is not there; give '
            'the folder with train.txt, val.txt, test.txt and the crops'
        )
    samples = []
    for number, line in enumerate(path.read_text('utf-8').split('\n'), 1):
        names = line.split()
        if not names:
            continue
        if len(names) != 2:
            raise ValueError(
                f'line {number} of {path} must name an image and a mask, '
                f'got {line.strip()!r}; restore the list'
            )
        for name in names:
            if not (src / name).is_file():
                raise FileNotFoundError(
                    f'line {number} of {path} names {name}, which is not '
                    f'in {src}; complete the download'
                )
        samples.append(_sample(src, split, *names, lossy))
    return samples


def _crops(
    args: argparse.Namespace,
) -> tuple[list[Sample], list[str], list[dict[str, str]]]:
    """Pairs, notes and what is left out of the crops."""
    samples = [
        sample
        for split in SPLITS
        for sample in _listed(args.src, split, args.lossy)
    ]
    counts = [sample.split for sample in samples]
    notes = check_counts(
        {split: counts.count(split) for split in SPLITS},
        COUNTS,
        name='Crack500',
        allow_partial=args.allow_partial,
    )
    listed = {sample.image for sample in samples}
    folders = sorted({image.parent for image in listed})
    left_out = [
        {'source_id': f'{folder.name}/{path.name}', 'reason': 'on no list'}
        for folder in folders
        for path in sorted(folder.iterdir())
        if path.suffix.lower() == '.jpg' and path not in listed
    ]
    return samples, notes, left_out


def _photographs(
    args: argparse.Namespace,
) -> tuple[list[Sample], list[str], list[dict[str, str]]]:
    """Pairs, notes and what is left out of the whole photographs."""
    samples, left_out = [], []
    for split in SPLITS:
        folder = f'{split}data'
        pairing = pair_folders(
            args.src / folder,
            args.src / folder,
            image_suffixes='.jpg',
            mask_suffixes='_mask.png',
        )
        for pair in pairing.pairs:
            names = f'{folder}/{pair.image}', f'{folder}/{pair.mask}'
            samples.append(_sample(args.src, split, *names, args.lossy))
        left_out += [
            {'source_id': f'{folder}/{name}', 'reason': 'no mask'}
            for name in pairing.images_without_mask
        ]
        left_out += [
            {'source_id': f'{folder}/{name}', 'reason': 'no image'}
            for name in pairing.masks_without_image
        ]
    counts = [sample.split for sample in samples]
    notes = check_counts(
        {split: counts.count(split) for split in SPLITS},
        PHOTOGRAPHS,
        name='Crack500 (whole photographs)',
        allow_partial=args.allow_partial,
    )
    return samples, notes, left_out


def make_plan(args: argparse.Namespace) -> Plan:
    """Finds the pairs of Crack500.

    Args:
        args: Parsed command line.

    Returns:
        What to convert.

    Raises:
        FileNotFoundError: If a folder, a list or a listed file is missing.
        ValueError: If the counts differ from the published ones, or a
            photograph gave crops to two splits.
    """
    if not args.src.is_dir():
        raise FileNotFoundError(f'there is no source folder {args.src}')
    read = _crops if args.layout == 'crops' else _photographs
    samples, notes, left_out = read(args)
    crossing = crossing_groups(samples)
    if crossing and args.drop_leaks:
        samples, dropped = drop_leaks(samples)
        left_out += [
            {
                'source_id': sample.source_id,
                'reason': 'its photograph is in an earlier split',
            }
            for sample in dropped
        ]
    elif crossing:
        photograph, places = next(iter(crossing.items()))
        text = (
            f'{len(crossing)} photographs gave crops to two splits (first: '
            f'{photograph}, in {", ".join(places)})'
        )
        if not args.keep_leaks:
            raise ValueError(
                f'{text}; leave the later crops out with --drop-leaks, or '
                'keep the split as it is with --keep-leaks'
            )
        notes.append(text)
    settings = {'layout': args.layout, 'lossy': args.lossy}
    if crossing:
        settings['drop_leaks'] = args.drop_leaks
    return Plan(
        dataset='crack500',
        sources=[args.src],
        samples=samples,
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
        description='Convert Crack500 (1896/348/1124 crops, official split).'
    )
    parser.add_argument(
        'src', type=Path, help='folder with the crops and their lists'
    )
    add_common_options(parser)
    parser.add_argument(
        '--layout',
        choices=['crops', 'full'],
        default='crops',
        help='crops (default), or whole photographs in traindata/ etc.',
    )
    parser.add_argument(
        '--lossy',
        action='store_true',
        help='masks were saved as JPEG once, then as PNG: crack is > 127 '
        '(files that are JPEG are recognised without this)',
    )
    leaks = parser.add_mutually_exclusive_group()
    leaks.add_argument(
        '--drop-leaks',
        action='store_true',
        help='leave out crops whose photograph is in an earlier split',
    )
    leaks.add_argument(
        '--keep-leaks',
        action='store_true',
        help='keep them, with a warning',
    )
    return run_converter(parser, make_plan, argv)


if __name__ == '__main__':
    sys.exit(main())
