"""Converts CFD (CrackForest) from the layout of its repository.

Reads ``image/NNN.jpg`` and ``groundTruth/NNN.mat``; crack is {2, 4} of the
label map, 1 is background and 3 background that cracks enclose. Usage::

    python tools/dataset_converters/cfd.py CrackForest-dataset data/cfd
"""

import argparse
import sys
from functools import partial
from pathlib import Path

import numpy as np
import scipy.io

from mmcrack.datasets.conversion import Plan, Sample
from mmcrack.datasets.conversion_command import (
    add_common_options,
    run_converter,
)
from mmcrack.datasets.splits import (
    apportion,
    assign_splits,
    check_counts,
    photograph_of,
    read_split_lists,
    split_by_groups,
)

PAIRS = 118
COUNTS = {'train': 60, 'val': 12, 'test': 46}
CRACK_VALUES = (2, 4)
VALUES = (1, 2, 3, 4)
UNLISTED = 'on no split list'
NO_TRUTH = 'no ground truth'


def read_truth(path: Path, image_size: tuple[int, int]) -> np.ndarray:
    """Reads the crack mask of a CFD ground truth file.

    Args:
        path: ``.mat`` file with the struct ``groundTruth``.
        image_size: (height, width) of the image in pixels.

    Returns:
        Mask, uint8 (H, W), 0 background and 1 crack.

    Raises:
        ValueError: If the file is no such struct, holds other values than
            1-4, or differs from the image in size.
    """
    try:
        truth = scipy.io.loadmat(path)['groundTruth'][0, 0]
        labels = truth['Segmentation']
        while labels.dtype == object:
            labels = labels.flat[0]
    except Exception as error:
        # SciPy raises many kinds of errors on a damaged file.
        raise ValueError(
            f'{path} must be a MATLAB file with groundTruth.Segmentation, '
            f'got an unreadable one ({error}); download it again'
        ) from error
    values = np.unique(labels)
    if not set(values.tolist()) <= set(VALUES):
        raise ValueError(
            f'the labels in {path} must be 1 to 4 (crack is 2 and 4), got '
            f'{values.tolist()}; this is not the ground truth of CFD'
        )
    if labels.shape != tuple(image_size):
        raise ValueError(
            f'the labels in {path} must be of the size of the image, '
            f'{image_size[1]}x{image_size[0]}, got '
            f'{"x".join(str(n) for n in labels.shape[::-1])}'
        )
    return np.isin(labels, CRACK_VALUES).astype(np.uint8)


def block_split(stem: str) -> str:
    """Split of a photograph by blocks of six consecutive numbers.

    Not in the papers: CFD has no official split. Consecutive photographs
    stay together; block 7 and 17 are val, otherwise block mod 5 in {0, 1, 2}
    is train and the rest test, which gives 60/12/46.

    Args:
        stem: Number of the photograph, ``'001'`` to ``'118'``.

    Returns:
        ``'train'``, ``'val'`` or ``'test'``.
    """
    block = (int(stem) - 1) // 6
    if block in (7, 17):
        return 'val'
    return 'train' if block % 5 < 3 else 'test'


def _files(folder: Path, suffix: str) -> dict[str, Path]:
    if not folder.is_dir():
        raise FileNotFoundError(
            f'CFD must have the folder {folder}, which is not there; give '
            'the folder that holds image/ and groundTruth/'
        )
    files = sorted(folder.iterdir())
    return {f.stem: f for f in files if f.suffix.lower() == suffix}


def _splits(
    stems: list[str], args: argparse.Namespace
) -> tuple[dict[str, str], list[str], list[str]]:
    """Split of each stem, stems left out, notes."""
    notes = check_counts(
        {'all': len(stems)},
        {'all': PAIRS},
        name='CFD',
        allow_partial=args.allow_partial,
    )
    if args.split_file is not None:
        lists = read_split_lists(args.split_file)
        split_of, unlisted = assign_splits(
            stems, lists, allow_partial=args.allow_partial
        )
        return split_of, unlisted, notes
    if args.split == 'random':
        parts = apportion(len(stems), list(COUNTS.values()))
        counts = dict(zip(COUNTS, parts, strict=True))
        lists = split_by_groups(
            {stem: stem for stem in stems}, counts=counts, seed=args.seed
        )
        notes.append('random split: neighbouring photographs are in two')
        return {s: k for k, names in lists.items() for s in names}, [], notes
    strange = [stem for stem in stems if not stem.isdigit()]
    if strange:
        raise ValueError(
            f'CFD images must be called by number for the split by blocks, '
            f'got {strange[0]!r}; use --split random or --split-file'
        )
    return {stem: block_split(stem) for stem in stems}, [], notes


def make_plan(args: argparse.Namespace) -> Plan:
    """Finds the pairs of CFD.

    Args:
        args: Parsed command line.

    Returns:
        What to convert.

    Raises:
        FileNotFoundError: If a folder or an image is missing.
        ValueError: If the number of pairs or the split is wrong.
    """
    images = _files(args.src / 'image', '.jpg')
    truths = _files(args.src / 'groundTruth', '.mat')
    alone = sorted(set(truths) - set(images))
    if alone:
        raise FileNotFoundError(
            f'{truths[alone[0]]} has no image '
            f'{args.src / "image" / alone[0]}.jpg; complete the download'
        )
    split_of, unlisted, notes = _splits(sorted(truths), args)
    samples = [
        Sample(
            stem=stem,
            split=split,
            group=photograph_of('cfd', stem),
            source_id=f'image/{images[stem].name}',
            image=images[stem],
            read_mask=partial(read_truth, truths[stem]),
        )
        for stem, split in split_of.items()
    ]
    without = sorted(set(images) - set(truths))
    reasons = [(s, NO_TRUTH) for s in without]
    reasons += [(s, UNLISTED) for s in unlisted]
    by_file = args.split_file is not None
    settings = {'split': 'file' if by_file else args.split}
    if settings['split'] == 'random':
        settings['seed'] = args.seed
    return Plan(
        dataset='cfd',
        sources=[args.src],
        samples=samples,
        settings=settings,
        notes=notes,
        left_out=[
            {'source_id': f'image/{images[stem].name}', 'reason': reason}
            for stem, reason in reasons
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
        description='Convert CFD (118 pairs): image/*.jpg, groundTruth/*.mat.'
    )
    parser.add_argument(
        'src', type=Path, help='folder with image/ and groundTruth/'
    )
    add_common_options(parser)
    parser.add_argument(
        '--split',
        choices=['blocks', 'random'],
        default='blocks',
        help='60/12/46 by blocks of six consecutive photographs (default) '
        'or photograph by photograph from the seed',
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
