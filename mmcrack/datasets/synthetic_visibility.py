"""How dark a crack must be to be seen on its surface.

Not in the papers. A label that no inspector can see teaches nothing, so the
generator photographs a piece of the bare surface first and measures how
uneven it is at the scale of a crack: a Gaussian about as wide as the crack
less a wider one, both wide enough for the blur of the camera. A crack is
seen when the same filter's answer to it is ``least`` standard deviations of
that unevenness; along tens of pixels that stands out clearly.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from scipy.special import erf

from mmcrack.datasets.synthetic_camera import REACH, Camera
from mmcrack.datasets.synthetic_noise import Noise
from mmcrack.datasets.synthetic_surface import Canvas

_PROBE = 128
_WIDTHS = np.array([0.3, 0.6, 1.0, 1.5, 2.2, 3.2, 4.7, 7.0, 10.0, 15.0, 22.0])
# Spread of light in a pixel of width 1: 1 / sqrt(12).
_PIXEL = 0.29
# On a perfectly even surface the eye still needs some contrast: what counts
# as its standard deviation there.
_EYE = 0.015


class Visibility:
    """Least darkness of a crack, by its width.

    Args:
        layers (Sequence): Layers of the bare surface, with ``apply``.
        camera (Camera): The exposure.
        seed (int): Seed of the scene.
        size (tuple[int, int]): Height and width of the picture.
        light (tuple[float, float]): Unit vector (x, y) towards the light.
        wanted (bool): Whether to measure; otherwise every crack counts as
            seen.

    Attributes:
        brightness (float): Mean brightness of the surface, 0 to 1.
    """

    def __init__(self, layers: Sequence, camera: Camera, *, seed: int,
                 size: tuple[int, int], light: tuple[float, float],
                 wanted: bool):
        self.brightness = 1.0
        self._needed = np.zeros(len(_WIDTHS))
        if not wanted:
            return
        picture = _photograph(layers, camera, seed=seed, size=size,
                              light=light)
        self.brightness = max(float(picture.mean()), 0.02)
        ratio = np.log(np.maximum(picture, 0.02))
        spread = math.sqrt(
            camera.blur**2 + camera.motion[0]**2 / 12 + _PIXEL**2)
        self._needed = np.array(
            [_needed(ratio, w, spread) for w in _WIDTHS])

    def darkness(self, widths: np.ndarray, *, least: float) -> np.ndarray:
        """Least share of light that a crack must take.

        Args:
            widths (np.ndarray): Float, (K,), in pixels.
            least (float): Standard deviations wanted.

        Returns:
            np.ndarray: Float64, (K,), at least 0; above 1 where no crack of
            that width could be seen.
        """
        return least * np.interp(
            np.log(np.maximum(widths, 1e-3)), np.log(_WIDTHS), self._needed)

    def least_width(self, darkest: float, *, least: float) -> float:
        """Smallest width that can be seen at a darkness.

        Args:
            darkest (float): Share of light that a crack takes, 0 to 1.
            least (float): Standard deviations wanted.

        Returns:
            float: In pixels, 0.3 to 22.
        """
        fine = np.geomspace(_WIDTHS[0], _WIDTHS[-1], 200)
        hidden = fine[self.darkness(fine, least=least) > darkest]
        return float(hidden.max()) if len(hidden) else float(_WIDTHS[0])


def _photograph(layers, camera, *, seed, size, light):
    """Brightness of a piece of the surface, float32, 0 to 1."""
    side = _PROBE + 2 * REACH
    canvas = Canvas(
        rgb=np.zeros((side, side, 3), np.float32),
        noise=Noise(seed, left=-REACH, width=side), top=-REACH, size=size,
        light=light)
    for layer in layers:
        layer.apply(canvas)
    picture = camera.compress(camera.expose(canvas))
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(
        np.float32) / 255


def _needed(ratio, width, spread):
    """Darkness that gives a crack the contrast of one standard deviation."""
    near = max(0.5, width / 3)
    far = 2.5 * near + 1.5
    detail = cv2.GaussianBlur(ratio, (0, 0), near) - cv2.GaussianBlur(
        ratio, (0, 0), far)
    # The middle two thirds: pores and stones are rare and not noise.
    low, high = np.percentile(detail, (16, 84))
    near, far = (width / (2 * math.sqrt(2) * math.hypot(spread, s))
                 for s in (near, far))
    return max((high - low) / 2, _EYE) / float(erf(near) - erf(far))
