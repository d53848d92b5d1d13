"""COCO JSON: polygons, run lengths by column, and packed run lengths.

Not in the papers. One file for many images; see
:mod:`mmcrack.datasets.annotations` for what it becomes.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mmcrack.datasets.annotations import (
    AnnotatedImage,
    Shape,
    as_points,
    labels_of,
    plain,
)
from mmcrack.datasets.rle import decode_runs, unpack_runs


def read_coco(path: Path) -> list[AnnotatedImage]:
    """Reads a COCO file of segmentations.

    Args:
        path: JSON with ``images``, ``annotations`` and ``categories``.

    Returns:
        Its images in their order.

    Raises:
        ValueError: If it is no such file.
    """
    try:
        content = json.loads(Path(path).read_text('utf-8'))
        names = {c['id']: str(c['name']) for c in content['categories']}
        images = {
            image['id']: (
                str(image['file_name']).replace('\\', '/'),
                (int(image['height']), int(image['width'])),
            )
            for image in content['images']
        }
        annotations = list(content['annotations'])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f'{path} must be a COCO file with images, annotations and '
            f'categories, got one without ({type(error).__name__}: {error}); '
            'export it again'
        ) from error
    shapes: dict[object, list[Shape]] = {key: [] for key in images}
    for entry in annotations:
        where = f'{path}: annotation {entry.get("id")}'
        for key, known in (('image_id', images), ('category_id', names)):
            if entry.get(key) not in known:
                raise ValueError(
                    f'{where} must have a known {key}, got '
                    f'{entry.get(key)!r}; export the file again'
                )
        shapes[entry['image_id']] += _shapes(
            entry, names[entry['category_id']], where=where
        )
    return [
        AnnotatedImage(
            name=name, size=size, shapes=tuple(shapes[key]), source=str(path)
        )
        for key, (name, size) in images.items()
    ]


def _shapes(entry: dict, label: str, *, where: str) -> list[Shape]:
    """Shapes of one annotation: its polygons, or its mask."""
    parts = entry.get('segmentation')
    nothing = np.zeros((0, 2))
    if not parts:
        return [Shape(label=label, kind='box', points=nothing)]
    if isinstance(parts, dict):
        try:
            runs, size = parts['counts'], tuple(map(int, parts['size']))
            runs = unpack_runs(runs) if isinstance(runs, str) else runs
            pixels = decode_runs(runs, size, by_column=True)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f'{where} must hold run lengths ({error}); export the file '
                'again'
            ) from error
        return [
            Shape(
                label=label, kind='mask', points=np.zeros((1, 2)),
                pixels=pixels,
            )
        ]
    return [
        Shape(
            label=label,
            kind='polygon',
            points=as_points(part, where=where, least=3),
        )
        for part in parts
    ]


def coco_text(images: Iterable[AnnotatedImage]) -> str:
    """Writes polygons as COCO JSON.

    Args:
        images: With their sizes; every shape a polygon.

    Returns:
        Content of the file.
    """
    images = list(images)
    categories = {
        label: number for number, label in enumerate(labels_of(images), 1)
    }
    annotations = []
    for number, image in enumerate(images, 1):
        for shape in image.shapes:
            x, y = shape.points.T
            low, high = shape.points.min(0), shape.points.max(0)
            area = abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
            annotations.append({
                'id': len(annotations) + 1,
                'image_id': number,
                'category_id': categories[shape.label],
                'segmentation': [[plain(v) for v in shape.points.ravel()]],
                'area': plain(area),
                'bbox': [plain(v) for v in (*low, *(high - low))],
                'iscrowd': 0,
            })
    content = {
        'images': [
            {
                'id': number,
                'file_name': image.name,
                'width': image.size[1],
                'height': image.size[0],
            }
            for number, image in enumerate(images, 1)
        ],
        'annotations': annotations,
        'categories': [
            {'id': number, 'name': label, 'supercategory': ''}
            for label, number in categories.items()
        ],
    }
    return json.dumps(content, ensure_ascii=False) + '\n'
