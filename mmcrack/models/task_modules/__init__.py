"""Registered point samplers."""

from mmcrack.models.task_modules.point_samplers import (
    BoundaryPointSampler,
    ImportancePointSampler,
    UncertainPointSampler,
)

__all__ = [
    'BoundaryPointSampler', 'ImportancePointSampler', 'UncertainPointSampler'
]
