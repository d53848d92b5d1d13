"""Scores of regions: exact pixels, bands around contours, tolerances."""

import numpy as np

from mmcrack.evaluation.scores.base import (
    MEAN,
    NUMBER,
    Figure,
    Score,
    ScoredImage,
    both_kinds,
    number_text,
    percent,
)
from mmcrack.functional.metrics.boundary import (
    BOUNDARY_MODES,
    background_counts,
    boundary_counts,
    boundary_radii,
    mean_over_bands,
)
from mmcrack.functional.metrics.boundary_f1 import boundary_f1_counts
from mmcrack.functional.metrics.boundary_iou import (
    boundary_iou_counts,
    boundary_width,
)
from mmcrack.functional.metrics.counts import Counts, confusion_counts, ratios
from mmcrack.functional.metrics.near import check_reach
from mmcrack.functional.metrics.tolerance import (
    MatchCounts,
    match_ratios,
    tolerance_counts,
)


class PixelScore(Score):
    """Precision, recall, F1, IoU, Dice and mIoU of exact pixels.

    Args:
        empty (str): See :class:`Score`.
    """

    name = 'pixel'
    title = 'precision, recall, F1, IoU, Dice, mIoU of exact pixels'
    ratios = ('IoU', 'Dice', 'Precision', 'Recall', 'F1', 'mIoU')

    def __init__(self, *, empty: str) -> None:
        super().__init__(empty=empty)
        self.figures = (
            *both_kinds(self.ratios),
            Figure('images', '', NUMBER, 0),
            Figure('images_without_crack', '', NUMBER, 0))

    def measure(self, image: ScoredImage) -> dict:
        """Count the pixels; see :meth:`Score.measure`."""
        counts = confusion_counts(image.pred, image.target,
                                  valid=image.valid)
        return {
            'tp': counts.tp, 'fp': counts.fp, 'fn': counts.fn,
            'tn': counts.tn, **percent(ratios(counts, empty=self.empty))}

    def pool(self, columns: dict) -> dict:
        """Make the ratios of all pixels; see :meth:`Score.pool`."""
        tp, fp, fn, tn = (columns[key] for key in ('tp', 'fp', 'fn', 'tn'))
        total = Counts(*(int(x.sum()) for x in (tp, fp, fn, tn)))
        return {
            **percent(ratios(total, empty=self.empty)),
            'images': len(tp),
            'images_without_crack': int(np.count_nonzero(tp + fn == 0))}


class BoundaryAccuracyScore(Score):
    """mBA with the floor that it stands on.

    Args:
        empty (str): Not used: a truth without boundary is left out.
        mode (str): ``'accuracy'`` or ``'iou'``, see
            :class:`mmcrack.BoundaryAccuracyMetric`.
        min_radius (int): Of the smallest band, in pixels.

    Raises:
        ValueError: If an argument is outside its range.
    """

    name = 'mba'
    title = ('mBA in 5 bands around the contour (mode=accuracy|iou, '
             'min_radius=1), with the floor of an empty prediction')

    def __init__(self, *, empty: str, mode: str = 'accuracy',
                 min_radius: int = 1) -> None:
        super().__init__(empty=empty)
        if mode not in BOUNDARY_MODES:
            raise ValueError(f"mode must be one of "
                             f"{', '.join(BOUNDARY_MODES)}, got {mode!r}.")
        boundary_radii(1, 1, min_radius=min_radius)
        self.mode, self.min_radius = mode, min_radius
        self.key = 'mBA' if mode == 'accuracy' else 'mBA_IoU'
        if min_radius != 1:
            self.key += f'_r{min_radius}'
        self.figures = tuple(
            Figure(key, '%', MEAN, better, key)
            for key, better in ((self.key, 1), (f'{self.key}_floor', 0)))

    def measure(self, image: ScoredImage) -> dict:
        """Score the bands; see :meth:`Score.measure`."""
        counts = boundary_counts(
            image.pred, image.target, min_radius=self.min_radius,
            valid=image.valid)
        floor = background_counts(counts)
        return {
            self.key: 100 * mean_over_bands(counts, mode=self.mode),
            f'{self.key}_floor': 100 * mean_over_bands(
                floor, mode=self.mode)}


class BoundaryIoUScore(Score):
    """Boundary IoU.

    Args:
        empty (str): See :class:`Score`.
        ratio (float, optional): Width of the bands as a share of the
            diagonal; None where ``pixels`` is given.
        pixels (int, optional): Width in pixels.

    Raises:
        ValueError: If the width is out of range.
    """

    name = 'boundary_iou'
    title = ('Boundary IoU in a band of ratio=0.02 of the diagonal, or of '
             'pixels=N')

    def __init__(self, *, empty: str, ratio: float | None = None,
                 pixels: int | None = None) -> None:
        super().__init__(empty=empty)
        if ratio is None and pixels is None:
            ratio = 0.02
        boundary_width(1, 1, ratio=ratio, pixels=pixels)
        self.width = dict(ratio=ratio, pixels=pixels)
        self.key = 'BoundaryIoU'
        if pixels is not None:
            self.key += f'_{pixels}px'
        elif ratio != 0.02:
            self.key += f'_{number_text(ratio)}d'
        self.figures = both_kinds([self.key])

    def measure(self, image: ScoredImage) -> dict:
        """Count the bands; see :meth:`Score.measure`."""
        counts = boundary_iou_counts(
            image.pred, image.target, valid=image.valid, **self.width)
        return {
            self.key: 100 * ratios(counts, empty=self.empty)['IoU'],
            f'{self.key}_counts': np.array(
                [counts.tp, counts.fp, counts.fn, counts.tn])}

    def pool(self, columns: dict) -> dict:
        """Pool the bands; see :meth:`Score.pool`."""
        total = Counts(*columns[f'{self.key}_counts'].sum(axis=0).tolist())
        return {self.key: 100 * ratios(total, empty=self.empty)['IoU']}


