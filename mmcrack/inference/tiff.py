"""TIFF read piece by piece, and written with the keys of GeoTIFF."""

from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmcrack.inference.photographs import (
    ArrayPhotograph,
    Photograph,
    UnreadableImageError,
    check_size,
    read_whole,
    to_rgb8,
)

# ModelPixelScale, ModelTiepoint, ModelTransformation, GeoKeyDirectory,
# GeoDoubleParams, GeoAsciiParams (GeoTIFF 1.1, 7.1).
_SCALE, _TIEPOINT, _MATRIX, _KEYS = 33550, 33922, 34264, 34735
GEO_TAGS = (_SCALE, _TIEPOINT, _MATRIX, _KEYS, 34736, 34737)
_PROJECTED_KEY, _GEOGRAPHIC_KEY = 3072, 2048
_ORIENTATION = 274
_TURNS = {
    2: lambda x: x[:, ::-1], 3: lambda x: x[::-1, ::-1], 4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1), 6: lambda x: np.rot90(x, -1),
    7: lambda x: np.rot90(x, 2).swapaxes(0, 1), 8: lambda x: np.rot90(x),
}


def _tifffile() -> ModuleType:
    """Import tifffile, or say what to install."""
    try:
        import tifffile
    except ImportError as error:
        raise ImportError(
            'TIFF needs tifffile and imagecodecs: pip install '
            '"mmcrack[inference]".') from error
    return tifffile


