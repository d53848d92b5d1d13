"""Values of a picture between its pixels.

Not in the papers. Places are (x, y) in pixels; the centre of the pixel in
row r and column c is (c, r), so the frame of an H x W picture is
[-0.5, W - 0.5] x [-0.5, H - 0.5].
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Field:
    """A mask or a probability map as a function of the place.

    Attributes:
        values (np.ndarray): (H, W), uint8 or float.
        unit (float): The value that stands for 1.
    """

    values: NDArray
    unit: float = 1.0

    def sample(self, places: NDArray[np.floating]) -> NDArray[np.float32]:
        """Interpolate linearly between the four pixels around each place.

        Args:
            places (np.ndarray): Float, (..., 2), (x, y). Outside the
                picture the nearest pixel counts.

        Returns:
            np.ndarray: Float32, (...), 0 to 1.
        """
        height, width = self.values.shape
        x = np.clip(places[..., 0], 0, width - 1)
        y = np.clip(places[..., 1], 0, height - 1)
        left = np.minimum(x.astype(np.int64), max(width - 2, 0))
        top = np.minimum(y.astype(np.int64), max(height - 2, 0))
        right = np.minimum(left + 1, width - 1)
        below = np.minimum(top + 1, height - 1)
        across = (x - left).astype(np.float32)
        down = (y - top).astype(np.float32)
        upper = self.at(top, left) * (1 - across) + (
            self.at(top, right) * across)
        lower = self.at(below, left) * (1 - across) + (
            self.at(below, right) * across)
        return upper * (1 - down) + lower * down

    def at(self, rows: NDArray, columns: NDArray) -> NDArray[np.float32]:
        """Return the values of pixels, 0 to 1."""
        values = self.values[rows, columns].astype(np.float32)
        return values if self.unit == 1 else values / np.float32(self.unit)


def frame_distance(places: NDArray[np.floating], shape: tuple[int, int]
                   ) -> NDArray[np.float64]:
    """Distance to the frame of the picture, negative outside.

    Args:
        places (np.ndarray): Float, (..., 2), (x, y) in pixels.
        shape (tuple[int, int]): Height and width.

    Returns:
        np.ndarray: Float64, (...), in pixels.
    """
    x, y = places[..., 0], places[..., 1]
    return np.minimum(
        np.minimum(x + 0.5, shape[1] - 0.5 - x),
        np.minimum(y + 0.5, shape[0] - 0.5 - y))
