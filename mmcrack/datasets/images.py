"""Read photographs of any kind as 8-bit RGB, or say which file is bad.

Not in the papers. Pure: numpy and Pillow only. One reader serves images and
masks (:mod:`mmcrack.datasets.masks`), so EXIF orientation turns both alike.
"""

import io
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, ImageOps

_SIXTEEN_BIT_MODES = ('I;16', 'I;16L', 'I;16B', 'I;16N', 'I')
_SETTINGS_LOCK = threading.RLock()


class UnreadableImageError(ValueError):
    """A file that exists but cannot be decoded as an image."""


@contextmanager
def _strict_at_any_size() -> Iterator[None]:
    """Set Pillow's two global switches, and put them back.

    A 16K x 16K photograph is no attack here, so there is no limit of size;
    a truncated file is an error, even if another library asked for grey.
    """
    with _SETTINGS_LOCK:
        before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
        Image.MAX_IMAGE_PIXELS = None
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before[0]
            ImageFile.LOAD_TRUNCATED_IMAGES = before[1]


def open_upright(
    path: str | os.PathLike,
    *,
    data: bytes | None,
    kind: str,
) -> tuple[Image.Image, str]:
    """Decode a file whole and turn it as its EXIF orientation says.

    Of a file with several frames or pages the first one counts. A JPEG whose
    data end too early is refused (Pillow's strict reading; a missing end
    marker alone is not an error).

    Args:
        path (str | os.PathLike): The file; only its name is used when
            ``data`` is given.
        data (bytes | None): Its content, when it does not lie on this
            machine's file system.
        kind (str): What it should be, for messages: 'image' or 'mask'.

    Returns:
        tuple[PIL.Image.Image, str]: The decoded, upright picture in its own
        mode, and the name of its file format, such as ``'JPEG'``.

    Raises:
        FileNotFoundError: If there is no such file.
        UnreadableImageError: If it is empty, truncated, or no image.
    """
    if data is None:
        try:
            data = Path(path).read_bytes()
        except FileNotFoundError:
            raise FileNotFoundError(
                f'There is no {kind} {os.fspath(path)!r}: check the path, or '
                'prepare the data set anew.') from None
        except OSError as error:
            raise UnreadableImageError(
                f'The {kind} {os.fspath(path)!r} cannot be opened '
                f'({error.strerror or error}): it must be a readable '
                'file.') from error
    if not data:
        raise UnreadableImageError(
            f'The {kind} {os.fspath(path)!r} is an empty file (0 bytes): '
            'copy it again or remove it.')
    try:
        with _strict_at_any_size(), warnings.catch_warnings():
            warnings.simplefilter('ignore')
            picture = Image.open(io.BytesIO(data))
            file_format = picture.format or ''
            picture.load()
            ImageOps.exif_transpose(picture, in_place=True)
    except Exception as error:
        # Pillow's plugins raise OSError, SyntaxError, ValueError,
        # struct.error, zlib.error, ...: each means a file that is broken.
        reason = 'not an image, or a format that Pillow lacks' if isinstance(
            error, Image.UnidentifiedImageError) else str(error).rstrip('.')
        raise UnreadableImageError(
            f'The {kind} {os.fspath(path)!r} cannot be decoded ({reason}): '
            'copy it again or remove it.') from error
    return picture, file_format


def read_image(
    path: str | os.PathLike,
    *,
    data: bytes | None = None,
) -> np.ndarray:
    """Read a photograph as 8-bit RGB, upright.

    Greyscale is repeated over the three channels; of 16 bits per channel the
    high byte is kept (``value // 256``, a fixed rule, so two images of one
    camera stay comparable); an alpha channel is dropped; palettes and CMYK
    are converted by Pillow; EXIF orientation is applied.

    Args:
        path (str | os.PathLike): File of any format that Pillow reads.
        data (bytes | None): Content of the file, when a storage backend
            fetched it; ``path`` then only names it in messages.

    Returns:
        np.ndarray: (H, W, 3) uint8, RGB, C-contiguous and writable.

    Raises:
        FileNotFoundError: If there is no such file.
        UnreadableImageError: If it is empty, truncated, no image, or has
            pixels that are neither 8 nor 16 bit integers.
    """
    picture, _ = open_upright(path, data=data, kind='image')
    if picture.mode in _SIXTEEN_BIT_MODES:
        grey = np.asarray(picture)
        if grey.size and (grey.min() < 0 or grey.max() > 65535):
            raise UnreadableImageError(
                f'The image {os.fspath(path)!r} has integer pixels from '
                f'{grey.min()} to {grey.max()}, wanted 8 or 16 bit (at most '
                '65535): save it with 8 bits per channel.')
        grey = (grey // 256).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if picture.mode == 'F':
        raise UnreadableImageError(
            f'The image {os.fspath(path)!r} has floating-point pixels, whose '
            'range is unknown: save it with 8 or 16 bits per channel.')
    if picture.mode == 'L':
        return np.repeat(np.asarray(picture)[:, :, None], 3, axis=2)
    if picture.mode != 'RGB':
        picture = picture.convert('RGB')
    return np.array(picture)


def stored_size(path: str | os.PathLike) -> tuple[int, int] | None:
    """Read how large a picture is, without decoding it.

    Args:
        path (str | os.PathLike): Any file.

    Returns:
        tuple[int, int] | None: (H, W) as stored, before EXIF orientation;
        None for what is no picture, which :func:`read_image` explains.
    """
    try:
        with _strict_at_any_size(), warnings.catch_warnings():
            warnings.simplefilter('ignore')
            with Image.open(path) as picture:
                return picture.height, picture.width
    except Exception:
        # As when decoding, plugins raise errors of every kind.
        return None
