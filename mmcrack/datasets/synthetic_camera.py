"""From light to a photograph: lens, motion, sensor, sharpening, JPEG.

Not in the papers.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from mmcrack.datasets.synthetic_style import SceneStyle, even, log_even
from mmcrack.datasets.synthetic_surface import Canvas

# Rows and columns around a pixel that its final value can depend on:
# blur (sigma <= 3), motion (<= 8 px) and sharpening (sigma 1.2).
REACH = 20
# Rows around a band whose colour the JPEG decoder mixes in; a multiple of
# the 16 rows of a coded block.
JPEG_ROWS = 16


@dataclass(frozen=True)
class Camera:
    """One exposure.

    Attributes:
        fall (tuple[float, float]): Brightness difference across the frame,
            along x and y.
        vignette (float): Light lost in the corners.
        blur (float): Standard deviation in pixels.
        motion (tuple[float, float]): Length in pixels, angle in radians.
        sharpening (float): Gain.
        noise (float): Standard deviation at brightness 0.5.
        jpeg_quality (int | None): 1 to 100.
    """

    fall: tuple[float, float]
    vignette: float
    blur: float
    motion: tuple[float, float]
    sharpening: float
    noise: float
    jpeg_quality: int | None

    @classmethod
    def draw(cls, rng: np.random.Generator, *,
             style: SceneStyle) -> 'Camera':
        """Draw an exposure."""
        angle, fall = rng.uniform(0, 2 * math.pi), even(rng, style.light_fall)
        quality = style.jpeg_quality
        return cls(
            fall=(fall * math.cos(angle), fall * math.sin(angle)),
            vignette=even(rng, style.vignette),
            blur=(log_even if style.blur[0] > 0 else even)(rng, style.blur),
            motion=(even(rng, style.motion), rng.uniform(0, math.pi)),
            sharpening=even(rng, style.sharpening),
            noise=even(rng, style.noise),
            jpeg_quality=None if quality is None else int(
                rng.integers(quality[0], quality[1], endpoint=True)))

    def expose(self, canvas: Canvas) -> np.ndarray:
        """Turn the painted light into 8-bit colours.

        Args:
            canvas (Canvas): With ``REACH`` rows and columns of margin.

        Returns:
            np.ndarray: Uint8, (rows - 2 REACH, columns - 2 REACH, 3), RGB,
            not yet compressed.
        """
        x, y = canvas.grid()
        x = (x + 0.5) / canvas.size[1] - 0.5
        y = (y + 0.5) / canvas.size[0] - 0.5
        if self.vignette or any(self.fall):
            canvas.multiply(
                (1 + self.fall[0] * x + self.fall[1] * y)
                * (1 - self.vignette * 2 * (x * x + y * y)))
        rgb = canvas.rgb
        if self.blur > 0.05:
            rgb = cv2.GaussianBlur(rgb, (0, 0), self.blur)
        if self.motion[0] > 0.3:
            rgb = cv2.filter2D(rgb, -1, _motion_kernel(*self.motion))
        if self.noise:
            self._add_noise(rgb, canvas)
        if self.sharpening:
            soft = cv2.GaussianBlur(rgb, (0, 0), 1.2)
            rgb = rgb + np.float32(self.sharpening) * (rgb - soft)
        rgb = rgb[REACH:-REACH, REACH:-REACH]
        return np.clip(np.rint(rgb * 255), 0, 255).astype(np.uint8)

    def _add_noise(self, rgb, canvas):
        """Shot and read noise, coarser in the colours than in the light."""
        window = {'top': canvas.top, 'rows': canvas.rows}
        grey = canvas.noise.white('sensor', **window)
        level = np.sqrt(np.clip(rgb[..., 1], 0.02, 1) / 0.5)
        for channel in range(3):
            own = canvas.noise.white(f'sensor{channel}', **window)
            own = cv2.GaussianBlur(own, (3, 3), 0.8)
            rgb[..., channel] += np.float32(self.noise) * level * (
                0.75 * grey + 1.1 * own)

    def compress(self, rgb: np.ndarray) -> np.ndarray:
        """Code and decode as JPEG with halved colour resolution.

        Args:
            rgb (np.ndarray): Uint8, (rows, columns, 3); the first row must
                be a multiple of 16 in the picture.

        Returns:
            np.ndarray: Uint8, of the same shape.
        """
        if self.jpeg_quality is None:
            return rgb
        _, data = cv2.imencode(
            '.jpg', cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR),
            [cv2.IMWRITE_JPEG_QUALITY, self.jpeg_quality])
        return cv2.cvtColor(
            cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def _motion_kernel(length, angle):
    """Line of the given length, antialiased, normalised."""
    radius = math.ceil(length / 2) + 1
    grid = np.arange(-radius, radius + 1)
    along = grid[None, :] * math.cos(angle) + grid[:, None] * math.sin(angle)
    across = -grid[None, :] * math.sin(angle) + (
        grid[:, None] * math.cos(angle))
    kernel = np.clip(length / 2 + 0.5 - np.abs(along), 0, 1) * np.clip(
        1 - np.abs(across), 0, 1)
    return (kernel / kernel.sum()).astype(np.float32)
