"""Image and mask of each stem below a downloaded folder.

Not in the papers. Archives nest folders in themselves and lack files; this
finds the folders and says what is alone.
"""

from collections.abc import Iterable
from pathlib import Path

from mmcrack.datasets.conversion import IMAGE_SUFFIXES
from mmcrack.datasets.pairing import pair_folders

_TEXT = {'image': 'no mask', 'mask': 'no image'}
Names = dict[str, tuple[str, str]]
LeftOut = list[dict[str, str]]


def nested_folder(src: Path, *names: str) -> Path:
    """A folder below the source; archives may nest it in itself.

    Args:
        src: Source folder.
        names: Names that it goes by, the usual one first; each may have
            several parts with ``/`` between them.

    Returns:
        ``src/name``, or ``src/name/<last part of name>`` where that exists,
        for the first name that exists.

    Raises:
        FileNotFoundError: If there is none of them.
    """
    for name in names:
        folder = src / name
        if folder.is_dir():
            inner = folder / folder.name
            return inner if inner.is_dir() else folder
    wanted = ' or '.join(f'{name}/' for name in names)
    raise FileNotFoundError(
        f'{src} must have the folder {wanted}, which is not there; give the '
        'folder that holds it, or unpack the download'
    )


def find_pairs(
    src: Path,
    folders: Iterable[tuple[Path, Path]],
    *,
    allow_partial: bool,
    image_suffixes: str | Iterable[str] = IMAGE_SUFFIXES,
    mask_suffixes: str | Iterable[str] = '.png',
) -> tuple[Names, LeftOut]:
    """Pairs images and masks of one or more pairs of folders by stem.

    Args:
        src: Source folder.
        folders: Folders of images and of masks, below the source. A folder
            may come twice; a file is alone only if it has no partner in any
            pair of folders.
        allow_partial: Whether files without a partner are left out instead
            of refused.
        image_suffixes: Endings of images.
        mask_suffixes: Endings of masks.

    Returns:
        Names of image and mask below the source by stem, and what is left
        out.

    Raises:
        FileNotFoundError: If a file has no partner and may not be left out.
        ValueError: If a stem occurs twice, or nothing pairs.
    """
    names: Names = {}
    alone: dict[str, dict[str, str]] = {'image': {}, 'mask': {}}
    used: set[str] = set()
    for images, masks in folders:
        pairing = pair_folders(
            images,
            masks,
            image_suffixes=image_suffixes,
            mask_suffixes=mask_suffixes,
        )
        for pair in pairing.pairs:
            found = tuple(
                (folder / name).relative_to(src).as_posix()
                for folder, name in ((images, pair.image), (masks, pair.mask))
            )
            if pair.stem in names:
                raise ValueError(
                    f'each image must have a name of its own, got '
                    f'{names[pair.stem][0]} and {found[0]}; remove one'
                )
            names[pair.stem] = found
            used.update(found)
        for kind, folder, unpaired in (
            ('image', images, pairing.images_without_mask),
            ('mask', masks, pairing.masks_without_image),
        ):
            for name in unpaired:
                source = (folder / name).relative_to(src).as_posix()
                alone[kind][source] = _TEXT[kind]
    left_out = _left_out(src, alone, used, allow_partial=allow_partial)
    if not names:
        raise ValueError(
            f'no image has a mask of its name in {src}; check the folders'
        )
    return names, left_out


def _left_out(
    src: Path,
    alone: dict[str, dict[str, str]],
    used: set[str],
    *,
    allow_partial: bool,
) -> LeftOut:
    """Files without a partner anywhere; an error unless a part is allowed."""
    left_out = [
        {'source_id': source, 'reason': reason}
        for kind in alone.values()
        for source, reason in sorted(kind.items())
        if source not in used
    ]
    if left_out and not allow_partial:
        first = left_out[0]
        raise FileNotFoundError(
            f'{src / first["source_id"]} has no partner ({first["reason"]}; '
            f'and {len(left_out) - 1} more); complete the download, or leave '
            'such files out with --allow-partial'
        )
    return left_out
