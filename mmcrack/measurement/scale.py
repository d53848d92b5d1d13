"""How many millimetres a pixel is.

Not in the papers. All of it holds for a plane surface seen straight on: a
tilted camera sees another scale at each place.
"""

import csv
import math
import os
from pathlib import Path

from PIL import ExifTags, Image

_MM_PER_UNIT = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
# Diagonal of the 36 x 24 mm film that "35 mm equivalent" speaks of.
_FILM_DIAGONAL = math.hypot(36.0, 24.0)


def check_scale(mm_per_px: float, *, name: str = 'mm_per_px') -> float:
    """Return a ground sampling distance, or raise.

    Args:
        mm_per_px (float): Millimetres on the surface per pixel.
        name (str): For the message.

    Returns:
        float: The same.

    Raises:
        ValueError: Unless it is a positive number.
    """
    try:
        value = float(mm_per_px)
    except (TypeError, ValueError):
        value = math.nan
    if not 0 < value < math.inf:
        raise ValueError(
            f'{name} must be a positive number, got {mm_per_px!r}.')
    return value


def scale_from_camera(*, distance_mm: float, focal_mm: float,
                      sensor_width_mm: float, width_px: int) -> float:
    """Ground sampling distance of a pinhole camera.

    ``mm_per_px = distance * sensor_width / (focal * width_px)``.

    Args:
        distance_mm (float): From the lens to the surface.
        focal_mm (float): Focal length, not the 35 mm equivalent.
        sensor_width_mm (float): Of the sensor's longer side.
        width_px (int): Of the photograph's longer side, uncropped.

    Returns:
        float: Millimetres per pixel.

    Raises:
        ValueError: Unless all are positive.

    Example:
        >>> scale_from_camera(distance_mm=2000, focal_mm=50,
        ...                   sensor_width_mm=36, width_px=7360)
        0.1956...
    """
    given = {'distance_mm': distance_mm, 'focal_mm': focal_mm,
             'sensor_width_mm': sensor_width_mm, 'width_px': width_px}
    d, f, s, w = (check_scale(v, name=k) for k, v in given.items())
    return d * s / (f * w)


def scale_from_exif(path: str | os.PathLike, *,
                    distance_mm: float | None = None) -> float | None:
    """Ground sampling distance from what the camera wrote into a file.

    The size of a pixel comes from the resolution of the focal plane, or
    from the 35 mm equivalent of the focal length.

    Args:
        path (str | os.PathLike): A photograph as the camera wrote it; not
            resized or cropped.
        distance_mm (float | None): Distance to the surface; None takes the
            file's own subject distance, which few cameras know.

    Returns:
        float | None: Millimetres per pixel; None where the file does not
        say enough.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    with Image.open(path) as picture:
        size = picture.size
        tags = picture.getexif().get_ifd(ExifTags.IFD.Exif)

    def number(tag):
        try:
            value = float(tags.get(tag, math.nan))
        except (TypeError, ValueError, ZeroDivisionError):
            return None
        return value if 0 < value < math.inf else None

    base = ExifTags.Base
    if distance_mm is None and number(base.SubjectDistance):
        distance_mm = 1000 * number(base.SubjectDistance)
    if distance_mm is None:
        return None
    focal, resolution = number(base.FocalLength), number(
        base.FocalPlaneXResolution)
    unit = _MM_PER_UNIT.get(tags.get(base.FocalPlaneResolutionUnit, 2))
    if focal and resolution and unit:
        pixel = unit / resolution
        return check_scale(distance_mm, name='distance_mm') * pixel / focal
    film = number(base.FocalLengthIn35mmFilm)
    if film:
        return check_scale(distance_mm, name='distance_mm') * (
            _FILM_DIAGONAL / film / math.hypot(*size))
    return None


_CAMERA = ('distance_mm', 'focal_mm', 'sensor_width_mm')


def read_scales(path: str | os.PathLike
                ) -> dict[str, dict[str, float]]:
    """Read a table of scales, one row per picture.

    Args:
        path (str | os.PathLike): CSV with a column ``image`` (file name or
            stem) and either ``mm_per_px`` or ``distance_mm``, ``focal_mm``
            and ``sensor_width_mm``; an empty cell is not given.

    Returns:
        dict: From the stem to the row's numbers.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a column is missing, a cell is no positive number or
            a picture stands there twice.
    """
    scales: dict[str, dict[str, float]] = {}
    with open(path, newline='', encoding='utf-8-sig') as file:
        reader = csv.DictReader(file)
        columns = set(reader.fieldnames or ())
        if 'image' not in columns or not (
                'mm_per_px' in columns or columns >= set(_CAMERA)):
            raise ValueError(
                f'{os.fspath(path)} must have the columns image and '
                f'mm_per_px, or image, {", ".join(_CAMERA)}; it has '
                f'{sorted(columns)}.')
        for line, row in enumerate(reader, 2):
            name = Path(row['image'] or '').stem
            numbers = {
                key: check_scale(row[key], name=f'{os.fspath(path)}, line '
                                 f'{line}: {key}')
                for key in ('mm_per_px', *_CAMERA) if row.get(key)}
            whole = 'mm_per_px' in numbers or set(numbers) >= set(_CAMERA)
            if not name or name in scales or not whole:
                why = 'stands there twice' if name in scales else (
                    'lacks a name or a number')
                raise ValueError(
                    f'{os.fspath(path)}, line {line}: {name!r} {why}.')
            scales[name] = numbers
    return scales


def scale_from_row(row: dict[str, float], *, width_px: int) -> float:
    """Ground sampling distance from a row of :func:`read_scales`.

    Args:
        row (dict): Of one picture.
        width_px (int): Of the picture's longer side.

    Returns:
        float: Millimetres per pixel.
    """
    if 'mm_per_px' in row:
        return row['mm_per_px']
    return scale_from_camera(
        width_px=width_px, **{key: row[key] for key in _CAMERA})
