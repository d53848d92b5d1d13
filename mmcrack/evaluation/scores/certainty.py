"""Scores of what a network says about how sure it is."""

import numpy as np

from mmcrack.evaluation.scores.base import (
    MEAN,
    POOLED,
    Figure,
    Score,
    ScoredImage,
    number_text,
)
from mmcrack.functional.metrics.calibration import (
    CalibrationBins,
    calibration_bins,
    expected_calibration_error,
)
from mmcrack.functional.metrics.masks import as_numpy
from mmcrack.functional.metrics.uncertainty import (
    ErrorHistogram,
    error_histogram,
    pooled_auroc,
    variance_auroc,
)

# 200 bins to the decade: pixels of one bin differ by about 1 %.
_EDGES = np.geomspace(1e-6, 1e6, 2401)


class CalibrationScore(Score):
    """Expected calibration error, everywhere and along the outline.

    Args:
        empty (str): Not used: each pixel has a truth.
        bins (int): Bins of probability (15 in Guo et al.).
        band (float): Half-width of the band around the outline, in pixels
            (not in a paper).
        of (str): ``'crack'`` or ``'predicted'``, see
            :func:`mmcrack.functional.metrics.calibration_bins`.

    Raises:
        ValueError: If an argument is outside its range.
    """

    name = 'calibration'
    title = ('ECE everywhere and within band=5 px of the outline '
             '(bins=15, of=crack|predicted)')
    needs = ('prob', )

    def __init__(self, *, empty: str, bins: int = 15, band: float = 5,
                 of: str = 'crack') -> None:
        super().__init__(empty=empty)
        calibration_bins(np.zeros((1, 1)), np.zeros((1, 1), bool), bins=bins,
                         band=band, of=of)
        self.bins, self.of = bins, of
        tail = '' if of == 'crack' else f'_{of}'
        self.bands = {f'ECE{tail}': None,
                      f'ECE_within_{number_text(band)}px{tail}': band}
        self.figures = tuple(Figure(key, '%', POOLED, -1, key)
                             for key in self.bands)

    def measure(self, image: ScoredImage) -> dict:
        """Sort probabilities into bins; see :meth:`Score.measure`."""
        row = {}
        for key, band in self.bands.items():
            found = calibration_bins(
                image.prob, image.target, bins=self.bins, of=self.of,
                band=band, valid=image.valid)
            row[key] = 100 * expected_calibration_error(found)
            row[f'{key}_bins'] = np.stack(
                [found.pixels, found.confidence, found.right])
        return row

    def pool(self, columns: dict) -> dict:
        """Pool the bins; see :meth:`Score.pool`."""
        return {
            key: 100 * expected_calibration_error(
                CalibrationBins(*columns[f'{key}_bins'].sum(axis=0)))
            for key in self.bands}


class VarianceScore(Score):
    """AUROC of a variance map against the errors of the prediction.

    The pooled one is made of bins of a few per cent: pixels in one bin
    count as ties.

    Args:
        empty (str): Not used: an image without any error is left out.
    """

    name = 'variance'
    title = 'AUROC of the variance against the errors of the mask'
    needs = ('variance', )
    key = 'AUROC_variance'
    figures = (Figure(key, '%', POOLED, 1, key),
               Figure(f'image_{key}', '%', MEAN, 1, key))

    def measure(self, image: ScoredImage) -> dict:
        """Rank the pixels; see :meth:`Score.measure`.

        Raises:
            ValueError: If a variance is negative.
        """
        variance = as_numpy(image.variance)
        if variance.min(initial=0) < 0:
            raise ValueError(
                f'The variance of {image.name} must not be negative, got '
                f'{variance.min():g}: give the variance, not its logarithm.')
        found = error_histogram(
            image.pred, image.target, variance=variance, edges=_EDGES,
            valid=image.valid)
        return {
            self.key: 100 * variance_auroc(
                image.pred, image.target, variance=variance,
                valid=image.valid),
            f'{self.key}_bins': np.stack(
                [found.wrong, found.right]).astype(np.int32)}

    def pool(self, columns: dict) -> dict:
        """Pool the bins; see :meth:`Score.pool`."""
        wrong, right = columns[f'{self.key}_bins'].sum(axis=0,
                                                       dtype=np.int64)
        return {self.key: 100 * pooled_auroc(
            ErrorHistogram(_EDGES, wrong, right))}
