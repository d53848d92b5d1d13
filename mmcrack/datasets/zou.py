"""The four sets of Zou's DeepCrack: lines of one pixel beside photographs.

Zou et al. 2019 (IEEE TIP 28(3)) train on CrackTree260 and test on CRKWH100,
CrackLS315 and Stone331. Each set is a folder of photographs and one of
labels, ``NAME_gt``; Stone331 has a third one, ``Stone331_mask``, white where
a photograph shows the stone, and labels of half the photographs' size.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from mmcrack.datasets.chosen_split import (
    MaskReader,
    add_group_option,
    add_split_options,
    chosen_plan,
)
from mmcrack.datasets.conversion import Plan
from mmcrack.datasets.conversion_command import (
    add_common_options,
    run_converter,
)
from mmcrack.datasets.lines import (
    check_radius,
    enlarge,
    read_levels,
    read_lines,
)
from mmcrack.datasets.masks import IGNORED
from mmcrack.datasets.partners import LeftOut, find_pairs, nested_folder
from mmcrack.datasets.splits import check_counts

LABELS = ('.bmp', '.png')


@dataclass(frozen=True, kw_only=True)
class LineSet:
    """What differs between the four sets.

    Attributes:
        name: As its authors write it, and of its folder.
        pairs: Published number of photographs.
        shares: Usual parts of train, val and test.
        group_by: Usual expression for the photograph of a stem, or None.
        region: Whether a third folder says where the photograph counts.
    """

    name: str
    pairs: int
    shares: tuple[float, float, float]
    group_by: str | None = None
    region: bool = False


TRAIN, TEST = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)
CRACKTREE260 = LineSet(name='CrackTree260', pairs=260, shares=TRAIN)
CRKWH100 = LineSet(name='CRKWH100', pairs=100, shares=TEST)
# Names such as 0001-2 look like parts of one recording.
CRACKLS315 = LineSet(
    name='CrackLS315', pairs=315, shares=TEST, group_by=r'^(.*?)(?:-\d+)?$'
)
STONE331 = LineSet(name='Stone331', pairs=331, shares=TEST, region=True)


def read_region(path: Path, image_size: tuple[int, int]) -> np.ndarray:
    """Reads where a photograph shows what is to be judged.

    Args:
        path: Picture, white (above 127) inside.
        image_size: (height, width) of the photograph in pixels.

    Returns:
        bool (height, width), True inside.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it cannot be decoded, its size does not fit, or
            nothing is inside.
    """
    inside = read_levels(path) > 127
    if not inside.any():
        raise ValueError(
            f'the region {path} must be white inside, got black everywhere; '
            'restore the file'
        )
    return enlarge(inside, image_size, name=path)


def read_lines_inside(
    path: Path,
    region: Path,
    image_size: tuple[int, int],
    *,
    radius: int,
    threshold: int,
) -> np.ndarray:
    """Reads lines whose photograph counts in a region only.

    Args:
        path: Mask file.
        region: See :func:`read_region`.
        image_size: (height, width) of the photograph in pixels, the size of
            the mask times a whole number.
        radius: See :func:`mmcrack.datasets.lines.dilate`; in pixels of the
            photograph.
        threshold: Highest level of background.

    Returns:
        uint8 (height, width), 255 outside the region.
    """
    mask = read_lines(
        path, image_size, radius=radius, threshold=threshold, multiple=True
    )
    mask[~read_region(region, image_size)] = IGNORED
    return mask


def make_plan(args: argparse.Namespace, lines: LineSet) -> Plan:
    """Finds the pairs of one of the four sets.

    Args:
        args: Parsed command line.
        lines: Which one.

    Returns:
        What to convert.

    Raises:
        FileNotFoundError: If a folder or a partner is missing.
        ValueError: If the number of pairs is another one, or an option is
            out of its range.
    """
    check_radius(args.dilate)
    if not 0 <= args.threshold <= 254:
        raise ValueError(
            f'--threshold must lie in 0...254, got {args.threshold}'
        )
    images = nested_folder(args.src, args.images)
    masks = nested_folder(args.src, f'{args.masks}/gt', args.masks)
    names, left_out = find_pairs(
        args.src,
        [(images, masks)],
        allow_partial=args.allow_partial,
        mask_suffixes=LABELS,
    )
    regions = _regions(args, names, left_out) if lines.region else {}
    notes = check_counts(
        {'all': len(names)},
        {'all': lines.pairs},
        name=lines.name,
        allow_partial=args.allow_partial,
    )

    def reader(stem: str) -> MaskReader:
        path = args.src / names[stem][1]
        how = {'radius': args.dilate, 'threshold': args.threshold}
        if not lines.region:
            return partial(read_lines, path, **how)
        return partial(read_lines_inside, path, regions[stem], **how)

    return chosen_plan(
        args,
        dataset=lines.name.lower(),
        names=names,
        read_mask=reader,
        settings={'dilate': args.dilate, 'threshold': args.threshold},
        notes=notes,
        left_out=left_out,
    )


def _regions(
    args: argparse.Namespace,
    names: dict[str, tuple[str, str]],
    left_out: LeftOut,
) -> dict[str, Path]:
    """Region of each photograph; those without one leave ``names``."""
    folder = nested_folder(args.src, args.region)
    found = {
        path.stem: path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in LABELS
    }
    missing = [stem for stem in names if stem not in found]
    if missing and not args.allow_partial:
        raise FileNotFoundError(
            f'{folder} must hold a region for each photograph, got none for '
            f'{len(missing)} (first: {missing[0]!r}); complete the download, '
            'or leave these photographs out with --allow-partial'
        )
    for stem in missing:
        left_out.append(
            {'source_id': names.pop(stem)[0], 'reason': 'no region'}
        )
    return found


def run(lines: LineSet, argv: Sequence[str] | None) -> int:
    """Runs the converter of one of the four sets.

    Args:
        lines: Which one.
        argv: Arguments; None takes those of the process.

    Returns:
        Exit status.
    """
    parser = argparse.ArgumentParser(
        description=f'Convert {lines.name} ({lines.pairs} pairs).'
    )
    add = parser.add_argument
    folders = [f'{lines.name}/', f'{lines.name}_gt/']
    folders += [f'{lines.name}_mask/'] if lines.region else []
    add('src', type=Path, help=f'folder with {", ".join(folders)}')
    add_common_options(parser)
    kinds = {'images': 'photographs', 'masks': 'labels', 'region': 'regions'}
    for (option, what), folder in zip(kinds.items(), folders, strict=False):
        add(
            f'--{option}',
            default=folder[:-1],
            metavar='FOLDER',
            help=f'folder of {what} below SRC ({folder[:-1]})',
        )
    add(
        '--threshold',
        type=int,
        default=0,
        metavar='LEVEL',
        help='crack is what is above it in a label (0; CrackFormer takes 127 '
        'to train and 80 to test)',
    )
    add(
        '--dilate',
        type=int,
        default=0,
        metavar='RADIUS',
        help='widen the lines to every pixel within this many pixels (0: '
        'keep them)',
    )
    add_split_options(parser, shares=lines.shares)
    add_group_option(parser, usual=lines.group_by)
    return run_converter(parser, partial(make_plan, lines=lines), argv)
