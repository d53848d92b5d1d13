"""Random fields that depend on a position only, never on drawing order.

Not in the papers. Rows come in chunks, and each chunk has its own generator
seeded by (scene, field's name, chunk): any band of rows can be drawn alone.
"""

import zlib

import cv2
import numpy as np

_CHUNK = 64
# Positions may be negative (margins); seeds may not.
_OFFSET = 1 << 20
_CUBIC = -0.75


def cubic_weights(fraction: np.ndarray) -> np.ndarray:
    """Weights of the four neighbours in cubic convolution (a = -0.75).

    The kernel is the one of OpenCV's INTER_CUBIC.

    Args:
        fraction (np.ndarray): Float, (N,), position between the second and
            the third neighbour, in [0, 1).

    Returns:
        np.ndarray: Float32, (N, 4); each row sums to 1.
    """
    x = np.stack([fraction + 1, fraction, 1 - fraction, 2 - fraction], 1)
    near = ((_CUBIC + 2) * x - (_CUBIC + 3)) * x * x + 1
    far = ((_CUBIC * x - 5 * _CUBIC) * x + 8 * _CUBIC) * x - 4 * _CUBIC
    return np.where(x <= 1, near, far).astype(np.float32)


class Noise:
    """Seeded random fields over the columns ``left ... left + width - 1``.

    Args:
        seed (int): Seed of the scene, >= 0.
        left (int): First column, may be negative.
        width (int): Number of columns.
    """

    def __init__(self, seed: int, *, left: int, width: int):
        self.seed = seed
        self.left = left
        self.width = width

    def generator(self, name: str, *index: int) -> np.random.Generator:
        """Generator that belongs to a name and a position."""
        key = [self.seed, zlib.crc32(name.encode())]
        return np.random.default_rng(key + [i + _OFFSET for i in index])

    def _normal_rows(self, name, top, rows, columns):
        """Rows ``top ... top + rows - 1`` of standard normal numbers."""
        first, last = top // _CHUNK, (top + rows - 1) // _CHUNK
        parts = []
        for chunk in range(first, last + 1):
            rng = self.generator(name, chunk)
            parts.append(
                rng.standard_normal((_CHUNK, columns), dtype=np.float32))
        block = parts[0] if len(parts) == 1 else np.concatenate(parts)
        start = top - first * _CHUNK
        return block[start:start + rows]

    def white(self, name: str, *, top: int, rows: int) -> np.ndarray:
        """White noise.

        Args:
            name (str): Name of the field.
            top (int): First row, may be negative.
            rows (int): Number of rows.

        Returns:
            np.ndarray: Float32, (rows, width), standard normal.
        """
        return self._normal_rows(name, top, rows, self.width)

    def smooth(self, name: str, *, spacing: tuple[float, float], top: int,
               rows: int) -> np.ndarray:
        """Lattice noise: normal numbers every few pixels, cubic between.

        Args:
            name (str): Name of the field.
            spacing (tuple[float, float]): Distance of the lattice's rows and
                columns in pixels, each at least 1.
            top (int): First row, may be negative.
            rows (int): Number of rows.

        Returns:
            np.ndarray: Float32, (rows, width), mean 0, standard deviation
            about 0.75.
        """
        step_y = max(1.0, float(spacing[0]))
        step_x = max(1, round(spacing[1]))
        columns = -(-self.width // step_x) + 5
        at = (np.arange(rows) + top) / step_y
        base = np.floor(at).astype(np.int64)
        first = int(base[0]) - 1
        nodes = self._normal_rows(name, first, int(base[-1]) + 3 - first,
                                  columns)
        weights = cubic_weights(at - base)
        lines = np.zeros((rows, columns), np.float32)
        for k in range(4):
            lines += weights[:, k, None] * nodes[base - first - 1 + k]
        return self._spread(lines, step_x)

    def _spread(self, lines, step):
        """Interpolate along the columns."""
        columns = lines.shape[1]
        if columns > 24 or step < 16:
            wide = cv2.resize(
                lines, (columns * step, len(lines)),
                interpolation=cv2.INTER_CUBIC)
            return wide[:, 2 * step:2 * step + self.width]
        at = (np.arange(self.width) + 0.5) / step + 1.5
        base = np.floor(at).astype(np.int64)
        weights = cubic_weights(at - base)
        # Not a matrix product: its threads cost more than they give, and
        # its rounding differs from machine to machine.
        wide = np.zeros((len(lines), self.width), np.float32)
        for k in range(4):
            wide += weights[:, k] * lines[:, base - 1 + k]
        return wide

    def fractal(self, name: str, *, spacings: tuple[float, ...],
                weights: tuple[float, ...], top: int,
                rows: int) -> np.ndarray:
        """Weighted sum of lattice noises, scaled to unit variance.

        Args:
            name (str): Name of the field.
            spacings (tuple[float, ...]): Lattice spacings in pixels.
            weights (tuple[float, ...]): One weight for each.
            top (int): First row, may be negative.
            rows (int): Number of rows.

        Returns:
            np.ndarray: Float32, (rows, width), standard deviation about 1.
        """
        total = np.zeros((rows, self.width), np.float32)
        norm = 0.75 * float(np.sqrt(np.sum(np.square(weights))))
        for number, (spacing, weight) in enumerate(
                zip(spacings, weights, strict=True)):
            part = self.smooth(
                f'{name}/{number}', spacing=(spacing, spacing), top=top,
                rows=rows)
            total += np.float32(weight / norm) * part
        return total
