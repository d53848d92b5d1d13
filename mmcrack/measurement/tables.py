"""Measurements as CSV, JSON and GeoJSON.

Not in the papers.
"""

import csv
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mmcrack.measurement.records import CrackMeasurements


def write_csv(path: str | os.PathLike,
              rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows; the columns are those of all rows, in order.

    Args:
        path (str | os.PathLike): File; its folder is made if needed.
        rows (Iterable[Mapping]): What is None becomes an empty cell.

    Raises:
        OSError: If it cannot be written.
    """
    rows = list(rows)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def write_json(path: str | os.PathLike, value: Any) -> None:
    """Write JSON that any reader takes (no NaN)."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, allow_nan=False) + '\n',
                    encoding='utf-8')


def to_json(measurements: CrackMeasurements) -> dict[str, Any]:
    """Return a picture's cracks and branches for JSON.

    Args:
        measurements (CrackMeasurements): Of one picture.

    Returns:
        dict: ``width``, ``height`` (pixels), ``mm_per_px``,
        ``edges_from`` (probability or mask), ``cracks`` and ``branches``
        (rows), and with a scale ``length_mm_by_class``.
    """
    height, width = measurements.size
    result = {
        'width': width, 'height': height, 'mm_per_px': measurements.scale,
        'edges_from':
            'probability' if measurements.from_probability else 'mask',
        'cracks': measurements.rows(), 'branches': measurements.branch_rows()}
    if measurements.scale is not None:
        result['length_mm_by_class'] = {
            name: round(length, 4) for name, length in
            measurements.length_by_class().items()}
    return result


def to_geojson(measurements: CrackMeasurements) -> dict[str, Any]:
    """Return the centrelines as GeoJSON, one feature per crack.

    Args:
        measurements (CrackMeasurements): Of one picture.

    Returns:
        dict: A feature collection of MultiLineStrings. Coordinates are
        (x, y) in pixels, y downwards; properties are the rows.
    """
    features = [{
        'type': 'Feature', 'properties': row,
        'geometry': {
            'type': 'MultiLineString',
            'coordinates': [branch.points.round(2).tolist()
                            for branch in crack.branches]}}
        for crack, row in zip(measurements.cracks, measurements.rows(),
                              strict=True)]
    return {'type': 'FeatureCollection', 'features': features}
