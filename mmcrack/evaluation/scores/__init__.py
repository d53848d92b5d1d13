"""Scores of sets of images, pure of OpenMMLab: rows, figures, protocols."""

from mmcrack.evaluation.scores.base import Figure, Score, ScoredImage
from mmcrack.evaluation.scores.protocols import (
    PROTOCOLS,
    Protocol,
    find_protocol,
)
from mmcrack.evaluation.scores.registry import (
    ALL_METRICS,
    SCORES,
    build_scores,
    list_scores,
    read_spec,
)
from mmcrack.evaluation.scores.suite import (
    Suite,
    columns_of,
    plain_rows,
    take,
)

__all__ = [
    'ALL_METRICS', 'PROTOCOLS', 'SCORES', 'Figure', 'Protocol', 'Score',
    'ScoredImage', 'Suite', 'build_scores', 'columns_of', 'find_protocol',
    'list_scores', 'plain_rows', 'read_spec', 'take'
]
