"""What is written about one photograph."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmcrack.inference.files import atomic, write_json
from mmcrack.inference.inferencer import Prediction, empty_map
from mmcrack.inference.polygons import find_regions, to_coco, to_geojson
from mmcrack.inference.tiff import write_tiff
from mmcrack.visualization.drawing import (
    CRACK,
    paint,
    reduce_max,
    reduce_picture,
    reduction_factor,
)

_BAND = 512  # rows of a photograph that are drawn at once


class Wanted(NamedTuple):
    """Which files are wanted.

    Attributes:
        mask (bool): ``masks/NAME.png``, 0 and 255.
        probability (str | None): 'uint8' (``probabilities/NAME.png``, 255
            is 1) or 'float16' (``.npy``).
        variance (bool): ``variances/NAME.npy``, float16, where the network
            predicts one.
        overlay (bool): ``overlays/NAME.jpg``.
        polygons (bool): ``polygons/NAME.geojson``, and ``coco.json`` of
            the run.
        overlay_edge (int): Longest edge of an overlay, in pixels.
    """

    mask: bool = True
    probability: str | None = None
    variance: bool = False
    overlay: bool = False
    polygons: bool = False
    overlay_edge: int = 2048


class PhotographHook(Protocol):
    """Something more to do with each prediction, such as measuring.

    Attributes:
        name (str): Under which its result stands in the record.
    """

    name: str

    def __call__(self, prediction: Prediction, path: Path, name: str,
                 out: Path) -> dict[str, Any]:
        """Return plain values for the record; may write files.

        Args:
            prediction (Prediction): Mask, probability, pixels.
            path (Path): The photograph's file.
            name (str): Of its results, without an ending.
            out (Path): The output folder. Files are written with
                ``mmcrack.inference.files.atomic``.

        Returns:
            dict[str, Any]: Numbers and texts become columns of
            ``summary.csv``; lists and dicts stand in the record alone.
        """


class RunHook(Protocol):
    """Something more to do when all is done, such as a report."""

    def __call__(self, out: Path, records: list[dict]) -> None:
        """Look at the records, in the order of the inputs.

        Args:
            out (Path): The output folder.
            records (list[dict]): What ``records/NAME.json`` hold.
        """


def write_outputs(prediction: Prediction, name: str, out: Path,
                  wanted: Wanted) -> tuple[dict[str, str], dict[str, Any]]:
    """Write the files of one photograph.

    Maps of a photograph with GeoTIFF keys are TIFF with the same keys; so
    are those of a photograph that was too large for memory.

    Args:
        prediction (Prediction): What was found.
        name (str): Of the files, without an ending.
        out (Path): The folder.
        wanted (Wanted): Which files.

    Returns:
        tuple[dict, dict]: Files by kind, below ``out``; and figures:
        ``width``, ``height``, ``crack_pixels``, ``crack_share_percent``,
        with polygons ``regions``.

    Raises:
        OutputError: If the disk is full or cannot be written to.
    """
    geo = prediction.photograph.geo
    tiff = geo is not None or prediction.photograph.streamed
    files: dict[str, str] = {}

    def save(kind: str, folder: str, raster: NDArray, ending: str) -> None:
        ending = '.tif' if tiff else ending
        path = out / folder / f'{name}{ending}'
        with atomic(path) as file:
            if tiff:
                write_tiff(file, raster, geo)
            elif ending == '.png':
                Image.fromarray(raster).save(file, 'PNG')
            else:
                np.save(file, raster)
        files[kind] = path.relative_to(out).as_posix()

    if wanted.mask:
        save('mask', 'masks', _mapped(
            prediction.mask, lambda m: m.astype(np.uint8) * 255, out),
             '.png')
    if wanted.probability == 'uint8':
        save('probability', 'probabilities', _mapped(
            prediction.probability, _to_uint8, out), '.png')
    elif wanted.probability == 'float16':
        save('probability', 'probabilities', prediction.probability, '.npy')
    if wanted.variance and prediction.variance is not None:
        save('variance', 'variances', prediction.variance, '.npy')
    if wanted.overlay:
        path = out / 'overlays' / f'{name}.jpg'
        picture = overlay(prediction, max_long_edge=wanted.overlay_edge)
        with atomic(path) as file:
            Image.fromarray(picture).save(file, 'JPEG', quality=90)
        files['overlay'] = path.relative_to(out).as_posix()
    height, width = prediction.size
    cracks = int(np.count_nonzero(prediction.mask))
    figures = dict(width=width, height=height, crack_pixels=cracks,
                   crack_share_percent=round(
                       100 * cracks / (width * height), 6))
    if wanted.polygons:
        figures['regions'] = _write_polygons(prediction, name, out, files)
    return files, figures


def _write_polygons(prediction: Prediction, name: str, out: Path,
                    files: dict[str, str]) -> int:
    """Write GeoJSON, and what ``coco.json`` is later made of."""
    regions = find_regions(prediction.mask)
    path = out / 'polygons' / f'{name}.geojson'
    write_json(path, to_geojson(regions, prediction.photograph.geo))
    files['polygons'] = path.relative_to(out).as_posix()
    path = out / 'annotations' / f'{name}.json'
    write_json(path, to_coco(regions, prediction.mask))
    files['annotations'] = path.relative_to(out).as_posix()
    return len(regions)


def _to_uint8(prob: NDArray) -> NDArray[np.uint8]:
    return np.round(prob.astype(np.float32) * 255).astype(np.uint8)


def _mapped(raster: NDArray, change: Callable[[NDArray], NDArray],
            folder: Path) -> NDArray[np.uint8]:
    """Change a map band by band, so that no copy in float is made."""
    on_disk = isinstance(raster, np.memmap)
    result = empty_map(raster.shape, np.uint8, folder if on_disk else None)
    for top in range(0, len(raster), _BAND):
        result[top:top + _BAND] = change(raster[top:top + _BAND])
    return result


def overlay(prediction: Prediction, *, max_long_edge: int,
            opacity: float = .6) -> NDArray[np.uint8]:
    """Draw cracks on the photograph, reduced so that thin ones stay.

    Args:
        prediction (Prediction): What was found.
        max_long_edge (int): Of the picture, in pixels.
        opacity (float): Of the cracks' colour.

    Returns:
        array: uint8, (h, w, 3), RGB.
    """
    height = prediction.size[0]
    factor = reduction_factor(prediction.size, max_long_edge)
    step = -(-_BAND // factor) * factor
    parts = []
    for top in range(0, height, step):
        bottom = min(top + step, height)
        picture = reduce_picture(
            np.ascontiguousarray(prediction.photograph.rows(top, bottom)),
            factor)
        mask = reduce_max(prediction.mask[top:bottom], factor)
        parts.append(paint(picture, mask, CRACK, opacity=opacity))
    return np.concatenate(parts)
