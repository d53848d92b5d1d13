"""Mixes CFD, Crack500 and DeepCrack as CBPRN did: 1200 images of 256x256.

CBPRN, section on the data: 1200 images of the three sets, resized to
256x256, 900/150/150. The paper gives neither the number per set nor the
split; the default is 118 + 545 + 537, stratified by set and grouped by
photograph. Reads folders that the other converters wrote. Usage::

    python tools/dataset_converters/mixed1200.py --cfd data/cfd \
        --crack500 data/crack500 --deepcrack data/deepcrack data/mixed1200
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from mmcrack.datasets.conversion import MANIFEST, Plan, Sample
from mmcrack.datasets.conversion_command import (
    add_common_options,
    run_converter,
)
from mmcrack.datasets.converted import read_manifest, read_pairs
from mmcrack.datasets.images import read_image
from mmcrack.datasets.masks import MASK_MODES, resize_mask
from mmcrack.datasets.splits import (
    SPLITS,
    apportion,
    assign_splits,
    check_counts,
    photograph_of,
    read_split_lists,
    seeded_order,
    split_by_groups,
)

SOURCES = ('cfd', 'crack500', 'deepcrack')
COUNTS = {'cfd': 118, 'crack500': 545, 'deepcrack': 537}
SPLIT_COUNTS = {'train': 900, 'val': 150, 'test': 150}


def choose(
    groups: Mapping[str, Mapping[str, str]],
    *,
    counts: Mapping[str, int],
    split_counts: Mapping[str, int],
    seed: int,
) -> dict[str, dict[str, list[str]]]:
    """Chooses and splits images of several sets, exact in number.

    Each set is split in the proportion of the whole, photographs kept whole;
    what a set misses by that is made up by those after it. Sets of which
    only a part is wanted come last: they can always meet their numbers.

    Args:
        groups: For each set, the photograph of each stem.
        counts: Images to take of each set.
        split_counts: Images of each split over all sets.
        seed: Seed of the choice.

    Returns:
        For each set, the sorted stems of each split.

    Raises:
        ValueError: If the numbers disagree, a set has too few images, or the
            splits cannot be met without cutting a photograph.
    """
    if sum(counts.values()) != sum(split_counts.values()):
        raise ValueError(
            f'the images per set {dict(counts)} must add up to those per '
            f'split {dict(split_counts)}; change --counts or --split-counts'
        )
    for name, wanted in counts.items():
        if len(groups[name]) < wanted:
            raise ValueError(
                f'{wanted} images of {name} are wanted, got '
                f'{len(groups[name])}; give the whole set, or take fewer '
                'with --counts and --split-counts'
            )
    chosen: dict[str, dict[str, list[str]]] = {}
    taken = dict.fromkeys(split_counts, 0)
    total = 0
    for name in sorted(counts, key=lambda n: _freedom(groups[n], counts[n])):
        total += counts[name]
        goal = apportion(total, list(split_counts.values()))
        need = {
            split: max(number - taken[split], 0)
            for split, number in zip(split_counts, goal, strict=True)
        }
        chosen[name] = _choose_one(groups[name], counts[name], need, seed)
        for split, stems in chosen[name].items():
            taken[split] += len(stems)
    if taken != dict(split_counts):
        raise ValueError(
            f'the splits {dict(split_counts)} cannot be met without cutting '
            f'a photograph, the nearest is {taken}; change --split-counts '
            'or --seed'
        )
    return chosen


def _freedom(groups: Mapping[str, str], count: int) -> tuple[bool, int]:
    """Sorts sets by how exactly they can meet wanted numbers."""
    names = list(groups.values())
    single = sum(names.count(name) == 1 for name in set(names))
    return len(names) > count, single


def _choose_one(
    groups: Mapping[str, str], count: int, need: dict[str, int], seed: int
) -> dict[str, list[str]]:
    """Splits one set; of a set with more images than wanted takes a part."""
    numbers = apportion(len(groups), list(need.values()))
    lists = split_by_groups(
        groups, counts=dict(zip(need, numbers, strict=True)), seed=seed
    )
    if len(groups) == count:
        return lists
    return {
        split: sorted(seeded_order(stems, seed=seed)[: need[split]])
        for split, stems in lists.items()
    }


def _read(name: str, root: Path) -> dict[str, Sample]:
    """Samples of one set by stem, whatever split they were in."""
    known = (root / MANIFEST).is_file()
    if known and (found := read_manifest(root)['dataset']) != name:
        raise ValueError(
            f'--{name} must be a converted {name}, got {found} in {root}'
        )
    samples: dict[str, Sample] = {}
    for sample in read_pairs(root):
        stem = sample.stem
        if stem in samples:
            # DeepCrack uses some names in train and in test.
            stem = f'{stem}_{sample.split}'
        group = sample.group if known else photograph_of(name, sample.stem)
        samples[stem] = replace(sample, stem=stem, group=group)
    return samples


def resized(
    name: str,
    split: str,
    sample: Sample,
    *,
    size: tuple[int, int],
    mask_mode: str,
) -> Sample:
    """The sample of the mix for one sample of a set.

    Args:
        name: The set.
        split: Split in the mix.
        sample: Pair of the set.
        size: (height, width) in pixels of the mix.
        mask_mode: See :func:`mmcrack.datasets.masks.resize_mask`.

    Returns:
        Pair that is resized as it is written.
    """

    def pixels() -> np.ndarray:
        image = read_image(sample.image)
        shrinks = image.shape[0] >= size[0] and image.shape[1] >= size[1]
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return cv2.resize(image, size[::-1], interpolation=how)

    def mask(_: tuple[int, int]) -> np.ndarray:
        whole = sample.read_mask(read_image(sample.image).shape[:2])
        return resize_mask(whole, size=size, mode=mask_mode)

    return Sample(
        stem=f'{name}_{sample.stem}',
        split=split,
        group=f'{name}_{sample.group}',
        source_id=f'{name}/{sample.source_id}',
        image=sample.image,
        read_mask=mask,
        read_pixels=pixels,
    )


def _numbers(args: argparse.Namespace, names: list[str]) -> dict[str, int]:
    """Images per set, from ``cfd=118 crack500=545``."""
    if args.counts is None:
        counts = COUNTS
    else:
        counts = {}
        for text in args.counts:
            name, _, number = text.partition('=')
            valid = name in SOURCES and number.isdigit() and int(number) > 0
            if not valid:
                raise ValueError(
                    '--counts must be like cfd=118 crack500=545 '
                    f'deepcrack=537, got {text!r}'
                )
            counts[name] = int(number)
    if set(counts) != set(names):
        raise ValueError(
            f'a folder must be given for each of {", ".join(sorted(counts))}, '
            f'got {", ".join(sorted(names)) or "none"}; name it with '
            '--<set> DIR, or other sets with --counts'
        )
    return counts


def _by_choice(
    args: argparse.Namespace, sets: dict[str, dict[str, Sample]]
) -> tuple[dict[tuple[str, str], str], list[str]]:
    """Split of each chosen (set, stem), and notes."""
    counts = _numbers(args, list(sets))
    total = sum(counts.values())
    wanted = args.split_counts
    if wanted is None:
        wanted = apportion(total, list(SPLIT_COUNTS.values()))
    split_counts = dict(zip(SPLITS, wanted, strict=True))
    chosen = choose(
        {
            name: {stem: sample.group for stem, sample in samples.items()}
            for name, samples in sets.items()
        },
        counts=counts,
        split_counts={s: n for s, n in split_counts.items() if n},
        seed=args.seed,
    )
    notes = check_counts(
        split_counts, SPLIT_COUNTS, name='the mix of CBPRN', allow_partial=True
    )
    return {
        (name, stem): split
        for name, lists in chosen.items()
        for split, stems in lists.items()
        for stem in stems
    }, notes


def _by_lists(
    args: argparse.Namespace, sets: dict[str, dict[str, Sample]]
) -> tuple[dict[tuple[str, str], str], list[str]]:
    """Split of each (set, stem) on the lists, and notes."""
    keys = {f'{n}_{s}': (n, s) for n, samples in sets.items() for s in samples}
    lists = read_split_lists(args.split_file)
    split_of, _ = assign_splits(keys, lists, allow_partial=True)
    notes = check_counts(
        {split: len(names) for split, names in lists.items()},
        SPLIT_COUNTS,
        name='the mix of CBPRN',
        allow_partial=args.allow_partial,
    )
    return {keys[name]: split for name, split in split_of.items()}, notes


def make_plan(args: argparse.Namespace) -> Plan:
    """Chooses the images of the mix.

    Args:
        args: Parsed command line.

    Returns:
        What to convert.

    Raises:
        FileNotFoundError: If a folder or a file is missing.
        ValueError: If the counts cannot be met.
    """
    if min(args.size) < 1:
        raise ValueError(f'--size must be two pixels >= 1, got {args.size}')
    roots = {name: getattr(args, name) for name in SOURCES}
    roots = {name: root for name, root in roots.items() if root is not None}
    sets = {name: _read(name, root) for name, root in roots.items()}
    by_file = args.split_file is not None
    pick: Callable = _by_lists if by_file else _by_choice
    split_of, notes = pick(args, sets)
    settings = {'size': args.size, 'mask_mode': args.mask_mode}
    settings['split'] = 'file' if by_file else 'random'
    if not by_file:
        settings['seed'] = args.seed
    used = [name for name, _ in split_of]
    settings['counts'] = {n: used.count(n) for n in SOURCES if n in used}
    return Plan(
        dataset='mixed1200',
        sources=list(roots.values()),
        samples=[
            resized(
                name,
                split,
                sets[name][stem],
                size=(args.size[1], args.size[0]),
                mask_mode=args.mask_mode,
            )
            for (name, stem), split in split_of.items()
        ],
        settings=settings,
        notes=notes,
    )


def main(argv: list[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: Arguments; None takes those of the process.

    Returns:
        Exit status.
    """
    parser = argparse.ArgumentParser(
        description='Mix three converted sets: 900/150/150 of 256x256.'
    )
    for name in SOURCES:
        parser.add_argument(
            f'--{name}', type=Path, help=f'converted {name} folder'
        )
    add_common_options(parser)
    parser.add_argument(
        '--counts',
        nargs='+',
        metavar='SET=NUMBER',
        help='images per set (cfd=118 crack500=545 deepcrack=537)',
    )
    parser.add_argument(
        '--split-counts',
        nargs=3,
        type=int,
        metavar=('TRAIN', 'VAL', 'TEST'),
        help='images per split (900 150 150, or in that proportion)',
    )
    parser.add_argument(
        '--size',
        nargs=2,
        type=int,
        default=[256, 256],
        metavar=('WIDTH', 'HEIGHT'),
    )
    parser.add_argument(
        '--mask-mode',
        choices=MASK_MODES,
        default='nearest',
        help='nearest (default) keeps the crack share, area keeps thin '
        'cracks whole but widens them, majority is between',
    )
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--split-file',
        type=Path,
        help='JSON {"train": ["cfd_001", ...], ...} or a folder of '
        '<split>.txt: takes exactly these images',
    )
    return run_converter(parser, make_plan, argv)


if __name__ == '__main__':
    sys.exit(main())