class MatchScore(Score):
    """Ratios of pixels that have a partner; what such scores share.

    Args:
        empty (str): See :class:`Score`.
        names (dict[str, str]): Ratio of ``match_ratios`` to its key.

    Attributes:
        key (str): Key of the counts in the rows.
    """

    def __init__(self, *, empty: str, names: dict) -> None:
        super().__init__(empty=empty)
        self.names = names
        self.key = f'{next(iter(reversed(names.values())))}_counts'
        self.figures = both_kinds(list(names.values()))

    def count(self, image: ScoredImage) -> MatchCounts:
        """Count the pixels of one image.

        Args:
            image (ScoredImage): The image.

        Returns:
            MatchCounts: Integers.
        """
        raise NotImplementedError

    def ratios(self, counts: MatchCounts) -> dict:
        """Return all ratios of counts in [0, 1]."""
        return match_ratios(counts, empty=self.empty)

    def measure(self, image: ScoredImage) -> dict:
        """Count matched pixels; see :meth:`Score.measure`."""
        counts = self.count(image)
        return {
            **self._named(counts),
            self.key: np.array([
                counts.matched_pred, counts.pred, counts.matched_target,
                counts.target, counts.judged])}

    def pool(self, columns: dict) -> dict:
        """Pool the counts; see :meth:`Score.pool`."""
        return self._named(
            MatchCounts(*columns[self.key].sum(axis=0).tolist()))

    def _named(self, counts: MatchCounts) -> dict:
        """Ratios in percent under their keys."""
        values = self.ratios(counts)
        return {key: 100 * values[ratio] for ratio, key in self.names.items()}


class ToleranceScore(MatchScore):
    """Precision, recall and F1 with a tolerance.

    Args:
        empty (str): See :class:`Score`.
        tau (float): Tolerance in pixels.
        shape (str): ``'disc'`` or ``'square'``.

    Raises:
        ValueError: If the tolerance is none.
    """

    name = 'tolerance'
    title = ('precision, recall, F1 within tau=2 px (shape=disc|square), '
             'many to one')

    def __init__(self, *, empty: str, tau: float = 2,
                 shape: str = 'disc') -> None:
        check_reach(tau=tau, shape=shape)
        tail = f'{number_text(tau)}px' + ('' if shape == 'disc' else
                                          f'_{shape}')
        super().__init__(empty=empty, names={
            ratio: f'{ratio}_{tail}' for ratio in ('Precision', 'Recall',
                                                   'F1')})
        self.tau, self.shape = tau, shape

    def count(self, image: ScoredImage) -> MatchCounts:
        """Count pixels near the other mask; see :meth:`MatchScore.count`."""
        return tolerance_counts(
            image.pred, image.target, tau=self.tau, shape=self.shape,
            valid=image.valid)


class BoundaryF1Score(MatchScore):
    """Precision, recall and F1 of outlines, with a tolerance.

    Args:
        empty (str): See :class:`Score`.
        ratio (float, optional): Tolerance as a share of the diagonal; None
            where ``pixels`` is given.
        pixels (float, optional): Tolerance in pixels.
        shape (str): ``'disc'`` or ``'square'``.

    Raises:
        ValueError: If the tolerance is none.
    """

    name = 'boundary_f1'
    title = ('precision, recall, F1 of outlines within ratio=0.0075 of the '
             'diagonal, or pixels=N')

    def __init__(self, *, empty: str, ratio: float | None = None,
                 pixels: float | None = None, shape: str = 'disc') -> None:
        if ratio is None and pixels is None:
            ratio = 0.0075
        if ratio is not None and pixels is not None:
            raise ValueError('boundary_f1 takes ratio or pixels, got both.')
        check_reach(tau=ratio if pixels is None else pixels, shape=shape)
        tail = '' if ratio == 0.0075 else (
            f'_{number_text(ratio)}d' if pixels is None else
            f'_{number_text(pixels)}px')
        if shape != 'disc':
            tail += f'_{shape}'
        super().__init__(empty=empty, names={
            name: f'Boundary{name}{tail}'
            for name in ('Precision', 'Recall', 'F1')})
        self.settings = dict(ratio=ratio, pixels=pixels, shape=shape)

    def count(self, image: ScoredImage) -> MatchCounts:
        """Count outline pixels; see :meth:`MatchScore.count`."""
        return boundary_f1_counts(
            image.pred, image.target, valid=image.valid, **self.settings)
