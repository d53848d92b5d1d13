"""Figures over all thresholds: ODS, OIS, AP and AIU.

Three protocols, whose figures must not be mixed:

* ``'pixel'``: exact pixels (CrackFormer-II and DeepSegmentor, whose grid is
  0, 0.01, ..., 0.99 with ``prob > t``);
* ``'tolerance2'``: within 2 pixels, a disc (Zou et al. 2018; neither the
  grid nor the shape is in the paper);
* ``'bsds'``: both maps thinned, one-to-one matching within 0.0075 of the
  image's diagonal (edgesEval; FPHB, Yang et al. 2020, whose grid is 0.01,
  ..., 0.99 with ``prob >= t``). FPHB suppresses non-maxima across edges
  before; do that to the map if it is wanted.

For each image a :class:`Curve` of counts at each threshold is kept; the sum
of the images' is that of the set.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.spatial import KDTree

from mmcrack.functional.metrics.masks import (
    bounding_box,
    count_judged,
    probability_and_mask,
)
from mmcrack.functional.metrics.matching import (
    match_one_to_one,
    thin,
    thin_in_place,
)
from mmcrack.functional.metrics.near import check_reach, near
from mmcrack.functional.metrics.tolerance import MatchCounts

PROTOCOLS = ('pixel', 'tolerance2', 'bsds')
GRIDS = {
    # CrackFormer-II and DeepSegmentor, with prob > t.
    'hundred': tuple(np.arange(0, 1, .01).tolist()),
    # BSDS and FPHB's AIU, with prob >= t. As its source writes it: many a
    # number is a hair beside 0.01 k, which a probability of two decimals in
    # float64 feels and one in float32 does not.
    'bsds': tuple(np.linspace(.01, .99, 99).tolist()),
    # One released state of FPHB's edgesEvalImg, with prob >= t.
    'fphb': tuple(np.linspace(.0001, .9999, 99).tolist()),
}


@dataclass(frozen=True, eq=False)
class Curve:
    """Matched pixels at each of K thresholds; ``+`` pools images.

    Attributes:
        protocol (str): What a match is.
        thresholds (tuple[float, ...]): Ascending, in [0, 1].
        strict (bool): Crack where ``prob > t``; else where ``prob >= t``.
        counts (MatchCounts): ``matched_pred, pred, matched_target`` int64
            arrays (K,), ``target`` and ``judged`` integers.
    """

    protocol: str
    thresholds: tuple
    strict: bool
    counts: MatchCounts

    def __add__(self, other: 'Curve') -> 'Curve':
        if not isinstance(other, Curve):
            return NotImplemented
        mine, theirs = ((x.protocol, x.thresholds, x.strict)
                        for x in (self, other))
        if mine != theirs:
            raise ValueError(
                'Curves pool only with one protocol, one grid of thresholds '
                f'and one rule, got {self.protocol} with '
                f'{len(self.thresholds)} thresholds, strict={self.strict} '
                f'and {other.protocol} with {len(other.thresholds)}, '
                f'strict={other.strict}.')
        return Curve(*mine, self.counts + other.counts)


def curve(prob, target, *, protocol, thresholds, strict,
          valid=None) -> Curve:
    """Count matched pixels of one image at each threshold.

    Args:
        prob (np.ndarray | Tensor): (H, W), probability of crack in [0, 1].
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}; 1 is crack.
        protocol (str): ``'pixel'``, ``'tolerance2'`` or ``'bsds'``.
        thresholds (Sequence[float]): Ascending, in [0, 1]; :data:`GRIDS`
            has those of the field. They are rounded to the precision of
            ``prob``, as ``prob >= 0.7`` in numpy and torch is.
        strict (bool): Crack where ``prob > t``; else where ``prob >= t``.
        valid (np.ndarray | Tensor, optional): (H, W), bool or {0, 1}; false
            where a pixel is ignored.

    Returns:
        Curve: Of this image.

    Raises:
        ValueError: If an array or an option is outside its range.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"protocol must be one of {', '.join(PROTOCOLS)}, "
                         f'got {protocol!r}.')
    grid = _check_thresholds(thresholds)
    prob, target, valid = probability_and_mask(prob, target, valid=valid)
    levels = np.array(grid).astype(prob.dtype)
    if protocol == 'bsds':
        found = match_thinned(
            prob, target, levels, strict=strict,
            distance=.0075 * math.hypot(*target.shape))
    else:
        found = match_pixels(
            prob, target, levels, strict=strict,
            tau=0 if protocol == 'pixel' else 2)
    return Curve(protocol, grid, bool(strict), MatchCounts(
        *found, judged=count_judged(target.shape, valid)))


