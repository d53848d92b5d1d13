"""Crack metrics as pure functions of masks."""

from mmcrack.functional.metrics.boundary import (
    background_counts,
    boundary_accuracy,
    boundary_counts,
    boundary_floor,
    boundary_radii,
    ellipse_half_widths,
    mean_over_bands,
)
from mmcrack.functional.metrics.counts import (
    Counts,
    confusion_counts,
    dice,
    f1,
    iou,
    mean_iou,
    precision,
    ratios,
    recall,
)

__all__ = [
    'Counts', 'background_counts', 'boundary_accuracy', 'boundary_counts',
    'boundary_floor', 'boundary_radii', 'confusion_counts', 'dice',
    'ellipse_half_widths', 'f1', 'iou', 'mean_iou', 'mean_over_bands',
    'precision', 'ratios', 'recall'
]
