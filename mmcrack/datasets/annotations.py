"""What COCO, labelme and CVAT files say of an image, and its mask.

Not in the papers. Each format has a reader and a writer of its own
(:mod:`mmcrack.datasets.coco`, ``labelme``, ``cvat``); they meet here.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mmcrack.datasets.masks import IGNORED
from mmcrack.datasets.outlines import fill, stroke


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Something drawn into an image.

    Attributes:
        label: Its class, as written.
        kind: ``'polygon'``, ``'line'``, ``'mask'``, or the format's own word
            for something else.
        points: (N, 2), x and y in pixels, (0, 0) the upper left corner of
            the image; of a mask the (1, 2) corner that it begins at.
        pixels: bool (h, w) of a mask, else None.
    """

    label: str
    kind: str
    points: np.ndarray
    pixels: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True)
class AnnotatedImage:
    """An image and what is drawn into it.

    Attributes:
        name: Its file, ``/`` between folders.
        size: (height, width) in pixels, or None where the file does not say.
        shapes: In the order of the file.
        source: Annotation file, for messages.
    """

    name: str
    size: tuple[int, int] | None
    shapes: tuple[Shape, ...]
    source: str


def as_points(values: object, *, where: str, least: int) -> np.ndarray:
    """Checks a list of coordinates.

    Args:
        values: x, y, x, y, ... or pairs of them.
        where: What they are of, for messages.
        least: Least number of points.

    Returns:
        (N, 2) float64.

    Raises:
        ValueError: If they are no finite numbers in pairs, or too few.
    """
    try:
        points = np.asarray(values, dtype=np.float64).reshape(-1, 2)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f'{where} must have points of two numbers each, got '
            f'{str(values)[:60]!r}; repair the file'
        ) from error
    if len(points) < least or not np.isfinite(points).all():
        raise ValueError(
            f'{where} must have at least {least} points with finite '
            f'coordinates, got {str(values)[:60]!r}; repair the file'
        )
    return points


def labels_of(images: Iterable[AnnotatedImage]) -> dict[str, int]:
    """Counts shapes by label.

    Args:
        images: Annotated images.

    Returns:
        Number of shapes of each label, sorted by label.
    """
    counts: dict[str, int] = {}
    for image in images:
        for shape in image.shapes:
            counts[shape.label] = counts.get(shape.label, 0) + 1
    return dict(sorted(counts.items()))


def draw(
    shape: Shape,
    size: tuple[int, int],
    *,
    line_width: float | None,
    where: str,
) -> tuple[tuple[slice, slice], np.ndarray]:
    """Draws a shape.

    Args:
        shape: What to draw.
        size: (height, width) of the image in pixels.
        line_width: Of lines, in pixels.
        where: What it is of, for messages.

    Returns:
        Rows and columns of a window of the image, and bool (h, w): what the
        shape covers there.

    Raises:
        ValueError: If it is a line and has no width, a kind without area, or
            a mask that leaves the image.
    """
    if shape.kind == 'polygon':
        rows, columns = window = _window(shape.points, size, reach=0)
        inner = rows.stop - rows.start, columns.stop - columns.start
        return window, fill([shape.points - _origin(window)], inner)
    if shape.kind == 'line':
        if line_width is None:
            raise ValueError(
                f'{where} holds a line labelled {shape.label!r}, which has '
                'no width of its own; say how wide a crack is with '
                '--line-width PIXELS'
            )
        rows, columns = window = _window(shape.points, size, reach=line_width)
        inner = rows.stop - rows.start, columns.stop - columns.start
        return window, stroke(
            shape.points - _origin(window), line_width, inner
        )
    if shape.kind != 'mask' or shape.pixels is None:
        raise ValueError(
            f'{where} holds a {shape.kind} labelled {shape.label!r}, wanted '
            'a polygon, a line or a mask; draw it anew, or give it another '
            'label'
        )
    left, top = (int(v) for v in shape.points[0])
    height, width = shape.pixels.shape
    if left < 0 or top < 0 or left + width > size[1] or (
            top + height > size[0]):
        raise ValueError(
            f'{where} holds a mask of {width}x{height} at {left}, {top}, '
            f'which leaves the image of {size[1]}x{size[0]}; repair the file'
        )
    window = slice(top, top + height), slice(left, left + width)
    return window, shape.pixels


def _window(
    points: np.ndarray, size: tuple[int, int], *, reach: float
) -> tuple[slice, slice]:
    """Rows and columns of the image that a shape may cover."""
    low = np.floor(points.min(axis=0) - reach)[::-1]
    high = np.ceil(points.max(axis=0) + reach)[::-1]
    low, high = (np.clip(v, 0, size).astype(int) for v in (low, high))
    return slice(low[0], high[0]), slice(low[1], high[1])


def _origin(window: tuple[slice, slice]) -> np.ndarray:
    """Place at which a window begins, as x and y."""
    return np.array([window[1].start, window[0].start], np.float64)


def render(
    image: AnnotatedImage,
    size: tuple[int, int],
    *,
    crack_labels: Sequence[str],
    ignore_labels: Sequence[str],
    line_width: float | None,
) -> np.ndarray:
    """Makes the mask of an annotated image.

    Args:
        image: What is drawn.
        size: (height, width) of the image file in pixels, upright.
        crack_labels: Labels of cracks, letter case aside.
        ignore_labels: Labels of what has no label in the mask; drawn over a
            crack they win.
        line_width: See :func:`draw`.

    Returns:
        uint8 (height, width): 0 background, 1 crack, 255 ignored.

    Raises:
        ValueError: If the file speaks of another size, or a shape cannot be
            drawn.
    """
    where = f'{image.source}: {image.name}'
    if image.size is not None and tuple(image.size) != tuple(size):
        turned = tuple(image.size) == tuple(size)[::-1]
        raise ValueError(
            f'{where} must be annotated at the size of its image, '
            f'{size[1]}x{size[0]}, got {image.size[1]}x{image.size[0]}; '
            + ('the tool did not turn the photograph as its EXIF mark says'
               if turned else 'give the images that were annotated')
        )
    mask = np.zeros(size, np.uint8)
    for names, value in ((crack_labels, 1), (ignore_labels, IGNORED)):
        wanted = {name.casefold() for name in names}
        for shape in image.shapes:
            if shape.label.casefold() in wanted:
                window, covered = draw(
                    shape, size, line_width=line_width, where=where
                )
                mask[window][covered] = value
    return mask


def polygon_shapes(
    polygons: Iterable[np.ndarray], *, label: str
) -> list[Shape]:
    """Wraps polygons for a writer.

    Args:
        polygons: (N, 2) each.
        label: Of all of them.

    Returns:
        Shapes.
    """
    return [
        Shape(label=label, kind='polygon', points=p) for p in polygons
    ]


def plain(value: float) -> int | float:
    """A coordinate as a file shall show it: 3 instead of 3.0.

    Args:
        value: In pixels; thousandths count.

    Returns:
        The number.
    """
    value = round(float(value), 3)
    return int(value) if math.isclose(value, int(value)) else value
