"""Registered metrics over :mod:`mmcrack.functional.metrics`."""

from mmcrack.evaluation.metrics.boundary_accuracy_metric import (
    BoundaryAccuracyMetric,
)
from mmcrack.evaluation.metrics.crack_metric import CrackMetric

__all__ = ['BoundaryAccuracyMetric', 'CrackMetric']
