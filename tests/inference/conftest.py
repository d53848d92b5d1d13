"""A network that finds what is dark, and photographs with a dark line."""

import numpy as np
import pytest

from mmcrack.inference import CrackInferencer


class Dark:
    """The darker a pixel, the more probably it is crack."""

    multiple, threshold, has_variance = 8, .5, True
    description = 'dark'

    def __init__(self):
        self.shapes = []

    def probabilities(self, batch):
        self.shapes.append(tuple(batch.shape))
        return (1 - batch.float().mean(1) / 255).numpy()

    def probabilities_and_variances(self, batch):
        prob = self.probabilities(batch)
        return prob, prob * (1 - prob)


@pytest.fixture
def dark():
    return Dark()


@pytest.fixture
def inferencer(dark):
    return CrackInferencer(backend=dark, tile_size=64, overlap=16)


@pytest.fixture
def photograph():
    """Function that draws RGB of some size, bright with a dark line."""

    def draw(size=(90, 130), seed=0):
        rng = np.random.default_rng(seed)
        image = rng.integers(150, 250, (*size, 3), dtype=np.uint8)
        row = size[0] // 2
        image[row:row + 4, size[1] // 10:] = (30, 20, 10)
        return image

    return draw