class TiffPhotograph:
    """The first page of a TIFF, of which only the wanted rows are decoded.

    8 and 16 bits (the high byte counts), grey, RGB, palette, CMYK, with more
    channels (the first three count), in tiles or strips. Uncompressed files
    are mapped into memory. The pieces of the last rows are kept, as tiles
    of a network overlap.

    Args:
        path (Path): The file.
        max_megapixels (float): Largest tile or strip of the file.

    Raises:
        ImportError: If tifffile is not installed.
        UnreadableImageError: If the file is damaged or of a kind that
            cannot be read.
    """

    def __init__(self, path: Path, *, max_megapixels: float) -> None:
        tifffile = _tifffile()
        self.path = path
        self._file = None
        self._kept: dict[int, Any] = {}
        try:
            self._file = tifffile.TiffFile(path)
            self._page = page = self._file.pages[0]
            self.size = int(page.imagelength), int(page.imagewidth)
            self.geo = geo_tags(page)
            turn = page.tags.get(_ORIENTATION)
            self.orientation = int(turn.value) if turn is not None else 1
            self._plan()
        except Exception as error:
            # A damaged directory raises errors of every kind.
            self.close()
            raise self._unreadable(error) from error
        self.max_megapixels = max_megapixels
        self.streamed = np.prod(self.size) / 1e6 > max_megapixels
        try:
            self._check(max_megapixels)
        except UnreadableImageError:
            self.close()
            raise

    def _plan(self) -> None:
        """Find out how the file is cut into pieces."""
        page = self._page
        height, width = self.size
        self._piece = (
            int(page.tilelength) if page.is_tiled else min(
                height, int(page.rowsperstrip)),
            int(page.tilewidth) if page.is_tiled else width)
        self._across = -(-width // self._piece[1])
        self._down = -(-height // self._piece[0])
        self._planes = page.samplesperpixel if page.planarconfig == 2 else 1
        self._mapped = None
        if page.is_memmappable and self._planes == 1:
            # Like page.asarray, but nothing is read yet.
            kind = np.dtype(self._file.byteorder + page.dtype.char)
            self._mapped = self._file.filehandle.memmap_array(
                kind, (height, width, page.samplesperpixel),
                page.dataoffsets[0])

    def _check(self, limit: float) -> None:
        page = self._page
        if page.imagedepth != 1 or page.dtype is None or \
                page.dtype.kind not in 'ub' or page.dtype.itemsize > 2:
            raise UnreadableImageError(
                f'The image {str(self.path)!r} has pixels of type '
                f'{page.dtype}: save it with 8 or 16 bits per channel.')
        if self._mapped is None:
            check_size(self.path, self._piece, limit)

    def _unreadable(self, error: BaseException) -> UnreadableImageError:
        text = str(error).rstrip('.') or type(error).__name__
        if 'imagecodecs' in text:
            text += '; pip install "mmcrack[inference]"'
        return UnreadableImageError(
            f'The image {str(self.path)!r} cannot be decoded ({text}): copy '
            'it again or remove it.')

    def rows(self, top: int, bottom: int) -> NDArray[np.uint8]:
        """Return rows ``top`` to ``bottom``, (rows, W, 3), RGB.

        Raises:
            UnreadableImageError: If a piece is damaged.
        """
        try:
            if self._mapped is not None:
                raw = np.asarray(self._mapped[top:bottom])
            else:
                raw = self._assemble(top, bottom)
            return self._rgb(raw)
        except MemoryError:
            raise
        except Exception as error:
            # Each codec raises errors of its own.
            raise self._unreadable(error) from error

    def _assemble(self, top: int, bottom: int) -> NDArray:
        """Decode the pieces that hold some rows, (rows, W, samples)."""
        page, (length, width) = self._page, self._piece
        raw = np.zeros((bottom - top, self.size[1], page.samplesperpixel),
                       page.dtype)
        wanted = {}
        for row in range(top // length, -(-bottom // length)):
            for column in range(self._across):
                for plane in range(self._planes):
                    index = (plane * self._down + row) * self._across + column
                    piece = self._decode(index)
                    wanted[index] = piece
                    if piece is None:
                        continue  # not stored: zero
                    first = row * length
                    a, b = max(top, first), min(bottom,
                                                first + piece.shape[0])
                    left = column * width
                    part = raw[a - top:b - top, left:left + piece.shape[1]]
                    if self._planes > 1:
                        part = part[..., plane:plane + 1]
                    part[:] = piece[a - first:b - first, :part.shape[1]]
        self._kept = wanted
        return raw

    def _decode(self, index: int) -> NDArray | None:
        """Return piece ``index``, (h, w, samples)."""
        if index in self._kept:
            return self._kept[index]
        page, more = self._page, {}
        if page.compression in (6, 7, 34892, 33007):
            more = dict(jpegtables=page.jpegtables,
                        jpegheader=page.jpegheader)
        pieces = self._file.filehandle.read_segments(
            [page.dataoffsets[index]], [page.databytecounts[index]],
            indices=[index])
        (data, _), = pieces
        if data is not None and len(data) < page.databytecounts[index]:
            raise ValueError('the file is cut short')
        piece = page.decode(data, index, **more)[0]
        return None if piece is None else piece[0]

    def _rgb(self, raw: NDArray) -> NDArray[np.uint8]:
        """Apply what the file says about colours."""
        name = self._page.photometric.name
        if name == 'PALETTE':
            colors = (np.asarray(self._page.colormap) >> 8).astype(np.uint8)
            return np.ascontiguousarray(colors[:, raw[..., 0]].transpose(
                1, 2, 0))
        if name == 'SEPARATED' and raw.shape[2] >= 4:
            inks = raw[..., :4]
            if inks.dtype == np.uint16:
                inks = (inks >> 8).astype(np.uint8)
            picture = Image.frombytes(
                'CMYK', inks.shape[1::-1], inks.tobytes())
            return np.asarray(picture.convert('RGB'))
        if name == 'MINISWHITE':
            raw = ~raw
        return to_rgb8(raw, f'The image {str(self.path)!r}')

    def close(self) -> None:
        """Let go of the file."""
        self._kept, self._mapped = {}, None
        if self._file is not None:
            self._file.close()


def upright(photograph: TiffPhotograph) -> Photograph:
    """Turn a TIFF as its orientation says; most need not be turned.

    Args:
        photograph (TiffPhotograph): Closed if it has to be turned.

    Returns:
        Photograph: The same, or turned and in memory.

    Raises:
        UnreadableImageError: If it would have to be turned but is too
            large for that.
    """
    turn = _TURNS.get(photograph.orientation)
    if turn is None:
        return photograph
    try:
        check_size(photograph.path, photograph.size,
                   photograph.max_megapixels)
        return ArrayPhotograph(read_whole(photograph, turn))
    finally:
        photograph.close()


def geo_tags(page: Any) -> list | None:
    """Return the GeoTIFF tags of a page, as tifffile writes them.

    Args:
        page (tifffile.TiffPage): The page.

    Returns:
        list | None: Tuples (code, type, count, value, True); None if it
        has none.
    """
    found = [page.tags[code] for code in GEO_TAGS if code in page.tags]
    return [(t.code, int(t.dtype), t.count, t.value, True)
            for t in found] or None


def pixel_to_world(geo: list | None) -> NDArray[np.float64] | None:
    """Return the matrix from pixels to coordinates of the map.

    Args:
        geo (list, optional): From :func:`geo_tags`.

    Returns:
        array | None: float64, (2, 3), for (x, y, 1) in pixels, where (0, 0)
        is the outer corner of the first pixel.
    """
    values = {tag[0]: tag[3] for tag in geo or ()}
    shift = .5 if _is_point(values) else 0.
    if _MATRIX in values:
        full = np.reshape(values[_MATRIX], (4, 4))
        matrix = full[:2][:, [0, 1, 3]].astype(np.float64)
    elif _SCALE in values and _TIEPOINT in values:
        sx, sy = values[_SCALE][:2]
        column, row, _, x, y, _ = values[_TIEPOINT][:6]
        matrix = np.array([[sx, 0, x - column * sx],
                           [0, -sy, y + row * sy]], np.float64)
    else:
        return None
    matrix[:, 2] -= shift * matrix[:, :2].sum(1)
    return matrix


def _geo_keys(values: dict) -> dict[int, int]:
    """Return the keys of the directory that hold plain numbers."""
    table = np.reshape(values.get(_KEYS, ()), (-1, 4))[1:]
    return {int(key): int(value) for key, place, _, value in table
            if place == 0}


def _is_point(values: dict) -> bool:
    """Whether coordinates are those of pixel centres (RasterPixelIsPoint)."""
    return _geo_keys(values).get(1025) == 2


def epsg_code(geo: list | None) -> int | None:
    """Return the number of the coordinate system in EPSG's list.

    Args:
        geo (list, optional): From :func:`geo_tags`.

    Returns:
        int | None: Of the projected, else of the geographic system.
    """
    keys = _geo_keys({tag[0]: tag[3] for tag in geo or ()})
    for key in (_PROJECTED_KEY, _GEOGRAPHIC_KEY):
        if 0 < keys.get(key, 0) < 32767:
            return keys[key]
    return None


def write_tiff(file: BinaryIO, raster: NDArray,
               geo: list | None = None) -> None:
    """Write a map as a compressed TIFF in strips.

    Args:
        file (BinaryIO): Open for writing, seekable.
        raster (array): (H, W), uint8 or float.
        geo (list, optional): From :func:`geo_tags`.

    Raises:
        ImportError: If tifffile is not installed.
    """
    _tifffile().imwrite(
        file, raster, compression='zlib', rowsperstrip=64, metadata=None,
        photometric='minisblack', software=False, extratags=geo or (),
        bigtiff=raster.nbytes > 2**31)
