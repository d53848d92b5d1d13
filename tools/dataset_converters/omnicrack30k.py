"""Converts OmniCrack30k from the folders in which its authors send it.

Reads ``images/`` and ``annotations/``, each with ``training`` (or ``train``),
``validation`` and ``test``; a name is ``<Subset>_<image>.png``. In the
annotations **crack is 0** and background is not, and those of Stone331 have
half the size of their photographs: both are put right. The official split
stays. Usage::

    python tools/dataset_converters/omnicrack30k.py OmniCrack30k \
        data/omnicrack30k --without Khanh11k
"""

import argparse
import sys
from functools import partial
from pathlib import Path

import numpy as np

from mmcrack.datasets.conversion import Plan, Sample
from mmcrack.datasets.conversion_command import (
    add_common_options,
    run_converter,
)
from mmcrack.datasets.lines import enlarge, read_levels
from mmcrack.datasets.partners import find_pairs, nested_folder
from mmcrack.datasets.splits import SPLITS

PARTS = {
    'train': ('training', 'train'),
    'val': ('validation', 'val'),
    'test': ('test',),
}


def read_inverted(path: Path, image_size: tuple[int, int]) -> np.ndarray:
    """Reads an annotation in which crack is 0.

    Args:
        path: Mask file.
        image_size: (height, width) of the image in pixels, the size of the
            mask times a whole number.

    Returns:
        Mask, uint8 (H, W), 1 where the annotation is 0.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it cannot be decoded, or its size does not fit.
    """
    crack = (read_levels(path) == 0).astype(np.uint8)
    return enlarge(crack, image_size, name=path)


def check_polarity(paths: list[Path]) -> None:
    """Refuses annotations in which crack is not 0, by a few of them.

    Args:
        paths: All of them.

    Raises:
        ValueError: If 0 is the usual value.
    """
    few = paths[:: max(1, len(paths) // 20)]
    shares = [float((read_levels(path) == 0).mean()) for path in few]
    if np.median(shares) > 0.5:
        raise ValueError(
            'crack must be 0 in the annotations, got 0 on '
            f'{np.median(shares):.1%} of the pixels in the middle of '
            f'{len(few)} files (such as {few[0]}); if this copy was inverted '
            'before, convert it with folder.py'
        )


def make_plan(args: argparse.Namespace) -> Plan:
    """Finds the pairs of OmniCrack30k.

    Args:
        args: Parsed command line.

    Returns:
        What to convert.

    Raises:
        FileNotFoundError: If a folder or a partner is missing.
        ValueError: If crack is not 0, or nothing is left.
    """
    samples, left_out = [], []
    wanted, unwanted = set(args.subsets or ()), set(args.without)
    known: set[str] = set()
    for split in SPLITS:
        folders = [
            nested_folder(args.src, *(f'{kind}/{n}' for n in PARTS[split]))
            for kind in ('images', 'annotations')
        ]
        names, alone = find_pairs(
            args.src, [folders], allow_partial=args.allow_partial
        )
        left_out += alone
        for stem, (image, mask) in names.items():
            subset = stem.partition('_')[0]
            known.add(subset)
            if subset in unwanted or (wanted and subset not in wanted):
                continue
            samples.append(
                Sample(
                    stem=stem,
                    split=split,
                    group=stem,
                    source_id=image,
                    image=args.src / image,
                    read_mask=partial(read_inverted, args.src / mask),
                )
            )
    strange = sorted((wanted | unwanted) - known)
    if strange:
        raise ValueError(
            f'--subsets and --without must name subsets of this copy, got '
            f'{", ".join(strange)}; it has {", ".join(sorted(known))}'
        )
    check_polarity([s.read_mask.args[0] for s in samples])
    return Plan(
        dataset='omnicrack30k',
        sources=[args.src],
        samples=samples,
        settings={
            'subsets': sorted(wanted) or None,
            'without': sorted(unwanted),
        },
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
        description='Convert OmniCrack30k (official split, crack is 0).'
    )
    parser.add_argument(
        'src', type=Path, help='folder with images/ and annotations/'
    )
    add_common_options(parser)
    parser.add_argument(
        '--subsets', nargs='+', metavar='NAME', help='only these'
    )
    parser.add_argument(
        '--without',
        nargs='+',
        default=[],
        metavar='NAME',
        help='all but these, such as the sets that you test on elsewhere',
    )
    return run_converter(parser, make_plan, argv)


if __name__ == '__main__':
    sys.exit(main())
