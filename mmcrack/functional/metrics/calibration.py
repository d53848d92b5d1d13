"""Calibration: whether a probability of 0.8 is right 8 times in 10.

Expected calibration error (Naeini et al. 2015; Guo et al. 2017), everywhere
or inside a band around the true outline, where a crack's probabilities are
decided: far from cracks nearly all pixels are sure, right and many.
"""

from dataclasses import dataclass

import numpy as np

from mmcrack.functional.metrics.masks import probability_and_mask
from mmcrack.functional.metrics.near import near

CONFIDENCES = ('crack', 'predicted')


@dataclass(frozen=True, eq=False)
class CalibrationBins:
    """Sums in each of B bins of probability; ``+`` pools images.

    Attributes:
        pixels (np.ndarray): Int64, (B,).
        confidence (np.ndarray): Float64, (B,), summed probability.
        right (np.ndarray): Int64, (B,), pixels where what the probability
            speaks of is true.
    """

    pixels: np.ndarray
    confidence: np.ndarray
    right: np.ndarray

    def __add__(self, other: 'CalibrationBins') -> 'CalibrationBins':
        if not isinstance(other, CalibrationBins):
            return NotImplemented
        if self.pixels.shape != other.pixels.shape:
            raise ValueError(
                'Bins pool only with as many bins, got '
                f'{self.pixels.size} and {other.pixels.size}.')
        return CalibrationBins(self.pixels + other.pixels,
                               self.confidence + other.confidence,
                               self.right + other.right)


def calibration_bins(prob, target, *, bins, of='crack', band=None,
                     valid=None) -> CalibrationBins:
    """Sort the pixels of one image into bins of probability.

    Args:
        prob (np.ndarray | Tensor): (H, W), probability of crack in [0, 1].
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}; 1 is crack.
        bins (int): Number of bins of equal width in [0, 1], each with its
            lower end (the last with both).
        of (str): ``'crack'``: the probability of crack against the share of
            crack; ``'predicted'``: the larger of ``prob`` and ``1 - prob``
            against the share of right pixels, prob >= 0.5 being crack (Guo
            et al.; half of the bins stay empty).
        band (float, optional): Only judged pixels that have both judged
            crack and judged background of the truth within this distance,
            in pixels; None: all.
        valid (np.ndarray | Tensor, optional): (H, W), bool or {0, 1}; false
            where a pixel is ignored.

    Returns:
        CalibrationBins: Of this image.

    Raises:
        ValueError: If an array or an option is outside its range.
    """
    if (isinstance(bins, bool) or not isinstance(bins, (int, np.integer))
            or bins < 1):
        raise ValueError(
            f'bins must be an integer of at least 1, got {bins!r}.')
    if of not in CONFIDENCES:
        raise ValueError(f"of must be one of {', '.join(CONFIDENCES)}, got "
                         f'{of!r}.')
    prob, target, valid = probability_and_mask(prob, target, valid=valid)
    chosen = valid
    if band is not None:
        background = ~target if valid is None else valid & ~target
        chosen = near(target, tau=band, shape='disc')
        chosen &= near(background, tau=band, shape='disc')
        if valid is not None:
            chosen &= valid
    if chosen is None:
        prob, target = prob.reshape(-1), target.reshape(-1)
    else:
        prob, target = prob[chosen], target[chosen]
    if of == 'predicted':
        crack = prob >= 0.5
        target = target == crack
        prob = np.where(crack, prob, 1 - prob)
    return _sort(prob, target, bins)


def expected_calibration_error(found: CalibrationBins) -> float:
    """Return the mean distance of confidence and truth over all pixels.

    Args:
        found (CalibrationBins): Of one image, or a sum of them.

    Returns:
        float: In [0, 1]; NaN without a pixel.
    """
    total = found.pixels.sum()
    if not total:
        return float('nan')
    return float(np.abs(found.confidence - found.right).sum() / total)


def _sort(prob: np.ndarray, right: np.ndarray,
          bins: int) -> CalibrationBins:
    """Sums of flat arrays in each bin."""
    edges = np.linspace(0, 1, bins + 1)
    index = (prob * prob.dtype.type(bins)).astype(np.int32)
    np.minimum(index, bins - 1, out=index)
    # The product may round across an end of a bin.
    index -= prob < edges[index]
    index += (prob >= edges[index + 1]) & (index < bins - 1)
    return CalibrationBins(
        np.bincount(index, minlength=bins),
        np.bincount(index, weights=prob, minlength=bins),
        np.bincount(index[right], minlength=bins))
