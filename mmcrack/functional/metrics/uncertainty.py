"""Whether an uncertainty map knows where the prediction is wrong.

AUROC of the variance (or any map that should be large at errors) against the
errors: the chance that a wrong pixel has a larger value than a right one,
ties counting half. 0.5 knows nothing.
"""

from dataclasses import dataclass

import numpy as np

from mmcrack.functional.metrics.masks import as_numpy, image_masks


@dataclass(frozen=True, eq=False)
class ErrorHistogram:
    """Wrong and right pixels in bins of uncertainty; ``+`` pools images.

    Attributes:
        edges (np.ndarray): Float64, (B - 1,), ascending: bin 0 lies below
            the first, bin i at or above edge i - 1.
        wrong (np.ndarray): Int64, (B,).
        right (np.ndarray): Int64, (B,).
    """

    edges: np.ndarray
    wrong: np.ndarray
    right: np.ndarray

    def __add__(self, other: 'ErrorHistogram') -> 'ErrorHistogram':
        if not isinstance(other, ErrorHistogram):
            return NotImplemented
        if not np.array_equal(self.edges, other.edges):
            raise ValueError('Histograms pool only with the same edges.')
        return ErrorHistogram(self.edges, self.wrong + other.wrong,
                              self.right + other.right)


def error_histogram(pred, target, *, variance, edges,
                    valid=None) -> ErrorHistogram:
    """Count wrong and right pixels of one image in bins of uncertainty.

    Args:
        pred (np.ndarray | Tensor): (H, W), bool or {0, 1}; 1 is crack.
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}.
        variance (np.ndarray | Tensor): (H, W), numbers, larger where the
            prediction is less sure. Values where ``valid`` is false do not
            matter.
        edges (np.ndarray): (B - 1,), ascending: ends of the bins. The same
            for all images of a set; the more, the nearer to the exact
            AUROC (a thousand log-spaced ones give four digits).
        valid (np.ndarray | Tensor, optional): (H, W), bool or {0, 1}; false
            where a pixel is ignored.

    Returns:
        ErrorHistogram: Of this image.

    Raises:
        ValueError: If shapes differ, a judged mask value is neither 0 nor
            1, a judged variance is NaN or the edges do not ascend.
    """
    edges = np.asarray(edges, np.float64)
    if edges.ndim != 1 or not edges.size or (np.diff(edges) <= 0).any():
        raise ValueError('edges must be ascending numbers, the ends of the '
                         f'bins, got {edges!r}.')
    values, wrong = _values_and_errors(pred, target, variance, valid)
    index = np.searchsorted(edges, values, side='right')
    bins = edges.size + 1
    return ErrorHistogram(edges,
                          np.bincount(index[wrong], minlength=bins),
                          np.bincount(index[~wrong], minlength=bins))


def pooled_auroc(histogram: ErrorHistogram) -> float:
    """Return the AUROC of binned pixels, those of one bin being ties.

    Args:
        histogram (ErrorHistogram): Of one image, or a sum of them.

    Returns:
        float: In [0, 1]; NaN if no pixel is wrong or none is right.
    """
    wrong, right = (
        x.astype(np.float64) for x in (histogram.wrong, histogram.right))
    if not wrong.sum() or not right.sum():
        return float('nan')
    below = np.cumsum(right) - right
    won = (wrong * (below + right / 2)).sum()
    return float(won / (wrong.sum() * right.sum()))


def variance_auroc(pred, target, *, variance, valid=None) -> float:
    """Return the exact AUROC of one image.

    Args:
        pred (np.ndarray | Tensor): (H, W), bool or {0, 1}; 1 is crack.
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}.
        variance (np.ndarray | Tensor): (H, W), numbers, larger where the
            prediction is less sure.
        valid (np.ndarray | Tensor, optional): (H, W), bool or {0, 1}; false
            where a pixel is ignored.

    Returns:
        float: In [0, 1]; NaN if no pixel is wrong or none is right.

    Raises:
        ValueError: If shapes differ, a judged mask value is neither 0 nor 1
            or a judged variance is NaN.
    """
    values, wrong = _values_and_errors(pred, target, variance, valid)
    high, low = np.sort(values[wrong]), np.sort(values[~wrong])
    if not high.size or not low.size:
        return float('nan')
    # Twice the pairs in order: of ties one half counts.
    won = (np.searchsorted(low, high, side='left').sum(dtype=np.int64) +
           np.searchsorted(low, high, side='right').sum(dtype=np.int64))
    return int(won) / (2 * high.size * low.size)


def _values_and_errors(pred, target, variance, valid) -> tuple:
    """Judged uncertainties, flat, and where the prediction is wrong."""
    variance = as_numpy(variance)
    pred, target, valid = image_masks(pred, target, valid=valid)
    if variance.shape != target.shape:
        raise ValueError(
            f'variance and target must have one shape, got {variance.shape} '
            f'and {target.shape}: bring both to the size of the original '
            'image.')
    wrong = pred != target
    if valid is None:
        values, wrong = variance.reshape(-1), wrong.reshape(-1)
    else:
        values, wrong = variance[valid], wrong[valid]
    if np.isnan(values).any():
        raise ValueError('variance must hold numbers, got NaN.')
    return values, wrong
