"""Masks to annotation files, so that people can correct them.

Not in the papers. Predictions, or the ambiguous regions that
``tools/analysis/show_ambiguity.py --masks`` writes, become polygons of COCO,
labelme or CVAT; ``tools/dataset_converters/polygons.py`` reads them back.
"""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mmcrack.datasets.annotations import (
    AnnotatedImage,
    polygon_shapes,
    render,
)
from mmcrack.datasets.coco import coco_text
from mmcrack.datasets.conversion import (
    IMAGE_SUFFIXES,
    show_progress,
    upright_size,
)
from mmcrack.datasets.cvat import cvat_text
from mmcrack.datasets.labelme import labelme_text
from mmcrack.datasets.masks import IGNORED, read_mask
from mmcrack.datasets.outlines import mask_polygons
from mmcrack.datasets.pairing import Pair, pair_folders


@dataclass(frozen=True, kw_only=True)
class Outlining:
    """How masks become polygons.

    Attributes:
        tolerance: See :func:`mmcrack.datasets.outlines.mask_polygons`.
        min_iou: See there.
        min_area: See there.
        label: Of what is 1 in a mask.
        ignore_value: Value of a mask without a label, or None.
        ignore_label: Of what has that value; None leaves it out.
    """

    tolerance: float
    min_iou: float
    min_area: int
    label: str
    ignore_value: int | None = None
    ignore_label: str | None = None

    def __post_init__(self) -> None:
        """Checks the numbers."""
        if not self.tolerance >= 0:
            raise ValueError(
                f'--tolerance must be >= 0 pixels, got {self.tolerance}'
            )
        if not 0 <= self.min_iou <= 1:
            raise ValueError(
                f'--min-iou must lie in [0, 1], got {self.min_iou}'
            )
        if self.min_area < 0:
            raise ValueError(
                f'--min-area must be >= 0 pixels, got {self.min_area}'
            )
        if self.ignore_label is not None and self.ignore_value is None:
            raise ValueError(
                '--ignore-label needs --ignore-value: which value of the '
                'masks has no label'
            )


@dataclass
class Fit:
    """How well polygons give back the masks.

    Attributes:
        both: Pixels that are crack in a mask and in its polygons.
        either: Pixels that are crack in one of them.
        ious: IoU of each image, 1 where both are empty.
        polygons: Their number.
        corners: Their number.
    """

    both: int = 0
    either: int = 0
    ious: list[float] = field(default_factory=list)
    polygons: int = 0
    corners: int = 0

    def add(self, image: AnnotatedImage, mask: np.ndarray,
            drawn: np.ndarray) -> None:
        """Counts an image.

        Args:
            image: Its polygons.
            mask: bool (H, W), what they outline.
            drawn: bool (H, W), what they cover.
        """
        both = int(np.count_nonzero(mask & drawn))
        either = int(np.count_nonzero(mask | drawn))
        self.both += both
        self.either += either
        self.ious.append(both / either if either else 1.0)
        self.polygons += len(image.shapes)
        self.corners += sum(len(s.points) for s in image.shapes)

    def text(self) -> str:
        """Says it in one line.

        Returns:
            Numbers of images, polygons and corners, and the IoU.
        """
        pooled = self.both / self.either if self.either else 1.0
        return (
            f'{len(self.ious)} masks, {self.polygons} polygons of '
            f'{self.corners} corners; IoU of what they enclose with the '
            f'masks: {pooled:.4f} in all, {min(self.ious, default=1.0):.4f} '
            'lowest'
        )


def find_masks(
    masks: Path, images: Path, *, mask_suffixes: Sequence[str]
) -> list[Pair]:
    """Finds the image of each mask.

    Args:
        masks: Folder of masks.
        images: Folder of images; those without a mask are passed over.
        mask_suffixes: Endings of masks behind the name of the image.

    Returns:
        Pairs, by stem.

    Raises:
        FileNotFoundError: If a folder is missing.
        ValueError: If a mask has no image, or there is none.
    """
    pairing = pair_folders(
        images,
        masks,
        image_suffixes=IMAGE_SUFFIXES,
        mask_suffixes=mask_suffixes,
    )
    lone = pairing.masks_without_image
    if lone or not pairing.pairs:
        raise ValueError(
            f'each mask in {masks} must have an image of its name in '
            f'{images}, got {len(lone)} without'
            + (f' (first: {lone[0]!r})' if lone else ', and no pair')
            + '; mend the folders or --mask-suffix'
        )
    return list(pairing.pairs)


