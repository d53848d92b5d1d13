"""Slices big photographs and their masks into tiles.

CIRL, section 4.1: 2000 photographs of 7360x4912 became 5560 tiles of
512x512 (CrackSeg5k), in splits of 90, 5 and 5 %. The set is not public, and
the paper does not say which tiles were kept (126 fit into a photograph, 2.8
are left) nor whether photographs or tiles were split. Tiles of one
photograph in two splits leak, so photographs are split here unless
``--split-by tile`` asks otherwise. One photograph at a time is in memory.
Usage::

    python tools/dataset_converters/slice.py photos masks data/crackseg5k \
        --keep balanced
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from mmcrack.datasets.conversion import (
    IMAGE_SUFFIXES,
    Plan,
    Sample,
    crossing_groups,
    mask_reader,
    show_progress,
    upright_size,
)
from mmcrack.datasets.conversion_command import (
    add_common_options,
    run_converter,
)
from mmcrack.datasets.images import read_image
from mmcrack.datasets.masks import IGNORED
from mmcrack.datasets.pairing import Pair, pair_folders
from mmcrack.datasets.splits import SPLITS, assign_splits, read_split_lists
from mmcrack.datasets.tiles import (
    BORDERS,
    KEEP,
    Tile,
    cut,
    keep_tiles,
    split_by_shares,
    split_tiles,
    tile_starts,
)


def _count(
    pairs: Mapping[str, Pair], args: argparse.Namespace
) -> tuple[list[Tile], list[str]]:
    """Tiles of all photographs, and what their borders cost."""
    width, height = args.size
    step_x, step_y = args.stride or args.size
    tiles: list[Tile] = []
    lost, total = np.zeros(2, np.int64), np.zeros(2, np.int64)
    for done, (stem, pair) in enumerate(pairs.items(), 1):
        image = args.images / pair.image
        size = upright_size(image)
        mask = _mask_reader(pair, args)(size)
        try:
            rows = tile_starts(
                size[0], size=height, stride=step_y, border=args.border
            )
            columns = tile_starts(
                size[1], size=width, stride=step_x, border=args.border
            )
        except ValueError as error:
            raise ValueError(f'{image}: {error}') from error
        for top in rows:
            for left in columns:
                part = mask[top:top + height, left:left + width]
                tiles.append(
                    Tile(
                        photograph=stem,
                        top=top,
                        left=left,
                        crack=int((part == 1).sum()),
                        labelled=int((part != IGNORED).sum()),
                    )
                )
        inner = mask[:rows[-1] + height, :columns[-1] + width]
        total += mask.size, (mask == 1).sum()
        lost += mask.size - inner.size, (mask == 1).sum() - (inner == 1).sum()
        show_progress(done, len(pairs))
    if not lost[0]:
        return tiles, []
    pixels, cracks = 100 * lost / np.maximum(total, 1)
    return tiles, [
        f'--border drop leaves out {pixels:.1f} % of all pixels and '
        f'{cracks:.1f} % of the crack pixels'
    ]


def _mask_reader(
    pair: Pair, args: argparse.Namespace
) -> Callable[[tuple[int, int]], np.ndarray]:
    return mask_reader(
        args.masks / pair.mask,
        ignore_value=args.ignore_value,
        lossy=True if args.lossy else None,
    )


def _samples(
    parts: Mapping[str, list[Tile]],
    pairs: Mapping[str, Pair],
    args: argparse.Namespace,
) -> list[Sample]:
    """Tiles that are cut as they are written."""
    size = args.size[::-1]

    # Tiles are written in the order of split and name, so that those of a
    # photograph follow each other and each is decoded once for each split.
    @lru_cache(maxsize=1)
    def load(stem: str) -> tuple[np.ndarray, np.ndarray]:
        pixels = read_image(args.images / pairs[stem].image)
        return pixels, _mask_reader(pairs[stem], args)(pixels.shape[:2])

    def pixels(tile: Tile) -> np.ndarray:
        image, _ = load(tile.photograph)
        return cut(image, tile.top, tile.left, size=size, fill=0)

    def mask(tile: Tile, _: tuple[int, int]) -> np.ndarray:
        _, labels = load(tile.photograph)
        return cut(labels, tile.top, tile.left, size=size, fill=IGNORED)

    return [
        Sample(
            stem=tile.stem,
            split=split,
            group=tile.photograph,
            source_id=pairs[tile.photograph].image,
            image=args.images / pairs[tile.photograph].image,
            read_mask=partial(mask, tile),
            read_pixels=partial(pixels, tile),
        )
        for split, tiles in parts.items()
        for tile in tiles
    ]


def _check(args: argparse.Namespace) -> None:
    """Refuses options that contradict each other."""
    if min(args.size) < 1:
        raise ValueError(f'--size must be two pixels >= 1, got {args.size}')
    stride = args.stride or args.size
    if any(not 1 <= s <= t for s, t in zip(stride, args.size, strict=True)):
        raise ValueError(
            f'--stride must lie between 1 and --size {args.size}, got '
            f'{stride}; a longer one would leave gaps'
        )
    if min(args.split) < 0 or abs(sum(args.split) - 1) > 1e-6:
        raise ValueError(
            '--split must be three shares >= 0 of train, val and test that '
            f'add up to 1, got {args.split}'
        )
    if args.min_crack < 1:
        raise ValueError(
            f'--min-crack must be >= 1 pixel, got {args.min_crack}'
        )
    if args.split_file is not None and args.split_by == 'tile':
        raise ValueError(
            '--split-file names photographs, so it cannot go with '
            '--split-by tile; leave one of them out'
        )


def _photographs(
    pairs: Mapping[str, Pair], args: argparse.Namespace
) -> tuple[dict[str, str] | None, list[str]]:
    """Split of each photograph, and photographs on no list."""
    if args.split_file is not None:
        return assign_splits(
            pairs,
            read_split_lists(args.split_file),
            allow_partial=args.allow_partial,
        )
    if args.split_by == 'tile':
        return None, []
    # By names, shares and seed alone: the same photographs are held out
    # whatever the tiles.
    split_of = split_by_shares(list(pairs), args.split, seed=args.seed)
    without = [
        split
        for split, share in zip(SPLITS, args.split, strict=True)
        if share and split not in split_of.values()
    ]
    if without:
        raise ValueError(
            f'--split {" ".join(map(str, args.split))} of {len(pairs)} '
            f'photographs leaves none for {" and ".join(without)}; give '
            'more photographs, other shares, or --split-by tile'
        )
    return split_of, []


def _notes(
    tiles: list[Tile],
    parts: Mapping[str, list[Tile]],
    samples: list[Sample],
    args: argparse.Namespace,
) -> list[str]:
    """Warnings about what was chosen."""
    notes = []
    if len(samples) < len(tiles):
        cracked = sum(tile.crack > 0 for tile in tiles)
        kept = sum(tile.crack > 0 for part in parts.values() for tile in part)
        notes.append(
            f'{len(samples)} of {len(tiles)} tiles are kept (--keep '
            f'{args.keep}): {kept} of {cracked} with crack, '
            f'{len(samples) - kept} of {len(tiles) - cracked} without'
        )
    if args.keep == 'balanced':
        for split, part in parts.items():
            number = Counter(tile.crack == 0 for tile in part)
            if number[True] < number[False]:
                notes.append(
                    f'{split} is not balanced: {number[False]} tiles with '
                    f'crack and only {number[True]} without'
                )
    crossing = crossing_groups(samples)
    if crossing:
        notes.append(
            f'tiles of {len(crossing)} photographs are in more than one '
            'split (--split-by tile), so scores on val and test are too high'
        )
    return notes


def _pairs(
    args: argparse.Namespace,
) -> tuple[dict[str, Pair], list[tuple[str, str]]]:
    """Pair of each stem, and name and reason of what has no partner."""
    pairing = pair_folders(
        args.images,
        args.masks,
        image_suffixes=args.image_suffix,
        mask_suffixes=args.mask_suffix,
    )
    alone = [
        *((name, 'no mask') for name in pairing.images_without_mask),
        *((name, 'no image') for name in pairing.masks_without_image),
    ]
    if not pairing.pairs or (alone and not args.allow_partial):
        raise ValueError(
            'every photograph must have a mask of its name, got '
            f'{len(pairing.pairs)} pairs and {len(alone)} files without '
            f'partner{f" (first: {alone[0][0]!r})" if alone else ""}; mend '
            'the folders or --mask-suffix, or leave files out with '
            '--allow-partial'
        )
    return {pair.stem: pair for pair in pairing.pairs}, alone


def _settings(args: argparse.Namespace) -> dict[str, object]:
    names = (
        *('size', 'border', 'keep', 'min_crack', 'split_by', 'seed'),
        *('ignore_value', 'lossy'),
    )
    settings = {name: getattr(args, name) for name in names}
    by_file = args.split_file is not None
    return settings | {
        'stride': args.stride or args.size,
        'split': 'file' if by_file else args.split,
    }


def make_plan(args: argparse.Namespace) -> Plan:
    """Finds, chooses and splits the tiles of two folders.

    Args:
        args: Parsed command line.

    Returns:
        What to convert.

    Raises:
        FileNotFoundError: If a folder or a listed photograph is missing.
        ValueError: If options contradict each other, a partner is missing,
            a mask is unusable, or a split is left without tiles.
    """
    _check(args)
    pairs, left_out = _pairs(args)
    split_of, unlisted = _photographs(pairs, args)
    for stem in unlisted:
        left_out.append((pairs.pop(stem).image, 'on no split list'))
    tiles, notes = _count(pairs, args)
    parts = split_tiles(
        tiles,
        split_of=split_of,
        shares=args.split,
        choose=partial(
            keep_tiles,
            keep=args.keep,
            min_crack=args.min_crack,
            seed=args.seed,
        ),
        seed=args.seed,
    )
    wanted = set(split_of.values()) if split_of else {
        s for s, share in zip(SPLITS, args.split, strict=True) if share
    }
    bare = [split for split in SPLITS if split in wanted and not parts[split]]
    if bare:
        raise ValueError(
            f'each split must have tiles, got none for {" and ".join(bare)} '
            f'of {len(tiles)} tiles with --keep {args.keep}; keep more, or '
            'change --split or --seed'
        )
    samples = _samples(parts, pairs, args)
    return Plan(
        dataset=args.name,
        sources=[args.images, args.masks],
        samples=samples,
        settings=_settings(args),
        notes=[*_notes(tiles, parts, samples, args), *notes],
        left_out=[
            {'source_id': name, 'reason': reason} for name, reason in left_out
        ],
    )


def _add_reading_options(parser: argparse.ArgumentParser) -> None:
    """How images and masks are found and read."""
    add = parser.add_argument
    add(
        '--image-suffix',
        nargs='+',
        default=list(IMAGE_SUFFIXES),
        help='endings of photographs (any usual picture)',
    )
    add(
        '--mask-suffix',
        nargs='+',
        default=['.png'],
        help='endings of masks behind the name of the photograph',
    )
    add('--ignore-value', type=int, help='value of pixels without a label')
    add(
        '--lossy',
        action='store_true',
        help='masks were resized or saved as JPEG once: crack is > 127',
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description='Slice a folder of big photographs and one of masks.'
    )
    add = parser.add_argument
    pixels = dict(nargs=2, type=int, metavar=('WIDTH', 'HEIGHT'))
    add('images', type=Path, help='folder of photographs')
    add('masks', type=Path, help='folder of masks; may be the same one')
    add_common_options(parser)
    add('--name', default='slices', help='name for the manifest')
    add('--size', default=[512, 512], help='of a tile (512 512)', **pixels)
    add(
        '--stride',
        help='distance of neighbouring tiles (that of --size: no overlap)',
        **pixels,
    )
    add(
        '--border',
        choices=BORDERS,
        default='drop',
        help='what is less than a tile at the right and at the bottom: '
        'drop it (default: 14 x 9 tiles of 7360x4912), shift a last tile '
        'inwards, or pad it with black that has no label',
    )
    add(
        '--keep',
        choices=KEEP,
        default='all',
        help='all tiles (default), those with crack, or these and equally '
        'many without',
    )
    add(
        '--min-crack',
        type=int,
        default=1,
        metavar='PIXELS',
        help='crack pixels of a tile with crack (1)',
    )
    add(
        '--split-by',
        choices=['photograph', 'tile'],
        default='photograph',
        help='what is split; tiles of one photograph in two splits leak, so '
        'whole photographs (default)',
    )
    add(
        '--split',
        nargs=3,
        type=float,
        default=[0.9, 0.05, 0.05],
        metavar=('TRAIN', 'VAL', 'TEST'),
        help='shares of the splits (0.9 0.05 0.05, as CIRL)',
    )
    add('--seed', type=int, default=0)
    add(
        '--split-file',
        type=Path,
        help='JSON {"train": [photographs], ...} or a folder of <split>.txt',
    )
    _add_reading_options(parser)
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
