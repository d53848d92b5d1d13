"""Seeded splits that keep a photograph in one split, and their lists.

Not in the papers: CBPRN states only 900/150/150, CIRL cites counts. Splits
made here depend on names and seed alone, so that they are the same on every
machine.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

SPLITS = ('train', 'val', 'test')


def photograph_of(dataset: str, stem: str) -> str:
    """Photograph that an image of a public data set was cut from.

    CFD: blocks of six consecutive numbers, because neighbouring photographs
    show the same road. Crack500: ``<source>_<x>_<y>``. DeepCrack: the part in
    front of the last ``-``; 11216 is the photograph 11158 in another JPEG
    encoding.

    Args:
        dataset: ``'cfd'``, ``'crack500'`` or ``'deepcrack'``.
        stem: Name of the image without suffix.

    Returns:
        Name of the photograph (CFD: of the block).

    Raises:
        ValueError: If the data set is none of the three.
    """
    if dataset == 'cfd':
        return f'block{(int(stem) - 1) // 6:02d}' if stem.isdigit() else stem
    if dataset == 'crack500':
        return re.sub(r'_\d+_\d+$', '', stem)
    if dataset == 'deepcrack':
        photograph = re.sub(r'-\d+$', '', stem)
        return '11158' if photograph == '11216' else photograph
    raise ValueError(
        'dataset must be cfd, crack500 or deepcrack to know its photographs, '
        f'got {dataset!r}'
    )


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Cuts a whole number into parts by largest remainder.

    Args:
        total: Number to cut, >= 0.
        weights: Relative sizes of the parts, each >= 0, not all 0.

    Returns:
        One whole number per weight; their sum is ``total``, and a weight of
        0 gets 0. ``apportion(10, [0.75, 0.125, 0.125])`` is ``[8, 1, 1]``.

    Raises:
        ValueError: If a weight is negative or all are 0.
    """
    if min(weights) < 0 or sum(weights) <= 0:
        raise ValueError(
            f'weights must be >= 0 and not all 0, got {list(weights)}'
        )
    exact = [total * weight / sum(weights) for weight in weights]
    # Rounded first: 0.1 * 30 must not lose its unit to binary fractions.
    parts = [int(round(value, 9)) for value in exact]
    by_remainder = sorted(
        (i for i, weight in enumerate(weights) if weight > 0),
        key=lambda i: (parts[i] - exact[i], i),
    )
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts


def seeded_order(names: Iterable[str], *, seed: int) -> list[str]:
    """Names in an order that depends on the names and the seed alone.

    The order is that of the SHA-256 of seed and name: the same in every
    version of Python and numpy, whatever order the names come in.

    Args:
        names: Distinct names.
        seed: Any whole number.

    Returns:
        The same names, shuffled.
    """
    return sorted(
        names, key=lambda n: hashlib.sha256(f'{seed}:{n}'.encode()).digest()
    )


def split_by_groups(
    groups: Mapping[str, str], *, counts: Mapping[str, int], seed: int
) -> dict[str, list[str]]:
    """Splits images so that no photograph lands in two splits.

    Groups go largest first, in seeded order among equals, to the split that
    still lacks the largest part of its count and has room for the whole
    group; a split of which the group would be more than a fifth gets it only
    when none is left that it would fill less. With enough groups of one image
    the counts are met exactly.

    Args:
        groups: Maps each image's stem to its photograph.
        counts: Wanted number of images per split; their sum is the number
            of images.
        seed: Seed of the order.

    Returns:
        Sorted stems of each split of ``counts``.

    Raises:
        ValueError: If the counts do not add up to the number of images.
    """
    if sum(counts.values()) != len(groups):
        raise ValueError(
            f'counts {dict(counts)} must add up to the {len(groups)} images '
            f'at hand, got {sum(counts.values())}; mend the counts'
        )
    members: dict[str, list[str]] = {}
    for stem, group in groups.items():
        members.setdefault(group, []).append(stem)
    order = seeded_order(members, seed=seed)
    order.sort(key=lambda group: -len(members[group]))
    result: dict[str, list[str]] = {split: [] for split in counts}
    lacking = dict(counts)
    for group in order:
        size = len(members[group])
        fitting = [s for s in counts if lacking[s] >= size]
        # A split that one photograph fills would measure that photograph.
        varied = [s for s in fitting if counts[s] >= 5 * size]
        if varied:
            split = max(varied, key=lambda s: lacking[s] / counts[s])
        elif fitting:
            split = max(fitting, key=lambda s: (counts[s], lacking[s]))
        else:
            split = max(counts, key=lacking.__getitem__)
        result[split] += members[group]
        lacking[split] -= size
    return {split: sorted(stems) for split, stems in result.items()}


