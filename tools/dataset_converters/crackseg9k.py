"""Converts CrackSeg9k, which joins ten sets in images of 400 x 400.

Three layouts are known, and found by themselves::

    Final-Dataset-Vol1/Images, Final-Dataset-Vol2/Images-2 and
        Final-Dataset-Vol1/Final_Masks/Masks       version 4, recommended
    Images, Masks                                  versions 2 and 3
    img_dir/<split>, ann_dir/<split>               the corrected version

The first two are split 90, 5 and 5 % (the shares of CIRL) by photograph, by
the names of the images; the third comes split, image by image. ``--lists``
takes ``train.txt`` and ``test.txt`` of the download instead. Usage::

    python tools/dataset_converters/crackseg9k.py CrackSeg9k data/crackseg9k
"""

import argparse
import re
import sys
from pathlib import Path

from mmcrack.datasets.chosen_split import (
    add_split_options,
    chosen_plan,
    official_leaks,
)
from mmcrack.datasets.conversion import Plan, Sample, mask_reader
from mmcrack.datasets.conversion_command import (
    add_common_options,
    run_converter,
)
from mmcrack.datasets.partners import (
    LeftOut,
    Names,
    find_pairs,
    nested_folder,
)
from mmcrack.datasets.splits import SPLITS

VOLUMES = 'Final-Dataset-Vol1', 'Final-Dataset-Vol2'
# How many numbers behind the name say where a crop lay in its photograph.
CROPS = {
    'crack500': 2,
    'gaps': 2,
    'rissbilder': 4,
    'volker': 4,
    'noncrack': 1,
    'masonry': 1,
}
_MISMATCH = (
    'version 2 has 744 pairs of Rissbilder whose mask is of another '
    'photograph, and nothing in the files tells which: take version 4, or '
    'leave them out with --without Rissbilder'
)


def subset_of(stem: str) -> str:
    """Set that an image of CrackSeg9k is from.

    Args:
        stem: Name of the image without suffix.

    Returns:
        Beginning of the name in small letters, such as ``crack500``;
        ``masonry`` for ``a_1_2`` and for what is spelt ``Mason...``.
    """
    first = re.split(r'[_\d-]', stem, maxsplit=1)[0].lower()
    if stem.lower().startswith('crack500'):
        return 'crack500'
    return 'masonry' if len(first) == 1 or first.startswith('mason') else first


def photograph_of_crop(stem: str) -> str:
    """Photograph that an image of CrackSeg9k was cut from.

    Args:
        stem: Name of the image without suffix.

    Returns:
        The name less the numbers of the crop, the same for the copies of
        the masonry set under two names.
    """
    subset = subset_of(stem)
    if subset == 'masonry':
        stem = re.sub(r'^mason[a-z]*_', '', stem, flags=re.IGNORECASE)
        stem = f'masonry_{stem}'
    if subset == 'deepcrack':
        return re.sub(r'-\d+$', '', stem)
    return re.sub(rf'(_\d+){{{CROPS.get(subset, 0)}}}$', '', stem)


def _volume(src: Path, name: str) -> Path | None:
    """A volume of version 4; its archive may nest it in itself."""
    return nested_folder(src, name) if (src / name).is_dir() else None


def _find(src: Path, *, allow_partial: bool) -> tuple[Names, LeftOut, str]:
    """Pairs, what is alone, and the layout."""
    volumes = [_volume(src, name) for name in VOLUMES]
    if volumes[0] is not None:
        masks = nested_folder(volumes[0], 'Final_Masks/Masks')
        folders = [(nested_folder(volumes[0], 'Images'), masks)]
        if volumes[1] is not None:
            folders.append((nested_folder(volumes[1], 'Images-2'), masks))
        layout = 'volumes'
    else:
        folders = [
            (
                nested_folder(src, 'Images', 'images'),
                nested_folder(src, 'Masks', 'masks'),
            )
        ]
        layout = 'flat'
    names, left_out = find_pairs(
        src,
        folders,
        allow_partial=allow_partial,
        mask_suffixes=('.png', '.jpg'),
    )
    return names, left_out, layout


def _listed(args: argparse.Namespace, names: Names) -> dict[str, str]:
    """Split of each image by the lists of the download."""
    volume = _volume(args.src, VOLUMES[0]) or args.src
    for place in (volume / 'Final_Masks', args.src):
        paths = {s: place / f'{s}.txt' for s in ('train', 'test')}
        if all(path.is_file() for path in paths.values()):
            break
    else:
        raise FileNotFoundError(
            f'--lists needs train.txt and test.txt in {args.src} or in '
            'Final_Masks/ of its first volume, which are not there; leave '
            '--lists out'
        )
    split_of = {
        Path(line.strip()).stem: split
        for split, path in paths.items()
        for line in path.read_text('utf-8').split('\n')
        if line.strip()
    }
    missing = sorted(set(split_of) - set(names))
    unlisted = sorted(set(names) - set(split_of))
    if (missing or unlisted) and not args.allow_partial:
        raise ValueError(
            f'the lists in {place} must name every image and no other, got '
            f'{len(unlisted)} on no list and {len(missing)} that are not '
            f'there (first: {[*unlisted, *missing][0]!r}); leave these out '
            'with --allow-partial'
        )
    return {stem: split_of[stem] for stem in names if stem in split_of}


