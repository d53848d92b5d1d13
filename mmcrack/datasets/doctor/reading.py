"""Decoding a pair as well as one can (6, 7 and 9)."""

from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from mmcrack.datasets.conversion import exif_orientation
from mmcrack.datasets.doctor.alignment import align
from mmcrack.datasets.doctor.encoding import Encoding, read_encoding
from mmcrack.datasets.doctor.sources import Item
from mmcrack.datasets.images import open_upright, read_image

# What turning upright does for each EXIF orientation.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Reading(NamedTuple):
    """A pair as decoded.

    Attributes:
        pixels: uint8 (H, W, 3), upright; None if unreadable or missing.
        orientation: EXIF orientation of the image, 1 to 8.
        encoding: How the mask is stored; None if unreadable or missing.
        label: uint8 (h, w) of 0, 1 and 255, in the image's orientation;
            None where nobody can tell.
        as_stored: Whether the mask was drawn on the pixels before EXIF
            turned them; ``label`` is turned then.
        errors: What cannot be read, a sentence each.
    """

    pixels: np.ndarray | None
    orientation: int
    encoding: Encoding | None
    label: np.ndarray | None
    as_stored: bool
    errors: tuple[str, ...]


def read_pair(item: Item) -> Reading:
    """Decodes a pair; nothing here raises for a bad file.

    Args:
        item: The pair.

    Returns:
        What could be read.
    """
    pixels, orientation, errors = None, 1, []
    if item.image is not None:
        try:
            pixels = read_image(item.image)
            orientation = exif_orientation(item.image)
        except (ValueError, OSError) as error:
            errors.append(str(error))
    encoding = label = None
    if item.mask is not None:
        try:
            picture, file_format = open_upright(
                item.mask, data=None, kind='mask')
            encoding, label = read_encoding(
                picture, file_format, ignore_value=item.rule.ignore_value,
                name=str(item.mask))
        except (ValueError, OSError) as error:
            errors.append(str(error))
    as_stored = False
    if pixels is not None and label is not None and orientation in _UPRIGHT:
        upright = turn_upright(label, orientation)
        as_stored = _fits_as_stored(pixels, label, upright)
        label = upright if as_stored else label
    return Reading(pixels, orientation, encoding, label, as_stored,
                   tuple(errors))


def turn_upright(label: np.ndarray, orientation: int) -> np.ndarray:
    """Turns a label drawn on the pixels as stored.

    Args:
        label: uint8 (h, w).
        orientation: EXIF orientation of the image, 1 to 8.

    Returns:
        uint8, in the orientation of the upright image.
    """
    if orientation not in _UPRIGHT:
        return label
    picture = Image.fromarray(label)
    return np.array(picture.transpose(_UPRIGHT[orientation]))


def grey_of(pixels: np.ndarray) -> np.ndarray:
    """Returns the luminance of an image.

    Args:
        pixels: uint8 (H, W, 3), RGB.

    Returns:
        uint8 (H, W).
    """
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)


def _fits_as_stored(
    pixels: np.ndarray, label: np.ndarray, upright: np.ndarray
) -> bool:
    """By size; where both fit, by the darkness below."""
    size = pixels.shape[:2]
    if label.shape != size or upright.shape != size:
        return upright.shape == size and label.shape != size
    grey = grey_of(pixels)
    here, there = align(grey, label == 1), align(grey, upright == 1)
    if here is None or there is None:
        return False
    return there.here > 0.5 and there.here > 2 * here.here
