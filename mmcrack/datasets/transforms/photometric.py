"""Noise and blur, which MMSegmentation has for volumes only."""

from collections.abc import Sequence

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmcrack.datasets.transforms.geometry import check_probability
from mmcrack.registry import TRANSFORMS


def _check_range(value: Sequence[float], *, name: str,
                 least: float) -> tuple[float, float]:
    """Two numbers in order."""
    pair = tuple(value)
    if len(pair) != 2 or not least <= pair[0] <= pair[1]:
        raise ValueError(
            f'{name} must be two numbers (lowest, highest) of at least '
            f'{least:g}, got {value!r}.')
    return float(pair[0]), float(pair[1])


@TRANSFORMS.register_module()
class RandomGaussianNoise(BaseTransform):
    """Add normal noise, a number of its own for each pixel and channel.

    Not in the papers. MMSegmentation's ``BioMedicalGaussianNoise`` adds to
    an image of floats; on bytes its negative numbers wrap round.

    Modified key: ``img``.

    Args:
        prob (float): Probability of noise.
        std (Sequence[float]): Its standard deviation is drawn evenly from
            this range, in grey levels.

    Raises:
        ValueError: If ``prob`` or ``std`` are not as above.
    """

    def __init__(self, *, prob: float = 0.1,
                 std: Sequence[float] = (0., 18.)) -> None:
        self.prob = check_probability(prob, name='prob')
        self.std = _check_range(std, name='std', least=0)

    @cache_randomness
    def _draw(self) -> float:
        """Standard deviation of the noise, 0 for none."""
        if np.random.rand() >= self.prob:  # noqa: NPY002
            return 0.
        return np.random.uniform(*self.std)  # noqa: NPY002

    def transform(self, results: dict) -> dict:
        """Add noise, or not.

        Args:
            results (dict): With ``img``, uint8.

        Returns:
            dict: The same; the image is uint8 again.
        """
        std = self._draw()
        if std > 0:
            image = results['img']
            noise = np.random.normal(0., std, image.shape)  # noqa: NPY002
            results['img'] = np.clip(
                np.rint(image + noise), 0, 255).astype(image.dtype)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(prob={self.prob}, std={self.std})'


@TRANSFORMS.register_module()
class RandomGaussianBlur(BaseTransform):
    """Blur the image.

    Not in the papers. MMSegmentation's ``BioMedicalGaussianBlur`` takes the
    first axis of an image for its channels, which here are the last.

    Modified key: ``img``.

    Args:
        prob (float): Probability of a blur.
        sigma (Sequence[float]): Its standard deviation is drawn evenly from
            this range, in pixels.

    Raises:
        ValueError: If ``prob`` or ``sigma`` are not as above.
    """

    def __init__(self, *, prob: float = 0.2,
                 sigma: Sequence[float] = (0.5, 1.)) -> None:
        self.prob = check_probability(prob, name='prob')
        self.sigma = _check_range(sigma, name='sigma', least=0.1)

    @cache_randomness
    def _draw(self) -> float:
        """Standard deviation of the blur, 0 for none."""
        if np.random.rand() >= self.prob:  # noqa: NPY002
            return 0.
        return np.random.uniform(*self.sigma)  # noqa: NPY002

    def transform(self, results: dict) -> dict:
        """Blur, or not.

        Args:
            results (dict): With ``img``.

        Returns:
            dict: The same.
        """
        sigma = self._draw()
        if sigma > 0:
            results['img'] = cv2.GaussianBlur(results['img'], (0, 0), sigma)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(prob={self.prob}, sigma={self.sigma})'
