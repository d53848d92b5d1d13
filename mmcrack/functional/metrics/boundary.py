"""Mean boundary accuracy (mBA), as CascadePSP's evaluation code computes it.

Source: Cheng et al., "CascadePSP", CVPR 2020, and the released code
(``eval_helper.py``), which CBPRN (section 4.2) cites for its mBA. Five bands
around the contour of the truth; in each the share of pixels that the
prediction has right; the mean of the five.
"""

from functools import cache

import numpy as np

from mmcrack.functional.metrics import packed
from mmcrack.functional.metrics.counts import Counts
from mmcrack.functional.metrics.masks import as_numpy, binary_masks

NUM_RADII = 5
BOUNDARY_MODES = ('accuracy', 'iou')
# Rows of an image are worked in stripes that stay in the processor's cache.
_STRIPE_BYTES = 1 << 17


def boundary_radii(height: int, width: int, *, min_radius: int) -> list:
    """Return the radii of the five bands.

    ``r_i = min_radius + int((R - min_radius) / 5 * i)`` for i = 0..4 and
    ``R = (width + height) / 300``, so R itself is never reached. Where R is
    below ``min_radius`` all five are ``min_radius`` (the released code,
    whose ``min_radius`` is 1, never gets there; with 3 it would shrink).

    Example: 1440 x 2560 with ``min_radius=1`` gives [1, 3, 5, 8, 10].

    Args:
        height (int): Rows of the image.
        width (int): Columns of the image.
        min_radius (int): Radius of the first band in pixels, at least 1.

    Returns:
        list[int]: Five radii in pixels, in ascending order.

    Raises:
        ValueError: If ``min_radius`` is not a positive integer.
    """
    if (isinstance(min_radius, bool)
            or not isinstance(min_radius, (int, np.integer))
            or min_radius < 1):
        raise ValueError('min_radius must be an integer of at least 1 '
                         f'(pixels), got {min_radius!r}.')
    span = max((width + height) / 300 - min_radius, 0)
    return [int(min_radius) + int(span / NUM_RADII * i)
            for i in range(NUM_RADII)]


@cache
def ellipse_half_widths(radius: int) -> tuple:
    """Return the rows of OpenCV's elliptic kernel of side 2 ``radius`` + 1.

    The row at vertical distance dy reaches ``round(sqrt(r^2 - dy^2))``
    pixels to either side (halves to even). That is no disc: radius 1 is the
    plus of 5 pixels, and radius 2 is a 5 x 5 square whose first and last
    rows hold one pixel (so that a quarter turn of both masks can change the
    third decimal of an mBA).

    Args:
        radius (int): In pixels, at least 1.

    Returns:
        tuple[int, ...]: Half-widths at distance 0, 1, ..., ``radius``.
    """
    square = radius * radius
    return tuple(
        int(np.rint(radius * np.sqrt((square - dy * dy) * (1.0 / square))))
        for dy in range(radius + 1))


def boundary_counts(pred, target, *, min_radius=1, valid=None) -> list:
    """Count the pixels inside each of the five bands around the contour.

    The band of radius r holds the judged pixels around which the elliptic
    kernel covers judged crack and judged background of the truth (which is
    where the morphological gradient is positive). The border of the image
    makes no edge, and neither does the border of an ignored area.

    Args:
        pred (np.ndarray | Tensor): (H, W), bool or {0, 1}; 1 is crack.
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}.
        min_radius (int): Radius of the first band in pixels.
        valid (np.ndarray | Tensor, optional): (H, W), bool or {0, 1}; false
            where a pixel is ignored.

    Returns:
        list[Counts]: One for each radius of :func:`boundary_radii`.

    Raises:
        ValueError: If a mask is not 2-D, shapes differ, a judged value is
            neither 0 nor 1 or ``min_radius`` is no positive integer.
    """
    pred, target = as_numpy(pred), as_numpy(target)
    if pred.ndim != 2:
        raise ValueError('pred must be one image of shape (H, W), got '
                         f'{pred.shape}: call once for each image.')
    pred, target, valid = binary_masks(pred, target, valid=valid)
    radii = boundary_radii(*target.shape, min_radius=min_radius)
    unique = sorted(set(radii))
    if target.size == 0:
        return [Counts(0, 0, 0, 0)] * NUM_RADII
    crack = packed.pack(target if valid is None else target & valid)
    judged = packed.pack(np.ones_like(target) if valid is None else valid)
    predicted = packed.pack(pred)
    window = _window(crack, unique[-1])
    if window is None:
        return [Counts(0, 0, 0, 0)] * NUM_RADII
    totals = _count_bands(
        crack[window], judged[window], predicted[window], unique)
    by_radius = dict(zip(unique, totals, strict=True))
    return [by_radius[radius] for radius in radii]


