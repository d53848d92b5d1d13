"""Splits that the user of a converter chooses, by photograph.

Not in the papers: most sets come without a split.
"""

import argparse
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from mmcrack.datasets.conversion import (
    Plan,
    Sample,
    crossing_groups,
    drop_leaks,
)
from mmcrack.datasets.splits import (
    SPLITS,
    apportion,
    assign_splits,
    read_split_lists,
    split_by_groups,
)

MaskReader = Callable[[tuple[int, int]], np.ndarray]


def add_split_options(
    parser: argparse.ArgumentParser, *, shares: Sequence[float]
) -> None:
    """Adds ``--split``, ``--seed`` and ``--split-file``.

    Args:
        parser: Command line to add to.
        shares: Default of ``--split``: parts of train, val and test.
    """
    parser.add_argument(
        '--split',
        nargs=3,
        type=float,
        default=list(shares),
        metavar=('TRAIN', 'VAL', 'TEST'),
        help=f'shares of the splits ({" ".join(f"{s:g}" for s in shares)})',
    )
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--split-file',
        type=Path,
        help='JSON {"train": [stems], ...} or a folder of <split>.txt',
    )


def add_group_option(
    parser: argparse.ArgumentParser, *, usual: str | None
) -> None:
    """Adds ``--group-by``.

    Args:
        parser: Command line to add to.
        usual: Its default; None takes each image for a photograph.
    """
    parser.add_argument(
        '--group-by',
        metavar='REGEX',
        default=usual,
        help='names the photograph that a crop is from (its first group, or '
        'the whole match): its crops stay in one split'
        + ('' if usual is None else f' ({usual})'),
    )


def photographs_by(
    stems: Iterable[str], pattern: str | None
) -> dict[str, str]:
    """Photograph of each image by a regular expression.

    Args:
        stems: Names of the images.
        pattern: Expression; None takes each image for a photograph.

    Returns:
        Photograph of each stem: the first group of the match, or all of it.

    Raises:
        ValueError: If it is no expression, or one stem does not match.
    """
    if pattern is None:
        return {stem: stem for stem in stems}
    try:
        regex = re.compile(pattern)
    except re.error as error:
        raise ValueError(
            f'--group-by must be a regular expression, got {pattern!r} '
            f'({error})'
        ) from error
    groups = {}
    for stem in stems:
        match = regex.search(stem)
        if match is None:
            raise ValueError(
                f'--group-by {pattern!r} must match every image, and does '
                f'not match {stem!r}; widen it'
            )
        groups[stem] = match[1] if regex.groups else match[0]
        if groups[stem] is None:
            raise ValueError(
                f'the first group of --group-by {pattern!r} must take part '
                f'in every match, and does not in {stem!r}'
            )
    return groups


def split_images(
    groups: Mapping[str, str], args: argparse.Namespace
) -> tuple[dict[str, str], list[str]]:
    """Splits images as the options of :func:`add_split_options` say.

    Args:
        groups: Photograph of each stem.
        args: Parsed command line, with ``allow_partial``.

    Returns:
        Split of each stem, and the stems on no list.

    Raises:
        FileNotFoundError: If a listed image is missing.
        ValueError: If the shares are none, or an image is on no list.
    """
    if args.split_file is not None:
        return assign_splits(
            groups,
            read_split_lists(args.split_file),
            allow_partial=args.allow_partial,
        )
    if min(args.split) < 0 or abs(sum(args.split) - 1) > 1e-6:
        raise ValueError(
            '--split must be three shares >= 0 of train, val and test that '
            f'add up to 1, got {args.split}'
        )
    numbers = apportion(len(groups), args.split)
    counts = {s: n for s, n in zip(SPLITS, numbers, strict=True) if n}
    lists = split_by_groups(groups, counts=counts, seed=args.seed)
    return {s: split for split, names in lists.items() for s in names}, []


def chosen_plan(
    args: argparse.Namespace,
    *,
    dataset: str,
    names: Mapping[str, tuple[str, str]],
    read_mask: Callable[[str], MaskReader],
    groups: Mapping[str, str] | None = None,
    settings: Mapping[str, object] | None = None,
    notes: Sequence[str] = (),
    left_out: Sequence[Mapping[str, str]] = (),
) -> Plan:
    """Plans a set whose split the user chooses.

    Args:
        args: Parsed command line with ``src``, the options of
            :func:`add_split_options` and, unless ``groups`` are given, that
            of :func:`add_group_option`.
        dataset: Name for the manifest.
        names: Image and mask of each stem, below ``args.src``.
        read_mask: Makes the reader of the mask of a stem.
        groups: Photograph of each stem; None: by ``--group-by``.
        settings: Further options that the result depends on.
        notes: Warnings.
        left_out: What is not converted.

    Returns:
        What to convert.

    Raises:
        FileNotFoundError: If a listed image is missing.
        ValueError: If a photograph would be in two splits, or an option is
            out of its range.
    """
    if groups is None:
        groups = photographs_by(names, args.group_by)
        settings = {**(settings or {}), 'group_by': args.group_by}
    split_of, unlisted = split_images(groups, args)
    samples = [
        Sample(
            stem=stem.replace('/', '_'),
            split=split,
            group=groups[stem],
            source_id=names[stem][0],
            image=args.src / names[stem][0],
            read_mask=read_mask(stem),
        )
        for stem, split in split_of.items()
    ]
    refuse_crossing(samples, cure='mend the split file or --group-by')
    return Plan(
        dataset=dataset,
        sources=[args.src],
        samples=samples,
        settings={**(settings or {}), **split_settings(args)},
        notes=notes,
        left_out=[
            *left_out,
            *(
                {'source_id': names[stem][0], 'reason': 'on no split list'}
                for stem in unlisted
            ),
        ],
    )


def split_settings(args: argparse.Namespace) -> dict[str, object]:
    """What the manifest says of the options of :func:`add_split_options`.

    Args:
        args: Parsed command line.

    Returns:
        ``split`` and, where it counts, ``seed``.
    """
    if args.split_file is not None:
        return {'split': 'file'}
    return {'split': args.split, 'seed': args.seed}


def refuse_crossing(samples: Sequence[Sample], *, cure: str) -> None:
    """Refuses a photograph that gave images to two splits.

    Args:
        samples: Pairs with their splits.
        cure: What the user can do.

    Raises:
        ValueError: If there is one.
    """
    crossing = crossing_groups(samples)
    if crossing:
        photograph, places = next(iter(crossing.items()))
        raise ValueError(
            f'the images of one photograph must be in one split, got '
            f'{photograph!r} in {", ".join(places)}; {cure}'
        )


def official_leaks(
    samples: Sequence[Sample], *, drop: bool
) -> tuple[list[Sample], list[str], list[dict[str, str]]]:
    """Deals with photographs that an official split puts in two splits.

    Args:
        samples: Pairs with their splits.
        drop: Whether the held-out images of such photographs are left out;
            otherwise a note names them.

    Returns:
        The pairs to keep, notes, and what is left out.
    """
    kept, leaks = drop_leaks(samples)
    if drop:
        return kept, [], [
            {
                'source_id': sample.source_id,
                'reason': 'its photograph is in an earlier split',
            }
            for sample in leaks
        ]
    if not leaks:
        return kept, [], []
    photographs = list(crossing_groups(samples))
    shown = ', '.join(photographs[:8]) + (', ...' if photographs[8:] else '')
    return list(samples), [
        f'{len(leaks)} held-out images show {len(photographs)} photographs '
        f'of an earlier split ({shown}); leave them out with --drop-leaks '
        'for a clean score'
    ], []
