"""Width, length and direction of cracks, from masks of any software.

Pure: numpy, SciPy, scikit-image, OpenCV and Pillow. Not in the papers; the
definitions stand in ``docs/measurement.md``. Places are (x, y) in pixels,
the centre of the pixel in row r and column c is (c, r).

Example:
    >>> import numpy as np
    >>> mask = np.zeros((40, 60), np.uint8)
    >>> mask[20:23, 10:50] = 1
    >>> crack = measure_cracks(mask).cracks[0]
    >>> round(crack.length), round(crack.widths.mean, 1)
    (40, 3.0)
"""

from mmcrack.measurement.branches import BranchMeasurement
from mmcrack.measurement.classes import class_names
from mmcrack.measurement.comparison import CrackChange, compare_cracks
from mmcrack.measurement.cracks import measure_cracks
from mmcrack.measurement.records import (
    CrackMeasurement,
    CrackMeasurements,
    WidthSummary,
)
from mmcrack.measurement.scale import (
    read_scales,
    scale_from_camera,
    scale_from_exif,
    scale_from_row,
)
from mmcrack.measurement.tables import (
    to_geojson,
    to_json,
    write_csv,
    write_json,
)

__all__ = [
    'BranchMeasurement', 'CrackChange', 'CrackMeasurement',
    'CrackMeasurements', 'WidthSummary', 'class_names', 'compare_cracks',
    'measure_cracks', 'read_scales', 'scale_from_camera', 'scale_from_exif',
    'scale_from_row', 'to_geojson', 'to_json', 'write_csv', 'write_json'
]