def boundary_accuracy(pred,
                      target,
                      *,
                      min_radius=1,
                      mode='accuracy',
                      valid=None) -> float:
    """Return the mBA of one image.

    Args:
        pred (np.ndarray | Tensor): (H, W), bool or {0, 1}; 1 is crack.
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}.
        min_radius (int): Radius of the first band in pixels: 1 in the
            released code; the paper's text is usually quoted with 3.
        mode (str): ``'accuracy'``, the share of band pixels where
            prediction and truth agree (the released code); ``'iou'``, the
            crack's IoU inside the band (the wording of CBPRN).
        valid (np.ndarray | Tensor, optional): (H, W), bool or {0, 1}; false
            where a pixel is ignored: it is in no band and makes no edge.

    Returns:
        float: Mean over the bands that hold a pixel, in [0, 1]; NaN where
        the truth has no boundary (no crack, or nothing but crack).

    Raises:
        ValueError: On an unknown ``mode`` and as :func:`boundary_counts`.
    """
    counts = boundary_counts(
        pred, target, min_radius=min_radius, valid=valid)
    return mean_over_bands(counts, mode=mode)


def boundary_floor(target,
                   *,
                   min_radius=1,
                   mode='accuracy',
                   valid=None) -> float:
    """Return the mBA that a prediction of nothing but background gets.

    Not in the papers: of a thin crack more than half of each band is
    background, so an accuracy is read above this floor, not above 0.

    Args:
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}.
        min_radius (int): As in :func:`boundary_accuracy`.
        mode (str): As in :func:`boundary_accuracy`; 0 under ``'iou'``.
        valid (np.ndarray | Tensor, optional): As there.

    Returns:
        float: In [0, 1]; NaN where the truth has no boundary.

    Raises:
        ValueError: As :func:`boundary_accuracy`.
    """
    target = as_numpy(target)
    counts = boundary_counts(
        np.zeros(target.shape, bool),
        target,
        min_radius=min_radius,
        valid=valid)
    return mean_over_bands(counts, mode=mode)


def background_counts(counts: list) -> list:
    """Return what an all-background prediction gets in the same bands.

    Args:
        counts (list[Counts]): Result of :func:`boundary_counts`.

    Returns:
        list[Counts]: Same length.
    """
    return [Counts(0, 0, c.tp + c.fn, c.fp + c.tn) for c in counts]


def mean_over_bands(counts: list, *, mode: str) -> float:
    """Return the mean score of the bands.

    Args:
        counts (list[Counts]): One for each band.
        mode (str): ``'accuracy'`` or ``'iou'``.

    Returns:
        float: Mean over the bands that hold a pixel (``'iou'``: a pixel
        that is crack or predicted so); NaN if none does.

    Raises:
        ValueError: If ``mode`` is unknown.
    """
    if mode not in BOUNDARY_MODES:
        raise ValueError(f"mode must be one of {', '.join(BOUNDARY_MODES)}, "
                         f'got {mode!r}.')
    scores = []
    for c in counts:
        if mode == 'accuracy':
            right, of = c.tp + c.tn, c.total
        else:
            right, of = c.tp, c.tp + c.fp + c.fn
        if of:
            scores.append(right / of)
    return sum(scores) / len(scores) if scores else float('nan')


def _window(crack: np.ndarray, radius: int):
    """Slices around all crack that bands can lie in; None without crack.

    One radius is margin enough: a band pixel lies within it, and a crack
    pixel sees its background within it.
    """
    rows = np.flatnonzero(crack.any(axis=1))
    if not rows.size:
        return None
    columns = np.flatnonzero(crack.any(axis=0))
    margin = -(-radius // packed.WORD)
    return (slice(max(rows[0] - radius, 0), rows[-1] + radius + 1),
            slice(max(columns[0] - margin, 0), columns[-1] + margin + 1))


def _count_bands(crack, judged, predicted, radii) -> list:
    """Counts inside the band of each radius, from packed masks."""
    height, words = crack.shape
    reach = radii[-1]
    kernels = [ellipse_half_widths(radius) for radius in radii]
    stripe = max(_STRIPE_BYTES // (words * 8), 4 * reach, 1)
    # Of each band: all pixels, crack, predicted crack, both.
    sums = np.zeros((len(radii), 4), np.int64)
    for top in range(0, height, stripe):
        bottom = min(top + stripe, height)
        first = max(top - reach, 0)
        near = slice(first, min(bottom + reach, height))
        window = _window(crack[near], reach)
        if window is None:
            continue
        columns = window[1]
        known, truth = judged[near, columns], crack[near, columns]
        both = np.stack([truth, known & ~truth])
        inner = slice(top - first, bottom - first)
        known, truth = known[inner], truth[inner]
        positive = predicted[top:bottom, columns]
        hit = truth & positive
        for i, dilated in enumerate(packed.dilate(both, half_widths=kernels)):
            band = dilated[0, inner] & dilated[1, inner]
            band &= known
            sums[i] += [packed.count(band), packed.count(band & truth),
                        packed.count(band & positive),
                        packed.count(band & hit)]
    return [
        Counts(tp=tp, fp=positive - tp, fn=cracks - tp,
               tn=total - cracks - positive + tp)
        for total, cracks, positive, tp in sums.tolist()
    ]