def read_split_lists(path: Path) -> dict[str, list[str]]:
    """Reads stored split lists.

    Args:
        path: A folder with ``<split>.txt`` files (the ``splits`` folder of a
            converted data set), or a JSON file ``{"train": ["001", ...]}``.

    Returns:
        Stems of each split that is there.

    Raises:
        FileNotFoundError: If there is no such file, or no list in the folder.
        ValueError: If the JSON is not such a table, or a stem occurs twice.
    """
    path = Path(path)
    if path.is_dir():
        lists = {
            split: (path / f'{split}.txt').read_text('utf-8').split('\n')
            for split in SPLITS
            if (path / f'{split}.txt').is_file()
        }
    elif path.is_file():
        try:
            lists = json.loads(path.read_text('utf-8'))
        except ValueError as error:
            raise ValueError(
                f'split file {path} must be JSON or a folder of <split>.txt '
                f'files, got a file that is no JSON ({error})'
            ) from error
    else:
        raise FileNotFoundError(
            f'split file {path} does not exist; give a JSON file or a folder '
            'of <split>.txt files'
        )
    if not lists and path.is_dir():
        raise FileNotFoundError(
            f'split folder {path} holds none of train.txt, val.txt, test.txt'
        )
    valid = isinstance(lists, dict) and set(lists) <= set(SPLITS)
    if not valid or not all(_are_names(stems) for stems in lists.values()):
        raise ValueError(
            f'split file {path} must map {", ".join(SPLITS)} to lists of '
            f'stems, got {list(lists) if isinstance(lists, dict) else lists}'
        )
    lists = {
        split: [stem.strip() for stem in stems if stem.strip()]
        for split, stems in lists.items()
    }
    every = [stem for stems in lists.values() for stem in stems]
    twice = sorted(s for s, n in Counter(every).items() if n > 1)
    if twice:
        raise ValueError(
            f'split file {path} must name each image once, got {twice[0]!r} '
            'more than once'
        )
    return lists


def _are_names(stems: object) -> bool:
    return isinstance(stems, list) and all(isinstance(s, str) for s in stems)


def assign_splits(
    stems: Iterable[str],
    lists: Mapping[str, Sequence[str]],
    *,
    allow_partial: bool,
) -> tuple[dict[str, str], list[str]]:
    """Applies given split lists to the images at hand.

    Args:
        stems: Images at hand.
        lists: Stems of each split.
        allow_partial: Whether images on no list are left out instead of
            refused.

    Returns:
        The split of each listed stem, and the sorted stems on no list.

    Raises:
        FileNotFoundError: If a list names an image that is not at hand.
        ValueError: If an image is on no list and ``allow_partial`` is False.
    """
    stems = set(stems)
    split_of = {s: split for split, names in lists.items() for s in names}
    missing = sorted(set(split_of) - stems)
    if missing:
        raise FileNotFoundError(
            f'the split lists name {len(missing)} images that are not there '
            f'(first: {missing[0]!r}); give the lists of this data set'
        )
    unlisted = sorted(stems - set(split_of))
    if unlisted and not allow_partial:
        raise ValueError(
            f'the split lists must name every image, got {len(unlisted)} on '
            f'no list (first: {unlisted[0]!r}); list them, or leave them out '
            'with --allow-partial'
        )
    return split_of, unlisted


def check_counts(
    found: Mapping[str, int],
    published: Mapping[str, int],
    *,
    name: str,
    allow_partial: bool,
) -> list[str]:
    """Compares the number of pairs per split with the published one.

    Args:
        found: Pairs at hand per split.
        published: Pairs that the data set's paper or page states.
        name: Data set, for the message.
        allow_partial: Whether other numbers are a warning, not an error.

    Returns:
        No note, or the one warning that scores are not comparable.

    Raises:
        ValueError: If a number differs and ``allow_partial`` is False.
    """
    found = {split: found.get(split, 0) for split in published}
    if found == dict(published):
        return []
    counts = '/'.join(str(found[split]) for split in published)
    wanted = '/'.join(str(number) for number in published.values())
    text = f'{name} must have {wanted} pairs in {"/".join(published)}'
    if not allow_partial:
        raise ValueError(
            f'{text}, got {counts}; complete the download, or convert what '
            'is there with --allow-partial'
        )
    return [
        f'{text}, got {counts}: a part only, scores on it are not '
        'comparable with published ones'
    ]