def _given_plan(
    args: argparse.Namespace,
    names: Names,
    split_of: dict[str, str],
    settings: dict[str, object],
    left_out: LeftOut,
) -> Plan:
    """Plan of a split that is not by photograph."""
    samples = [
        Sample(
            stem=stem,
            split=split,
            group=photograph_of_crop(stem),
            source_id=names[stem][0],
            image=args.src / names[stem][0],
            read_mask=mask_reader(args.src / names[stem][1], lossy=True),
        )
        for stem, split in split_of.items()
    ]
    kept, notes, dropped = official_leaks(samples, drop=args.drop_leaks)
    unlisted = [stem for stem in names if stem not in split_of]
    return Plan(
        dataset='crackseg9k',
        sources=[args.src],
        samples=kept,
        settings=settings,
        notes=notes,
        left_out=[
            *left_out,
            *dropped,
            *(
                {'source_id': names[stem][0], 'reason': 'on no split list'}
                for stem in unlisted
            ),
        ],
    )


def _without(names: Names, subsets: list[str]) -> Names:
    """Pairs of the other subsets."""
    known = {subset_of(stem) for stem in names}
    unwanted = {name.lower() for name in subsets}
    if unwanted - known:
        raise ValueError(
            '--without must name subsets of this copy, got '
            f'{", ".join(sorted(unwanted - known))}; it has '
            f'{", ".join(sorted(known))}'
        )
    return {
        stem: pair
        for stem, pair in names.items()
        if subset_of(stem) not in unwanted
    }


def _corrected(
    args: argparse.Namespace,
) -> tuple[Names, dict[str, str], LeftOut]:
    """Pairs, their splits and what is alone of the corrected version."""
    names: Names = {}
    split_of: dict[str, str] = {}
    left_out: LeftOut = []
    for split in SPLITS:
        folders = [
            nested_folder(args.src, f'{kind}/{split}')
            for kind in ('img_dir', 'ann_dir')
        ]
        own, alone = find_pairs(
            args.src, [folders], allow_partial=args.allow_partial
        )
        names |= own
        split_of |= dict.fromkeys(own, split)
        left_out += alone
    return names, split_of, left_out


def make_plan(args: argparse.Namespace) -> Plan:
    """Finds the pairs of CrackSeg9k.

    Args:
        args: Parsed command line.

    Returns:
        What to convert.

    Raises:
        FileNotFoundError: If a folder, a list or a partner is missing.
        ValueError: If a list or an option does not fit.
    """
    corrected = (args.src / 'img_dir').is_dir()
    if corrected:
        layout = 'corrected'
        names, split_of, left_out = _corrected(args)
    else:
        names, left_out, layout = _find(
            args.src, allow_partial=args.allow_partial
        )
    names = _without(names, args.without)
    settings = {
        'layout': layout,
        'lists': args.lists,
        'without': sorted(args.without),
    }
    if corrected or args.lists:
        if args.lists:
            split_of = _listed(args, names)
        split_of = {s: split_of[s] for s in names if s in split_of}
        settings['drop_leaks'] = args.drop_leaks
        return _given_plan(args, names, split_of, settings, left_out)
    mixed = layout == 'flat' and any(
        subset_of(stem) == 'rissbilder' for stem in names
    )
    return chosen_plan(
        args,
        dataset='crackseg9k',
        names=names,
        groups={stem: photograph_of_crop(stem) for stem in names},
        read_mask=lambda stem: mask_reader(
            args.src / names[stem][1], lossy=True
        ),
        settings=settings,
        notes=[_MISMATCH] if mixed else [],
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
        description='Convert CrackSeg9k (about 9 300 images of 400 x 400).'
    )
    parser.add_argument(
        'src', type=Path, help='folder with the unpacked download'
    )
    add_common_options(parser)
    parser.add_argument(
        '--without',
        nargs='+',
        default=[],
        metavar='SUBSET',
        help='leave these sets out, such as DeepCrack if you test on it',
    )
    parser.add_argument(
        '--lists',
        action='store_true',
        help='split by train.txt and test.txt of the download',
    )
    parser.add_argument(
        '--drop-leaks',
        action='store_true',
        help='with a split that is not by photograph (--lists, or the '
        'corrected version): leave out held-out images whose photograph is '
        'in an earlier split',
    )
    add_split_options(parser, shares=(0.9, 0.05, 0.05))
    return run_converter(parser, make_plan, argv)


if __name__ == '__main__':
    sys.exit(main())
