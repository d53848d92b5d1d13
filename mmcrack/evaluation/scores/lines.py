"""Scores of centre lines."""

from mmcrack.evaluation.scores.base import ScoredImage, number_text
from mmcrack.evaluation.scores.overlap import MatchScore
from mmcrack.functional.metrics.cldice import cldice_counts
from mmcrack.functional.metrics.near import check_reach
from mmcrack.functional.metrics.skeleton import (
    SKELETON_METHODS,
    skeleton_counts,
    skeleton_ratios,
)
from mmcrack.functional.metrics.tolerance import MatchCounts


def _tail(*, tau: float | None, shape: str, method: str) -> str:
    """End of the keys: what is unlike the usual is named."""
    if method not in SKELETON_METHODS:
        raise ValueError(f"method must be one of "
                         f"{', '.join(SKELETON_METHODS)}, got {method!r}.")
    parts = [] if tau is None else [f'{number_text(tau)}px']
    parts += [] if shape == 'disc' else [shape]
    parts += [] if method == 'zhang' else [method]
    return ''.join(f'_{part}' for part in parts)


class ClDiceScore(MatchScore):
    """clDice with its two halves.

    Args:
        empty (str): See :class:`Score`.
        method (str): Of the skeletons, ``'zhang'`` or ``'lee'``.

    Raises:
        ValueError: If ``method`` is unknown.
    """

    name = 'cldice'
    title = 'clDice and its two halves (method=zhang|lee)'

    def __init__(self, *, empty: str, method: str = 'zhang') -> None:
        tail = _tail(tau=None, shape='disc', method=method)
        super().__init__(empty=empty, names={
            'Precision': f'clPrecision{tail}',
            'Recall': f'clSensitivity{tail}',
            'F1': f'clDice{tail}'})
        self.method = method

    def count(self, image: ScoredImage) -> MatchCounts:
        """Count skeleton pixels; see :meth:`MatchScore.count`."""
        return cldice_counts(image.pred, image.target, method=self.method,
                             valid=image.valid)


class CentreLineIoUScore(MatchScore):
    """OmniCrack30k's clIoU: the IoU of centre lines with a tolerance.

    Args:
        empty (str): See :class:`Score`.
        tau (float): Tolerance in pixels.
        shape (str): ``'disc'`` or ``'square'``.
        method (str): Of the skeletons, ``'zhang'`` or ``'lee'``.
        thin (bool): False where the masks are centre lines already.

    Raises:
        ValueError: If an argument is outside its range.
    """

    name = 'cliou'
    title = ('clIoU: IoU of centre lines within tau=4 px (thin=false for '
             'masks that are centre lines)')

    def __init__(self, *, empty: str, tau: float = 4, shape: str = 'disc',
                 method: str = 'zhang', thin: bool = True) -> None:
        check_reach(tau=tau, shape=shape)
        tail = _tail(tau=tau, shape=shape, method=method)
        super().__init__(empty=empty, names={
            'IoU': f'clIoU{tail}' + ('' if thin else '_as_given')})
        self.settings = dict(tau=tau, shape=shape, method=method, thin=thin)

    def count(self, image: ScoredImage) -> MatchCounts:
        """Count skeleton pixels; see :meth:`MatchScore.count`."""
        return skeleton_counts(image.pred, image.target, valid=image.valid,
                               **self.settings)


class SkeletonScore(CentreLineIoUScore):
    """Correctness, completeness and quality of centre lines.

    Args:
        empty (str): See :class:`Score`.
        tau (float): Tolerance in pixels.
        shape (str): ``'disc'`` or ``'square'``.
        method (str): Of the skeletons, ``'zhang'`` or ``'lee'``.
        thin (bool): False where the masks are centre lines already.

    Raises:
        ValueError: If an argument is outside its range.
    """

    name = 'skeleton'
    title = ('correctness, completeness, quality of centre lines within '
             "tau=2 px (tau=0 is JTFN's released code)")

    def __init__(self, *, empty: str, tau: float = 2, shape: str = 'disc',
                 method: str = 'zhang', thin: bool = True) -> None:
        super().__init__(empty=empty, tau=tau, shape=shape, method=method,
                         thin=thin)
        tail = _tail(tau=tau, shape=shape, method=method)
        tail += '' if thin else '_as_given'
        MatchScore.__init__(self, empty=empty, names={
            name: f'{name}{tail}'
            for name in ('Correctness', 'Completeness', 'Quality')})

    def ratios(self, counts: MatchCounts) -> dict:
        """Return correctness, completeness and quality in [0, 1]."""
        return skeleton_ratios(counts, empty=self.empty)
