"""Pair images and masks by name, and list what has no partner.

Not in the papers. Pure: the standard library only.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class Pair(NamedTuple):
    """An image and its mask: names relative to their folders."""

    stem: str
    image: str
    mask: str


class Pairing(NamedTuple):
    """Result of pairing, each part sorted by stem.

    Attributes:
        pairs (tuple[Pair, ...]): Images with their masks.
        images_without_mask (tuple[str, ...]): Names of images.
        masks_without_image (tuple[str, ...]): Names of masks.
    """

    pairs: tuple[Pair, ...]
    images_without_mask: tuple[str, ...]
    masks_without_image: tuple[str, ...]


def as_suffixes(suffix: str | Iterable[str], *, name: str) -> tuple[str, ...]:
    """Check a suffix or several, such as ``'.jpg'`` or ``'_mask.png'``.

    Args:
        suffix (str | Iterable[str]): What file names may end with.
        name (str): Name of the setting, for messages.

    Returns:
        tuple[str, ...]: Lower-case suffixes, longest first.

    Raises:
        TypeError: If one is no string.
        ValueError: If none is given or one is empty.
    """
    suffixes = (suffix,) if isinstance(suffix, str) else tuple(suffix)
    if not all(isinstance(s, str) for s in suffixes):
        raise TypeError(
            f'{name} must be a string or strings such as ".jpg", got '
            f'{suffix!r}.')
    if not suffixes or not all(suffixes):
        raise ValueError(
            f'{name} must name at least one file ending such as ".jpg" and '
            f'no empty one, got {suffix!r}.')
    return tuple(sorted({s.lower() for s in suffixes}, key=lambda s: (-len(s),
                                                                      s)))


def names_by_stem(
    names: Iterable[str],
    *,
    suffixes: tuple[str, ...],
    kind: str,
    folder: str,
) -> dict[str, str]:
    """Map stems to file names; other files are passed over.

    Args:
        names (Iterable[str]): File names relative to ``folder``.
        suffixes (tuple[str, ...]): Endings that count, letter case aside.
        kind (str): 'image' or 'mask', for messages.
        folder (str): Folder of the files, for messages.

    Returns:
        dict[str, str]: Stem (name less suffix, with ``/``) to name, sorted.

    Raises:
        ValueError: If two files have the same stem.
    """
    found: dict[str, str] = {}
    for name in sorted(names):
        lower = name.lower()
        suffix = next((s for s in suffixes if lower.endswith(s)), None)
        if suffix is None or Path(name).name.startswith('.'):
            continue
        stem = name[:-len(suffix)].replace(os.sep, '/')
        if stem in found:
            raise ValueError(
                f'Two {kind}s in {folder!r} have the stem {stem!r}: '
                f'{found[stem]!r} and {name!r}; remove one, or narrow the '
                f'{kind} suffixes (now {", ".join(suffixes)}).')
        found[stem] = name
    return dict(sorted(found.items()))


def pair_names(
    image_names: Iterable[str],
    mask_names: Iterable[str],
    *,
    image_suffixes: str | Iterable[str],
    mask_suffixes: str | Iterable[str],
    image_folder: str = 'images',
    mask_folder: str = 'masks',
) -> Pairing:
    """Pair file names by stem.

    When both folders are one, a file belongs to the kind whose matching
    suffix is longer (``x.png`` and ``x_mask.png``).

    Args:
        image_names (Iterable[str]): Names relative to ``image_folder``.
        mask_names (Iterable[str]): Names relative to ``mask_folder``.
        image_suffixes (str | Iterable[str]): Endings of images.
        mask_suffixes (str | Iterable[str]): Endings of masks.
        image_folder (str): For messages.
        mask_folder (str): For messages.

    Returns:
        Pairing: Pairs and what has no partner.

    Raises:
        ValueError: If two images or two masks share a stem, or one folder
            holds both kinds under the same suffix.
    """
    image_suffixes = as_suffixes(image_suffixes, name='image suffix')
    mask_suffixes = as_suffixes(mask_suffixes, name='mask suffix')
    image_names, mask_names = list(image_names), list(mask_names)
    if os.path.abspath(image_folder) == os.path.abspath(mask_folder):
        shared = sorted(set(image_suffixes) & set(mask_suffixes))
        if shared:
            raise ValueError(
                f'Images and masks both lie in {image_folder!r} and both may '
                f'end with {", ".join(shared)}: give each its own suffixes, '
                'such as img_suffix=".jpg", seg_map_suffix=".png".')
        image_names, mask_names = _part(
            image_names, mask_names, image_suffixes, mask_suffixes)
    images = names_by_stem(
        image_names, suffixes=image_suffixes, kind='image',
        folder=image_folder)
    masks = names_by_stem(
        mask_names, suffixes=mask_suffixes, kind='mask', folder=mask_folder)
    return Pairing(
        pairs=tuple(
            Pair(s, images[s], masks[s]) for s in images if s in masks),
        images_without_mask=tuple(
            images[s] for s in images if s not in masks),
        masks_without_image=tuple(
            masks[s] for s in masks if s not in images))


def _part(
    image_names: list[str],
    mask_names: list[str],
    image_suffixes: tuple[str, ...],
    mask_suffixes: tuple[str, ...],
) -> tuple[list[str], list[str]]:
    """Give each name of one folder to the kind with the longer suffix."""

    def length(name: str, suffixes: tuple[str, ...]) -> int:
        return max((len(s) for s in suffixes if name.lower().endswith(s)),
                   default=0)

    images = [n for n in image_names
              if length(n, image_suffixes) >= length(n, mask_suffixes)]
    masks = [n for n in mask_names
             if length(n, mask_suffixes) > length(n, image_suffixes)]
    return images, masks


def pair_folders(
    image_folder: str | os.PathLike,
    mask_folder: str | os.PathLike,
    *,
    image_suffixes: str | Iterable[str],
    mask_suffixes: str | Iterable[str],
) -> Pairing:
    """Pair the files of two folders (or of one) by stem, subfolders too.

    Args:
        image_folder (str | os.PathLike): Folder of the images.
        mask_folder (str | os.PathLike): Folder of the masks.
        image_suffixes (str | Iterable[str]): Endings of images.
        mask_suffixes (str | Iterable[str]): Endings of masks.

    Returns:
        Pairing: Names relative to the two folders.

    Raises:
        FileNotFoundError: If a folder does not exist.
        ValueError: See :func:`pair_names`.
    """
    return pair_names(
        _files(image_folder, 'image'),
        _files(mask_folder, 'mask'),
        image_suffixes=image_suffixes,
        mask_suffixes=mask_suffixes,
        image_folder=os.fspath(image_folder),
        mask_folder=os.fspath(mask_folder))


def _files(folder: str | os.PathLike, kind: str) -> list[str]:
    """Names of all files below a folder, relative to it."""
    root = Path(folder)
    if not root.is_dir():
        raise FileNotFoundError(
            f'There is no {kind} folder {os.fspath(folder)!r}: check the '
            'path.')
    return [
        p.relative_to(root).as_posix() for p in root.rglob('*') if p.is_file()
    ]
