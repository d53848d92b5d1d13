"""Crack metrics as pure functions of masks.

All take ``(pred, target, *, ..., valid=None)``: 2-D masks of one image, bool
or {0, 1} (probabilities where the table says so), numpy or torch. A
``..._counts`` function returns a frozen dataclass of counts; ``+`` pools the
images of a set, and a ``..._ratios`` function makes figures of it, of one
image or of a pool. ``empty`` says what a truth without crack scores, see
:mod:`mmcrack.functional.metrics.undefined`.

===========================  ============================================
metric                       functions; source
===========================  ============================================
P, R, F1, IoU, Dice, mIoU    ``confusion_counts``, ``ratios``
mBA                          ``boundary_accuracy``; CascadePSP 2020
Boundary IoU                 ``boundary_iou``, ``boundary_iou_counts`` ->
                             ``iou``; Cheng et al. 2021
boundary F1                  ``boundary_f1``, ``boundary_f1_counts`` ->
                             ``match_ratios``; Csurka et al. 2013
P, R, F1 with a tolerance    ``tolerance_f1``, ``tolerance_counts`` ->
                             ``match_ratios``; CrackTree 2012 and others
clIoU                        ``cliou``, ``skeleton_counts`` ->
                             ``match_ratios``; OmniCrack30k 2024
clDice                       ``cldice``, ``cldice_counts`` ->
                             ``match_ratios``; Shit et al. 2021
correctness, completeness,   ``skeleton_counts`` -> ``skeleton_ratios``;
quality                      Wiedemann et al. 1998, JTFN 2021
===========================  ============================================
"""

from mmcrack.functional.metrics.boundary import (
    background_counts,
    boundary_accuracy,
    boundary_counts,
    boundary_floor,
    boundary_radii,
    ellipse_half_widths,
    mean_over_bands,
)
from mmcrack.functional.metrics.boundary_f1 import (
    boundary_f1,
    boundary_f1_counts,
)
from mmcrack.functional.metrics.boundary_iou import (
    boundary_iou,
    boundary_iou_counts,
    boundary_width,
)
from mmcrack.functional.metrics.cldice import cldice, cldice_counts
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
from mmcrack.functional.metrics.skeleton import (
    cliou,
    skeleton_counts,
    skeleton_ratios,
)
from mmcrack.functional.metrics.tolerance import (
    MatchCounts,
    match_ratios,
    tolerance_counts,
    tolerance_f1,
)

__all__ = [
    'Counts', 'MatchCounts', 'background_counts', 'boundary_accuracy',
    'boundary_counts', 'boundary_f1', 'boundary_f1_counts',
    'boundary_floor', 'boundary_iou', 'boundary_iou_counts',
    'boundary_radii', 'boundary_width', 'cldice', 'cldice_counts', 'cliou',
    'confusion_counts', 'dice', 'ellipse_half_widths', 'f1', 'iou',
    'match_ratios', 'mean_iou', 'mean_over_bands', 'precision', 'ratios',
    'recall', 'skeleton_counts', 'skeleton_ratios', 'tolerance_counts',
    'tolerance_f1'
]
