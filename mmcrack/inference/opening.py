"""Opening a file as a photograph, whatever its kind."""

import os
from pathlib import Path

from mmcrack.datasets.images import read_image, stored_size
from mmcrack.inference.photographs import (
    ArrayPhotograph,
    Photograph,
    check_size,
)
from mmcrack.inference.tiff import TiffPhotograph, upright

_TIFF_STARTS = (b'II*\0', b'MM\0*', b'II+\0', b'MM\0+')


def open_photograph(path: str | os.PathLike, *,
                    max_megapixels: float) -> Photograph:
    """Open a photograph of any kind, upright.

    JPEG, PNG and all else that Pillow reads are decoded at once, TIFF piece
    by piece. The header is looked at first: what is too large to be decoded
    at once is refused before any memory is taken.

    Args:
        path (str | PathLike): The file.
        max_megapixels (float): Largest picture that is decoded at once.

    Returns:
        Photograph: To be closed.

    Raises:
        FileNotFoundError: If there is no such file.
        UnreadableImageError: If it is empty, cut short, no picture, too
            large, or of a kind that cannot be read.
    """
    path = Path(path)
    if _starts_as_tiff(path):
        return upright(TiffPhotograph(path, max_megapixels=max_megapixels))
    size = stored_size(path)
    if size is not None:
        check_size(path, size, max_megapixels)
    return ArrayPhotograph(read_image(path))


def _starts_as_tiff(path: Path) -> bool:
    try:
        with path.open('rb') as file:
            return file.read(4) in _TIFF_STARTS
    except OSError:
        return False  # read_image says what is wrong
