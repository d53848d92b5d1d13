"""Direction of a crack.

Not in the papers.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def orientation(lines: Sequence[NDArray[np.floating]]
                ) -> tuple[float, float]:
    """Mean direction of lines, each piece weighted by its length.

    Directions have no sign, so their doubled angles are averaged:
    ``2 a = atan2(sum l sin 2a_i, sum l cos 2a_i)``.

    Args:
        lines (Sequence[np.ndarray]): Float, (K_i, 2), (x, y) in pixels.

    Returns:
        tuple[float, float]: The angle in degrees, [0, 180): 0 is
        horizontal, 90 vertical, 45 rises to the right in the picture; and
        how much the pieces agree, 0 (all directions) to 1 (one direction).
        NaN and 0 without any length.
    """
    steps = [np.diff(line, axis=0) for line in lines if len(line) > 1]
    if not steps:
        return float('nan'), 0.0
    x, y = np.concatenate(steps).T
    length = np.hypot(x, y)
    # Rows count downwards, angles upwards.
    angle = 2 * np.arctan2(-y, x)
    cosine = float(np.sum(length * np.cos(angle)))
    sine = float(np.sum(length * np.sin(angle)))
    total = float(length.sum())
    if not total:
        return float('nan'), 0.0
    degrees = float(np.degrees(np.arctan2(sine, cosine)) / 2 % 180)
    # -1e-17 % 180 is 180.
    return degrees % 180, float(np.hypot(cosine, sine) / total)
