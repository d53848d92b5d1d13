"""Read a data set that a converter wrote."""

import json
from pathlib import Path

from mmcrack.datasets.conversion import (
    FORMAT,
    IMAGE_SUFFIXES,
    MANIFEST,
    Sample,
    mask_reader,
)
from mmcrack.datasets.pairing import pair_folders
from mmcrack.datasets.splits import SPLITS


def read_manifest(root: Path) -> dict:
    """Reads the manifest of a converted data set.

    Args:
        root: Folder that :func:`convert` wrote.

    Returns:
        The manifest: ``dataset``, ``settings``, ``counts``, ``sizes``,
        ``notes``, ``left_out`` and ``images``, one record per pair.

    Raises:
        FileNotFoundError: If the folder has no manifest.
        ValueError: If the manifest is unreadable or of another format.
    """
    path = Path(root) / MANIFEST
    if not path.is_file():
        raise FileNotFoundError(
            f'{root} has no {MANIFEST}; convert the data set with '
            'tools/dataset_converters first'
        )
    try:
        manifest = json.loads(path.read_text('utf-8'))
        version = manifest['format']
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f'{path} must be a manifest, got unreadable text ({error}); '
            'convert the data set again'
        ) from error
    if version != FORMAT:
        raise ValueError(
            f'{path} must be of format {FORMAT}, got {version!r}; convert '
            'the data set again'
        )
    return manifest


def read_pairs(root: Path) -> list[Sample]:
    """Lists the pairs of a prepared folder, each with its split.

    Args:
        root: Folder that :func:`convert` wrote, or any folder with
            ``images/<split>`` and ``masks/<split>``; there the group is the
            stem.

    Returns:
        The pairs in the order of split and stem.

    Raises:
        FileNotFoundError: If the folder or a file of its manifest is missing.
        ValueError: If an image has no mask, or none is there.
    """
    root = Path(root)
    if not (root / 'images').is_dir():
        raise FileNotFoundError(
            f'{root} must be a converted data set, but has no folder '
            'images/; convert the data set first'
        )
    if (root / MANIFEST).is_file():
        rows = [
            (r['stem'], r['split'], r['group'], r['image'], r['mask'])
            for r in read_manifest(root)['images']
        ]
        ignore_value = 255
    else:
        rows = _rows_of_folders(root)
        ignore_value = None
    for *_, image, mask in rows:
        for name in (image, mask):
            if not (root / name).is_file():
                raise FileNotFoundError(
                    f'{root / name} is not there; convert the data set again'
                )
    return [
        Sample(
            stem=stem,
            split=split,
            group=group,
            source_id=image,
            image=root / image,
            read_mask=mask_reader(root / mask, ignore_value=ignore_value),
        )
        for stem, split, group, image, mask in rows
    ]


def _rows_of_folders(root: Path) -> list[tuple[str, str, str, str, str]]:
    rows = []
    for split in SPLITS:
        images, masks = f'images/{split}', f'masks/{split}'
        if not (root / images).is_dir():
            continue
        pairing = pair_folders(
            root / images,
            root / masks,
            image_suffixes=IMAGE_SUFFIXES,
            mask_suffixes='.png',
        )
        if pairing.images_without_mask:
            raise ValueError(
                f'{root / images / pairing.images_without_mask[0]} has no '
                f'mask in {root / masks}; add it or remove the image'
            )
        rows += [
            (p.stem, split, p.stem, f'{images}/{p.image}', f'{masks}/{p.mask}')
            for p in pairing.pairs
        ]
    if not rows:
        raise ValueError(
            f'{root}/images must hold train, val or test with images, got '
            'none; convert the data set first'
        )
    return rows
