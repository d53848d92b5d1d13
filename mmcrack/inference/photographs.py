"""Photographs as rows of 8-bit RGB, whole or piece by piece."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcrack.datasets.images import UnreadableImageError


class Photograph(Protocol):
    """What the inferencer needs of a photograph.

    Attributes:
        size (tuple[int, int]): (H, W), upright.
        geo (list | None): GeoTIFF tags, see ``mmcrack.inference.tiff``.
        streamed (bool): Whether it was too large to be decoded at once.
    """

    size: tuple[int, int]
    geo: list | None
    streamed: bool

    def rows(self, top: int, bottom: int) -> NDArray[np.uint8]:
        """Return rows ``top`` to ``bottom``, (rows, W, 3), RGB."""

    def close(self) -> None:
        """Let go of the file."""


class ArrayPhotograph:
    """A photograph in memory.

    Args:
        image (array): uint8, (H, W, 3), RGB.
        geo (list, optional): GeoTIFF tags.
    """

    streamed = False

    def __init__(self, image: NDArray[np.uint8],
                 geo: list | None = None) -> None:
        self.image = image
        self.size = image.shape[:2]
        self.geo = geo

    def rows(self, top: int, bottom: int) -> NDArray[np.uint8]:
        """Return rows ``top`` to ``bottom``, (rows, W, 3), RGB."""
        return self.image[top:bottom]

    def close(self) -> None:
        """Do nothing: there is no file."""


def from_array(image: ArrayLike) -> ArrayPhotograph:
    """Take an array as a photograph.

    Args:
        image (array): uint8 or uint16 (its high byte counts, as in files);
            (H, W), (H, W, 1), (H, W, 3) in RGB order, or (H, W, 4).

    Returns:
        ArrayPhotograph: 8-bit RGB.

    Raises:
        TypeError: For another data type.
        ValueError: For another shape.
    """
    return ArrayPhotograph(to_rgb8(np.asarray(image), 'The image'))


def to_rgb8(image: NDArray, name: str) -> NDArray[np.uint8]:
    """Turn samples of 8 or 16 bits into RGB of 8 bits.

    Args:
        image (array): See :func:`from_array`; bool is black and white.
        name (str): For messages.

    Returns:
        array: uint8, (H, W, 3).

    Raises:
        TypeError: For another data type.
        ValueError: For another shape.
    """
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[2] < 1 or not image.size:
        raise ValueError(f'{name} must be (H, W) or (H, W, C) and not empty, '
                         f'got {image.shape}.')
    if image.dtype.newbyteorder('=') == np.uint16:
        image = (image >> 8).astype(np.uint8)
    elif image.dtype == np.bool_:
        image = image.astype(np.uint8) * 255
    elif image.dtype != np.uint8:
        raise TypeError(f'{name} must have 8 or 16 bits per channel, got '
                        f'{image.dtype}.')
    if image.shape[2] < 3:
        return np.repeat(image[..., :1], 3, axis=2)
    return np.ascontiguousarray(image[..., :3])


def check_size(path: Path, size: tuple[int, int], limit: float) -> None:
    """Refuse what would take too much memory at once.

    Args:
        path (Path): For the message.
        size (tuple[int, int]): (H, W) of what has to be decoded at once.
        limit (float): In megapixels.

    Raises:
        UnreadableImageError: If it is larger.
    """
    megapixels = size[0] * size[1] / 1e6
    if megapixels > limit:
        raise UnreadableImageError(
            f'The image {os.fspath(path)!r} has {megapixels:.0f} megapixels '
            f'({size[1]} x {size[0]}), which must be decoded at once, and '
            f'the limit is {limit:g}: save it as a tiled TIFF, which is read '
            'piece by piece, or raise max_megapixels (about 10 bytes of '
            'memory a pixel).')


def read_whole(photograph: Photograph,
               change: Callable[[Any], Any] = np.asarray
               ) -> NDArray[np.uint8]:
    """Return a whole photograph as an array, (H, W, 3), changed."""
    return np.ascontiguousarray(
        change(photograph.rows(0, photograph.size[0])))


__all__ = [
    'ArrayPhotograph', 'Photograph', 'UnreadableImageError', 'check_size',
    'from_array', 'read_whole', 'to_rgb8'
]
