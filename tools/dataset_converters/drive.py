"""Converts DRIVE (retinal vessels) from its layout as distributed.

Reads ``training/`` (images 21 to 40) and ``test/`` (01 to 20), each with
``images/*.tif``, ``1st_manual/*_manual1.gif`` and ``mask/*_mask.gif``. The
labels are those of the first observer; ``2nd_manual`` (a second observer,
test only) is never read. The field of view goes to ``fov/<split>/NN.png``,
where ``mmcrack.IgnoreOutsideFieldOfView`` looks for it. Usage::

    python tools/dataset_converters/drive.py DRIVE data/drive
"""

import argparse
import re
import sys
from functools import partial
from pathlib import Path

import numpy as np

from mmcrack.datasets.conversion import Plan, Sample, mask_reader
from mmcrack.datasets.conversion_command import (
    add_common_options,
    run_converter,
)
from mmcrack.datasets.images import read_image
from mmcrack.datasets.masks import read_mask
from mmcrack.datasets.splits import check_counts

COUNTS = {'train': 20, 'test': 20}
FOLDERS = {'train': 'training', 'test': 'test'}
NUMBERS = {'train': range(21, 41), 'test': range(1, 21)}


def read_fov(path: Path, image_size: tuple[int, int]) -> np.ndarray:
    """Reads the field of view of an image.

    Args:
        path: GIF of 0 outside and 255 inside.
        image_size: (height, width) of the image in pixels.

    Returns:
        uint8 (H, W), 0 outside and 1 inside.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it cannot be decoded, holds other values, differs from
            the image in size, or is empty.
    """
    fov = read_mask(path, image_size=image_size)
    if not fov.any():
        raise ValueError(
            f'the field of view {path} must hold 255 inside, got 0 '
            'everywhere; restore the file'
        )
    return fov


def _images(
    src: Path, split: str
) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Image of each number, and what is no image of the data set."""
    folder = f'{FOLDERS[split]}/images'
    if not (src / folder).is_dir():
        raise FileNotFoundError(
            f'DRIVE must have the folder {src / folder}, which is not there; '
            'give the folder that holds training/ and test/'
        )
    pattern = re.compile(rf'(\d\d)_{FOLDERS[split]}\.tif')
    found, others = {}, []
    for path in sorted((src / folder).iterdir()):
        match = pattern.fullmatch(path.name)
        if match and int(match[1]) in NUMBERS[split]:
            found[match[1]] = f'{folder}/{path.name}'
        elif not path.name.startswith('.'):
            others.append(
                {
                    'source_id': f'{folder}/{path.name}',
                    'reason': 'not a name of DRIVE',
                }
            )
    return found, others


def _parts(split: str, number: str) -> dict[str, str]:
    """Label and field of view of an image, below the source."""
    folder = FOLDERS[split]
    return {
        'label': f'{folder}/1st_manual/{number}_manual1.gif',
        'field of view': f'{folder}/mask/{number}_{folder}_mask.gif',
    }


def _missing(kind: str, names: list[str]) -> str:
    """Sentence about labels or fields of view that are not there."""
    text = (
        f'DRIVE must have a {kind} for each image, got none for '
        f'{len(names)} (first: {names[0]})'
    )
    if kind == 'label' and names[0].startswith('test/'):
        text += (
            '; the download of today leaves the test labels out, and '
            '2nd_manual, where it is, is another observer and no substitute'
        )
    return (
        f'{text}; complete the folder, or leave these images out with '
        '--allow-partial'
    )


def make_plan(args: argparse.Namespace) -> Plan:
    """Finds the pairs of DRIVE.

    Args:
        args: Parsed command line.

    Returns:
        What to convert.

    Raises:
        FileNotFoundError: If a folder, a label or a field of view is
            missing.
        ValueError: If there are not 20 and 20 images.
    """
    samples, left_out = [], []
    lacking: dict[str, list[str]] = {}
    for split in COUNTS:
        found, others = _images(args.src, split)
        left_out += others
        for number, image in found.items():
            parts = _parts(split, number)
            absent = {
                kind: name
                for kind, name in parts.items()
                if not (args.src / name).is_file()
            }
            for kind, name in absent.items():
                lacking.setdefault(kind, []).append(name)
                left_out.append({'source_id': image, 'reason': f'no {kind}'})
            if absent:
                continue
            samples.append(
                Sample(
                    stem=number,
                    split=split,
                    group=number,
                    source_id=image,
                    image=args.src / image,
                    read_mask=mask_reader(args.src / parts['label']),
                    # MMSegmentation's data set looks for PNG.
                    read_pixels=partial(read_image, args.src / image),
                    read_fov=partial(
                        read_fov, args.src / parts['field of view']
                    ),
                )
            )
    if lacking and not args.allow_partial:
        raise FileNotFoundError(_missing(*next(iter(lacking.items()))))
    splits = [sample.split for sample in samples]
    notes = check_counts(
        {split: splits.count(split) for split in COUNTS},
        COUNTS,
        name='DRIVE',
        allow_partial=args.allow_partial,
    )
    return Plan(
        dataset='drive',
        sources=[args.src],
        samples=samples,
        settings={'observer': 1},
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
        description='Convert DRIVE (20 train, 20 test) with its fields of '
        'view.'
    )
    parser.add_argument(
        'src', type=Path, help='folder with training/ and test/'
    )
    add_common_options(parser)
    return run_converter(parser, make_plan, argv)


if __name__ == '__main__':
    sys.exit(main())
