"""Images beside annotation files: find the format, the files, the pairs.

Not in the papers.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mmcrack.datasets.annotations import AnnotatedImage, labels_of
from mmcrack.datasets.coco import read_coco
from mmcrack.datasets.conversion import IMAGE_SUFFIXES
from mmcrack.datasets.cvat import read_cvat
from mmcrack.datasets.labelme import read_labelme
from mmcrack.datasets.pairing import names_by_stem

FORMATS = ('coco', 'labelme', 'cvat')


def format_of(path: Path) -> str:
    """Finds the format of annotations by what is there.

    Args:
        path: A file, or a folder of labelme files.

    Returns:
        One of :data:`FORMATS`.

    Raises:
        FileNotFoundError: If there is nothing.
        ValueError: If it is none of the three.
    """
    if path.is_dir():
        return 'labelme'
    if not path.is_file():
        raise FileNotFoundError(
            f'there are no annotations {path}; give a JSON or XML file, or a '
            'folder of labelme files'
        )
    if path.suffix.lower() == '.xml':
        return 'cvat'
    try:
        content = json.loads(path.read_text('utf-8'))
    except ValueError as error:
        raise ValueError(
            f'{path} must be JSON of COCO or labelme, or XML of CVAT, got a '
            f'file that is neither ({error}); export it again'
        ) from error
    keys = set(content) if isinstance(content, dict) else set()
    if 'shapes' in keys:
        return 'labelme'
    if 'annotations' in keys:
        return 'coco'
    raise ValueError(
        f'{path} must hold annotations (COCO) or shapes (labelme), got '
        f'{sorted(keys)[:6]}; export it again'
    )


def read_annotations(path: Path) -> tuple[list[AnnotatedImage], str]:
    """Reads annotations of any of the three formats.

    Args:
        path: A file, or a folder with labelme files in it or below it.

    Returns:
        The annotated images, and the format.

    Raises:
        FileNotFoundError: If there is nothing.
        ValueError: If a file cannot be read.
    """
    path = Path(path)
    kind = format_of(path)
    if kind == 'coco':
        return read_coco(path), kind
    if kind == 'cvat':
        return read_cvat(path), kind
    files = sorted(path.rglob('*.json')) if path.is_dir() else [path]
    if not files:
        raise FileNotFoundError(
            f'the folder {path} must hold the JSON files of labelme, got '
            'none; give the file of a COCO or CVAT export itself'
        )
    return [read_labelme(file) for file in files], kind


def match_images(
    annotated: Iterable[AnnotatedImage], folder: Path
) -> tuple[dict[str, AnnotatedImage], list[str], list[str]]:
    """Finds the file of each annotated image.

    Args:
        annotated: What was annotated.
        folder: Folder of the images, with folders below it or not.

    Returns:
        Annotations by file name below the folder; names of annotations
        without a file; names of files without annotations.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If two annotations are of one file, or a name fits
            several files.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f'there is no folder of images {folder}')
    files = names_by_stem(
        (p.relative_to(folder).as_posix() for p in folder.rglob('*')
         if p.is_file()),
        suffixes=IMAGE_SUFFIXES + ('.webp',),
        kind='image',
        folder=str(folder),
    ).values()
    by_name: dict[str, list[str]] = {}
    for file in files:
        by_name.setdefault(file.split('/')[-1], []).append(file)
    known = set(files)
    found: dict[str, AnnotatedImage] = {}
    missing = []
    for image in annotated:
        same = [image.name] if image.name in known else by_name.get(
            image.name.split('/')[-1], [])
        if not same:
            missing.append(image.name)
            continue
        if len(same) > 1:
            raise ValueError(
                f'{image.source}: {image.name} must be one image in '
                f'{folder}, got {same[0]} and {same[1]}; give the folder of '
                'the images that were annotated'
            )
        if same[0] in found:
            raise ValueError(
                f'{same[0]} must be annotated once, got {image.source} and '
                f'{found[same[0]].source}; merge them, or remove one'
            )
        found[same[0]] = image
    return found, missing, sorted(known - set(found))


def check_labels(
    annotated: Mapping[str, AnnotatedImage],
    *,
    crack_labels: Sequence[str],
    ignore_labels: Sequence[str],
) -> list[str]:
    """Compares the labels of a file with those that were asked for.

    Args:
        annotated: Annotated images.
        crack_labels: Labels of cracks.
        ignore_labels: Labels of what has no label in the mask.

    Returns:
        No note, or one about labels that become background.

    Raises:
        ValueError: If a label asked for does not occur, or is both.
    """
    counts = labels_of(annotated.values())
    there = {label.casefold() for label in counts}
    crack = {label.casefold() for label in crack_labels}
    ignored = {label.casefold() for label in ignore_labels}
    if crack & ignored:
        raise ValueError(
            f'a label is a crack or ignored, got both for '
            f'{", ".join(sorted(crack & ignored))}; name it once'
        )
    shown = ', '.join(f'{k!r} ({n})' for k, n in counts.items()) or 'none'
    if not crack & there or not ignored <= there:
        strange = sorted((ignored - there) or crack)
        raise ValueError(
            f'no shape is labelled {" or ".join(map(repr, strange))}; the '
            f'labels are {shown}: name yours with --crack-label and '
            '--ignore-label'
        )
    other = {k: n for k, n in counts.items()
             if k.casefold() not in crack | ignored}
    if not other:
        return []
    return [
        'background, because no option names their label: '
        + ', '.join(f'{n} shapes {k!r}' for k, n in other.items())
    ]
