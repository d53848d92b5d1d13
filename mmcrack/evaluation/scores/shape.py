"""Scores of shapes: numbers of pieces and holes, distances of outlines."""

import numpy as np

from mmcrack.evaluation.scores.base import (
    MEAN,
    NUMBER,
    Figure,
    Score,
    ScoredImage,
)
from mmcrack.functional.metrics.betti import betti_errors, betti_means
from mmcrack.functional.metrics.surface_distance import (
    assd,
    hausdorff,
    hausdorff95,
    surface_distances,
)


class BettiScore(Score):
    """Errors of the numbers of components and of holes.

    Args:
        empty (str): Not used: nothing is undefined.
        window (int, optional): Side of the squares that the image is cut
            into, in pixels; None: the whole image.

    Raises:
        ValueError: If ``window`` is out of range.
    """

    name = 'betti'
    title = ('Betti errors: components and holes too many or too few '
             '(window=65 for mean over squares, as TopoNet)')

    def __init__(self, *, empty: str, window: int | None = None) -> None:
        super().__init__(empty=empty)
        nothing = np.zeros((1, 1), bool)
        betti_errors(nothing, nothing, window=window)
        self.window = window
        tail = '' if window is None else f'_{window}px'
        self.names = {name: f'{name}_error{tail}'
                      for name in ('Betti0', 'Betti1')}
        self.figures = tuple(Figure(key, '', MEAN, -1, key)
                             for key in self.names.values())

    def measure(self, image: ScoredImage) -> dict:
        """Compare the numbers; see :meth:`Score.measure`."""
        found = betti_means(betti_errors(
            image.pred, image.target, window=self.window,
            valid=image.valid))
        return {key: found[name] for name, key in self.names.items()}


class DistanceScore(Score):
    """Distances between outlines, in pixels, in both conventions.

    An image where nothing is predicted is infinitely far; it is left out
    of the means and counted.

    Args:
        empty (str): Not used: a truth without crack is left out.
    """

    name = 'distance'
    title = ('HD, HD95 and ASSD of outlines in pixels, pooled and directed; '
             'images without prediction are counted')
    figures = (
        *(Figure(key, 'px', MEAN, -1, key) for key in (
            'HD', 'HD95', 'HD95_directed', 'ASSD', 'ASSD_directed')),
        Figure('images_without_prediction', '', NUMBER, -1))

    def measure(self, image: ScoredImage) -> dict:
        """Measure the distances; see :meth:`Score.measure`."""
        found = surface_distances(image.pred, image.target,
                                  valid=image.valid)
        return {
            'HD': hausdorff(found),
            'HD95': hausdorff95(found, convention='pooled'),
            'HD95_directed': hausdorff95(found, convention='directed'),
            'ASSD': assd(found, convention='pooled'),
            'ASSD_directed': assd(found, convention='directed')}

    def pool(self, columns: dict) -> dict:
        """Count images without prediction; see :meth:`Score.pool`."""
        return {'images_without_prediction': int(
            np.count_nonzero(np.isinf(columns['HD'])))}