def outline_image(
    mask: np.ndarray, *, name: str, how: Outlining
) -> AnnotatedImage:
    """Outlines one mask.

    Args:
        mask: uint8 (H, W) of 0, 1 and 255.
        name: Of the image.
        how: Tolerance, labels, ...

    Returns:
        Its polygons.
    """
    options = {
        'tolerance': how.tolerance,
        'min_iou': how.min_iou,
        'min_area': how.min_area,
    }
    shapes = polygon_shapes(
        mask_polygons(mask == 1, **options), label=how.label
    )
    if how.ignore_label is not None:
        shapes += polygon_shapes(
            mask_polygons(mask == IGNORED, **options),
            label=how.ignore_label,
        )
    return AnnotatedImage(
        name=name, size=mask.shape, shapes=tuple(shapes), source=name
    )


def outline_masks(
    masks: Path, images: Path, *, pairs: Sequence[Pair], how: Outlining
) -> tuple[list[AnnotatedImage], Fit]:
    """Outlines masks, and measures how well.

    Args:
        masks: Folder of masks.
        images: Folder of images.
        pairs: Of :func:`find_masks`.
        how: Tolerance, labels, ...

    Returns:
        The polygons of each image, and their fit.

    Raises:
        ValueError: If a mask is unusable or of another size than its image.
    """
    found, fit = [], Fit()
    for done, pair in enumerate(pairs, 1):
        mask = read_mask(
            masks / pair.mask,
            ignore_value=how.ignore_value,
            image_size=upright_size(images / pair.image),
            image_path=images / pair.image,
        )
        name = pair.image.replace(os.sep, '/')
        image = outline_image(mask, name=name, how=how)
        drawn = render(
            image,
            mask.shape,
            crack_labels=[how.label],
            ignore_labels=[],
            line_width=None,
        )
        fit.add(image, mask == 1, drawn == 1)
        found.append(image)
        show_progress(done, len(pairs))
    return found, fit


def write_annotations(
    found: Sequence[AnnotatedImage],
    out: Path,
    *,
    kind: str,
    images: Path,
    overwrite: bool,
) -> None:
    """Writes polygons in one of the three formats.

    Args:
        found: Polygons of each image.
        out: File (COCO, CVAT), or folder (labelme, a file for each image).
        kind: ``'coco'``, ``'labelme'`` or ``'cvat'``.
        images: Folder of the images, which labelme's files point to.
        overwrite: Whether files that are there are replaced.

    Raises:
        ValueError: If one is there and may not be replaced.
    """
    if kind == 'labelme':
        texts = {}
        for image in found:
            path = out / f'{image.name.rpartition(".")[0]}.json'
            where = os.path.relpath(images / image.name, path.parent)
            texts[path] = labelme_text(
                image, image_path=where.replace(os.sep, '/')
            )
    else:
        texts = {out: (coco_text if kind == 'coco' else cvat_text)(found)}
    _write(texts, overwrite=overwrite)


def _write(texts: Mapping[Path, str], *, overwrite: bool) -> None:
    """Writes files, each whole or not at all."""
    there = [path for path in texts if path.exists()]
    if there and (not overwrite or there[0].is_dir()):
        raise ValueError(
            f'{there[0]} is there already; name another place'
            + ('' if there[0].is_dir() else ', or replace it with --overwrite')
        )
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(
            prefix=f'.{path.name}.part', dir=path.parent
        )
        try:
            with os.fdopen(descriptor, 'w', encoding='utf-8',
                           newline='\n') as file:
                file.write(text)
            # Like any new file, not as private as a temporary one.
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(part, 0o666 & ~umask)
            os.replace(part, path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
