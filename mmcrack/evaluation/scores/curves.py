"""Scores over all thresholds of a probability map."""

import numpy as np

from mmcrack.evaluation.scores.base import (
    BEST,
    MEAN,
    POOLED,
    Figure,
    Score,
    ScoredImage,
)
from mmcrack.functional.metrics.curve_scores import (
    aiu,
    average_precision,
    ods,
    ois,
)
from mmcrack.functional.metrics.curves import (
    GRIDS,
    PROTOCOLS,
    Curve,
    curve,
)
from mmcrack.functional.metrics.tolerance import MatchCounts, match_ratios


class CurveScore(Score):
    """ODS, OIS and AP, each as its community counts it.

    Args:
        empty (str): See :class:`Score`.
        protocol (str): ``'pixel'``: exact pixels, ``prob > t`` for t = 0,
            0.01, ..., 0.99, AP as a step integral (CrackFormer-II).
            ``'tolerance2'``: within 2 px, ``prob >= t`` for t = 0.01, ...,
            0.99, AP as a step integral (Zou et al.). ``'bsds'``: thinned,
            one to one within 0.0075 of the diagonal, the same thresholds,
            ODS and AP interpolated (FPHB).

    Raises:
        ValueError: If ``protocol`` is unknown.
    """

    name = 'curves'
    title = ('ODS with its threshold, OIS (both kinds) and AP '
             '(protocol=pixel|tolerance2|bsds)')
    needs = ('prob', )

    def __init__(self, *, empty: str, protocol: str = 'pixel') -> None:
        super().__init__(empty=empty)
        if protocol not in PROTOCOLS:
            raise ValueError(f"protocol must be one of "
                             f"{', '.join(PROTOCOLS)}, got {protocol!r}.")
        self.protocol = protocol
        exact = protocol == 'pixel'
        self.strict = exact
        self.thresholds = GRIDS['hundred' if exact else 'bsds']
        self.interpolate = protocol == 'bsds'
        self.area = 'bsds' if protocol == 'bsds' else 'step'
        key = self.key = {name: f'{name}_{protocol}' for name in (
            'ODS', 'ODS_threshold', 'OIS', 'OIS_aggregate', 'AP', 'curve',
            'best')}
        self.figures = (
            Figure(key['ODS'], '%', BEST, 1, key['OIS']),
            Figure(key['ODS_threshold'], '', BEST, 0),
            Figure(key['OIS'], '%', MEAN, 1, key['OIS']),
            Figure(key['OIS_aggregate'], '%', POOLED, 1, key['OIS']),
            Figure(key['AP'], '%', POOLED, 1, key['AP']))

    def measure(self, image: ScoredImage) -> dict:
        """Count at each threshold; see :meth:`Score.measure`.

        The row holds the image's own best F1 and AP, the counts at each
        threshold and those at its best one.
        """
        one = curve(image.prob, image.target, protocol=self.protocol,
                    thresholds=self.thresholds, strict=self.strict,
                    valid=image.valid)
        return {
            self.key['OIS']: 100 * ois(
                [one], kind='mean', empty=self.empty,
                interpolate=self.interpolate),
            self.key['AP']: 100 * average_precision(one, kind=self.area),
            self.key['curve']: _packed(one.counts),
            self.key['best']: self._best(one.counts)}

    def pool(self, columns: dict) -> dict:
        """Make the figures of the summed curves; see :meth:`Score.pool`."""
        total = self._curve(columns[self.key['curve']].sum(axis=0))
        best = ods(total, interpolate=self.interpolate)
        chosen = MatchCounts(
            *columns[self.key['best']].sum(axis=0).tolist())
        key = self.key
        return {
            key['ODS']: 100 * best.f1,
            key['ODS_threshold']: best.threshold,
            key['OIS_aggregate']:
                100 * match_ratios(chosen, empty=self.empty)['F1'],
            key['AP']: 100 * average_precision(total, kind=self.area)}

    def pooled_curve(self, columns: dict) -> Curve:
        """Sum the curves of all images.

        Args:
            columns (dict[str, np.ndarray]): As in :meth:`Score.summarise`.

        Returns:
            Curve: Of the set.
        """
        return self._curve(columns[self.key['curve']].sum(axis=0))

    def _best(self, counts: MatchCounts) -> np.ndarray:
        """Counts at the image's best threshold, 0 where it is left out."""
        scores = match_ratios(counts, empty=self.empty)['F1']
        if np.isnan(scores).all():
            return np.zeros(5, np.int64)
        k = int(np.argmax(scores))
        return np.array([counts.matched_pred[k], counts.pred[k],
                         counts.matched_target[k], counts.target,
                         counts.judged])

    def _curve(self, packed: np.ndarray) -> Curve:
        """A curve of the numbers in a row."""
        count = len(self.thresholds)
        parts = packed[:3 * count].reshape(3, count)
        target, judged = packed[3 * count:].tolist()
        return Curve(self.protocol, self.thresholds, self.strict,
                     MatchCounts(*parts, target, judged))


class AverageIoUScore(Score):
    """AIU: the IoU of exact pixels, averaged over 99 thresholds.

    FPHB (Yang et al. 2020), ``prob >= t`` for t = 0.01, ..., 0.99.

    Args:
        empty (str): See :class:`Score`.
    """

    name = 'aiu'
    title = 'AIU: IoU averaged over 99 thresholds and over images'
    needs = ('prob', )
    figures = (Figure('AIU', '%', MEAN, 1, 'AIU'), )

    def measure(self, image: ScoredImage) -> dict:
        """Average over thresholds; see :meth:`Score.measure`."""
        one = curve(image.prob, image.target, protocol='pixel',
                    thresholds=GRIDS['bsds'], strict=False,
                    valid=image.valid)
        return {'AIU': 100 * aiu([one], empty=self.empty)}


def _packed(counts: MatchCounts) -> np.ndarray:
    """All numbers of a curve's counts in one array of int64."""
    return np.concatenate([
        counts.matched_pred, counts.pred, counts.matched_target,
        [counts.target, counts.judged]])