def match_pixels(prob: np.ndarray, target: np.ndarray, levels: np.ndarray,
                 *, strict: bool, tau: float) -> tuple:
    """Count pixels within ``tau`` (a disc) of each other at each threshold.

    A true pixel is found at a threshold if the largest probability in the
    disc around it passes: one dilation serves all thresholds.

    Args:
        prob (np.ndarray): Float, (H, W), negative where ignored.
        target (np.ndarray): Bool, (H, W), false where ignored.
        levels (np.ndarray): Of the dtype of ``prob``, (K,), ascending.
        strict (bool): ``prob > t`` or ``prob >= t``.
        tau (float): In pixels, at least 0.

    Returns:
        tuple: ``matched_pred, pred, matched_target``, int64 (K,), and
        ``target``, an integer.
    """
    check_reach(tau=tau, shape='disc')
    candidates = prob > levels[0] if strict else prob >= levels[0]
    pred = _passing(prob[candidates], levels, strict=strict)
    close = target if tau == 0 else near(target, tau=tau, shape='disc')
    matched = _passing(prob[candidates & close], levels, strict=strict)
    if tau == 0:
        found = matched
    else:
        found = _passing(
            _largest_within(prob, target, tau=tau), levels, strict=strict)
    return matched, pred, found, int(np.count_nonzero(target))


def match_thinned(prob: np.ndarray, target: np.ndarray, levels: np.ndarray,
                  *, strict: bool, distance: float) -> tuple:
    """Count matched pixels of thinned maps at each threshold.

    Args:
        prob (np.ndarray): Float, (H, W), negative where ignored.
        target (np.ndarray): Bool, (H, W), false where ignored.
        levels (np.ndarray): Of the dtype of ``prob``, (K,), ascending.
        strict (bool): ``prob > t`` or ``prob >= t``.
        distance (float): Of two partners at most, in pixels.

    Returns:
        tuple: ``matched_pred, pred, matched_target``, int64 (K,), and
        ``target``, an integer.
    """
    truth = KDTree(np.argwhere(thin(target)).reshape(-1, 2))
    framed = np.pad(prob, 1, constant_values=-1)
    width = framed.shape[1]
    values = framed.reshape(-1)
    pixels = np.flatnonzero(
        values > levels[0] if strict else values >= levels[0])
    values = values[pixels]
    canvas = np.zeros(framed.shape, np.uint8)
    matched, pred = np.zeros((2, len(levels)), np.int64)
    for k, level in enumerate(levels):
        keep = values > level if strict else values >= level
        if k and keep.all():
            # The same map as at the threshold before.
            matched[k], pred[k] = matched[k - 1], pred[k - 1]
            continue
        pixels, values = pixels[keep], values[keep]
        canvas.reshape(-1)[pixels] = 1
        left = thin_in_place(canvas, pixels)
        canvas.reshape(-1)[left] = 0
        points = np.stack(np.divmod(left, width), axis=1) - 1
        pred[k] = len(points)
        matched[k] = match_one_to_one(points, truth, distance=distance)
    return matched, pred, matched.copy(), truth.n


def _check_thresholds(thresholds: Sequence[float]) -> tuple:
    """The thresholds as ascending floats in [0, 1]."""
    grid = tuple(float(t) for t in thresholds)
    rising = all(a < b for a, b in zip(grid, grid[1:], strict=False))
    if not grid or not rising or not (0 <= grid[0] and grid[-1] <= 1):
        raise ValueError(
            'thresholds must be ascending numbers in [0, 1], such as '
            f"GRIDS['bsds'], got {thresholds!r}.")
    return grid


def _passing(values: np.ndarray, levels: np.ndarray, *,
             strict: bool) -> np.ndarray:
    """How many of the values pass each level."""
    # Levels that a value passes are the first so many.
    passed = np.searchsorted(
        levels, values, side='left' if strict else 'right')
    histogram = np.bincount(passed, minlength=len(levels) + 1)
    return histogram[::-1].cumsum()[::-1][1:].astype(np.int64)


def _largest_within(prob: np.ndarray, target: np.ndarray, *,
                    tau: float) -> np.ndarray:
    """The largest probability within ``tau`` of each true pixel."""
    radius = int(tau)
    box = bounding_box(target, margin=radius)
    if box is None:
        return prob[target]
    away = np.arange(-radius, radius + 1)
    disc = away[:, None]**2 + away**2 <= tau * tau * (1 + 1e-12)
    largest = cv2.dilate(
        np.ascontiguousarray(prob[box]), disc.astype(np.uint8))
    return largest[target[box]]
