"""labelme JSON: one file for each image.

Not in the papers. See :mod:`mmcrack.datasets.annotations` for what it
becomes. labelme itself paints the border of a polygon as well, half a pixel
more on each side; here a pixel counts when its centre is inside.
"""

import base64
import binascii
import json
from pathlib import Path

import numpy as np

from mmcrack.datasets.annotations import (
    AnnotatedImage,
    Shape,
    as_points,
    plain,
)
from mmcrack.datasets.images import open_upright

_LINES = 'line', 'linestrip'
# Of the files' own version numbers the first that knows masks.
_VERSION = '5.3.0'


def read_labelme(path: Path) -> AnnotatedImage:
    """Reads what labelme saved for an image.

    Args:
        path: JSON with ``shapes`` and ``imagePath``.

    Returns:
        The image; its name is that of the file, without folders, because
        labelme writes a path from where it was started.

    Raises:
        ValueError: If it is no such file.
    """
    try:
        content = json.loads(Path(path).read_text('utf-8'))
        name = str(content['imagePath']).replace('\\', '/').split('/')[-1]
        entries = [(str(s['label']), s) for s in content['shapes']]
        height, width = (
            content.get(key) for key in ('imageHeight', 'imageWidth')
        )
        size = (int(height), int(width)) if height and width else None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f'{path} must be a labelme file with shapes and imagePath, got '
            f'one without ({type(error).__name__}: {error}); save it again'
        ) from error
    shapes = tuple(
        _shape(label, entry, where=f'{path}: shape {number}')
        for number, (label, entry) in enumerate(entries, 1)
    )
    return AnnotatedImage(
        name=name, size=size, shapes=shapes, source=str(path)
    )


def _shape(label: str, entry: dict, *, where: str) -> Shape:
    kind = entry.get('shape_type') or 'polygon'
    values = entry.get('points')
    if kind == 'polygon':
        points = as_points(values, where=where, least=3)
        return Shape(label=label, kind=kind, points=points)
    if kind in _LINES:
        points = as_points(values, where=where, least=2)
        return Shape(label=label, kind='line', points=points)
    if kind == 'rectangle':
        (x0, y0), (x1, y1) = as_points(values, where=where, least=2)[[0, -1]]
        points = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
        if len(values) == 4:
            points = as_points(values, where=where, least=4)
        return Shape(label=label, kind='polygon', points=points)
    if kind == 'mask':
        return _mask(label, entry, where=where)
    return Shape(label=label, kind=kind, points=np.zeros((0, 2)))


def _mask(label: str, entry: dict, *, where: str) -> Shape:
    """A mask: a picture in base 64 between two corner pixels."""
    corners = as_points(entry.get('points'), where=where, least=2)
    low, high = corners[:2].astype(int)
    width, height = high - low + 1
    try:
        data = base64.b64decode(entry['mask'])
    except (KeyError, TypeError, binascii.Error) as error:
        raise ValueError(
            f'{where} must hold a mask in base 64 ({error}); save the file '
            'again'
        ) from error
    picture, _ = open_upright(where, data=data, kind='mask')
    pixels = np.array(picture.convert('L')) > 0
    if pixels.shape != (height, width):
        raise ValueError(
            f'{where} must hold a mask of {width}x{height} between its '
            f'corners, got {pixels.shape[1]}x{pixels.shape[0]}; save the '
            'file again'
        )
    return Shape(
        label=label, kind='mask', points=low[None].astype(float),
        pixels=pixels,
    )


def labelme_text(image: AnnotatedImage, *, image_path: str) -> str:
    """Writes polygons as labelme JSON.

    Args:
        image: With its size; every shape a polygon.
        image_path: Of the image, from the folder of the JSON file.

    Returns:
        Content of the file.
    """
    content = {
        'version': _VERSION,
        'flags': {},
        'shapes': [
            {
                'label': shape.label,
                'points': [[plain(x), plain(y)] for x, y in shape.points],
                'group_id': None,
                'description': '',
                'shape_type': 'polygon',
                'flags': {},
            }
            for shape in image.shapes
        ],
        'imagePath': image_path,
        'imageData': None,
        'imageHeight': image.size[0],
        'imageWidth': image.size[1],
    }
    return json.dumps(content, ensure_ascii=False) + '\n'
