"""CVAT XML ("CVAT for images 1.1"): polygons, polylines, boxes, masks.

Not in the papers. One file for many images; see
:mod:`mmcrack.datasets.annotations` for what it becomes.
"""

from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from mmcrack.datasets.annotations import (
    AnnotatedImage,
    Shape,
    as_points,
    labels_of,
    plain,
)
from mmcrack.datasets.rle import decode_runs

_NO_SHAPE = 'tag', 'attribute'


def read_cvat(path: Path) -> list[AnnotatedImage]:
    """Reads an export of CVAT for images.

    Args:
        path: XML with ``<image>`` elements.

    Returns:
        Its images in their order.

    Raises:
        ValueError: If it is no such file, or one of a video.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise ValueError(
            f'{path} must be an XML file of CVAT, got one that cannot be '
            f'read ({error}); export it again'
        ) from error
    if root.tag != 'annotations' or root.find('track') is not None:
        raise ValueError(
            f'{path} must be an export as "CVAT for images 1.1", got '
            + ('tracks of a video' if root.tag == 'annotations'
               else f'<{root.tag}>')
            + '; export it again in that format'
        )
    images = []
    for element in root.iter('image'):
        try:
            name = element.attrib['name'].replace('\\', '/')
            size = int(element.attrib['height']), int(element.attrib['width'])
        except (KeyError, ValueError) as error:
            raise ValueError(
                f'{path}: each image must have name, width and height, got '
                f'{element.attrib}; export the file again'
            ) from error
        shapes = tuple(
            _shape(child, where=f'{path}: {name}')
            for child in element
            if child.tag not in _NO_SHAPE
        )
        images.append(
            AnnotatedImage(
                name=name, size=size, shapes=shapes, source=str(path)
            )
        )
    return images


def _shape(element: ElementTree.Element, *, where: str) -> Shape:
    values, label = element.attrib, element.get('label', '')
    where = f'{where}: a {element.tag} labelled {label!r}'
    if element.tag in ('polygon', 'polyline'):
        line = element.tag == 'polyline'
        pairs = [
            pair.split(',') for pair in values.get('points', '').split(';')
        ]
        points = as_points(pairs, where=where, least=2 if line else 3)
        kind = 'line' if line else 'polygon'
        return Shape(label=label, kind=kind, points=points)
    if element.tag == 'mask':
        return _mask(values, label, where=where)
    if element.tag == 'box':
        sides = [values.get(key) for key in ('xtl', 'ytl', 'xbr', 'ybr')]
        (x0, y0), (x1, y1) = as_points(sides, where=where, least=2)
        points = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
        if float(values.get('rotation', 0)):
            return Shape(label=label, kind='turned box', points=points)
        return Shape(label=label, kind='polygon', points=points)
    return Shape(label=label, kind=element.tag, points=np.zeros((0, 2)))


def _mask(values: dict, label: str, *, where: str) -> Shape:
    """A mask: run lengths by row in a box."""
    try:
        left, top, width, height = (
            int(values[key]) for key in ('left', 'top', 'width', 'height')
        )
        runs = [int(run) for run in values['rle'].split(',')]
        pixels = decode_runs(runs, (height, width), by_column=False)
    except (KeyError, ValueError) as error:
        raise ValueError(
            f'{where} must hold left, top, width, height and run lengths '
            f'({error}); export the file again'
        ) from error
    return Shape(
        label=label, kind='mask', points=np.array([[left, top]], float),
        pixels=pixels,
    )


def cvat_text(images: Iterable[AnnotatedImage]) -> str:
    """Writes polygons as XML that CVAT takes as "CVAT 1.1".

    Args:
        images: With their sizes; every shape a polygon.

    Returns:
        Content of the file.
    """
    images = list(images)
    root = ElementTree.Element('annotations')
    ElementTree.SubElement(root, 'version').text = '1.1'
    task = ElementTree.SubElement(
        ElementTree.SubElement(root, 'meta'), 'task'
    )
    ElementTree.SubElement(task, 'size').text = str(len(images))
    ElementTree.SubElement(task, 'mode').text = 'annotation'
    labels = ElementTree.SubElement(task, 'labels')
    for label in labels_of(images):
        entry = ElementTree.SubElement(labels, 'label')
        ElementTree.SubElement(entry, 'name').text = label
    for number, image in enumerate(images):
        element = ElementTree.SubElement(
            root, 'image', id=str(number), name=image.name,
            width=str(image.size[1]), height=str(image.size[0]),
        )
        for shape in image.shapes:
            ElementTree.SubElement(
                element, 'polygon', label=shape.label, source='manual',
                occluded='0', z_order='0',
                points=';'.join(
                    f'{plain(x)},{plain(y)}' for x, y in shape.points
                ),
            )
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding='unicode')
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'
