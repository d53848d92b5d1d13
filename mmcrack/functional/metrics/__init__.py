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
ODS, OIS, AP, AIU            ``curve`` (probabilities) -> ``ods``, ``ois``,
                             ``average_precision``, ``aiu``; grids in
                             ``GRIDS``; BSDS 2004, FPHB 2020,
                             CrackFormer-II
Betti errors                 ``betti_errors`` -> ``betti_means``; TopoNet
                             2019
HD, HD95, ASSD               ``surface_distances`` -> ``hausdorff``,
                             ``hausdorff95``, ``assd`` (no pooling)
calibration (ECE)            ``calibration_bins`` (probabilities) ->
                             ``expected_calibration_error``; Guo et al.
                             2017
AUROC of an uncertainty map  ``variance_auroc``, ``error_histogram`` ->
                             ``pooled_auroc``
intervals and comparisons    ``bootstrap_mean``, ``bootstrap_ratio``,
                             ``paired_bootstrap_mean``,
                             ``paired_bootstrap_ratio``; Efron 1979
===========================  ============================================
"""

from mmcrack.functional.metrics.betti import (
    BettiErrors,
    betti_errors,
    betti_means,
    betti_numbers,
)
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
from mmcrack.functional.metrics.calibration import (
    CalibrationBins,
    calibration_bins,
    expected_calibration_error,
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
from mmcrack.functional.metrics.curve_scores import (
    BestPoint,
    aiu,
    average_precision,
    ods,
    ois,
)
from mmcrack.functional.metrics.curves import GRIDS, Curve, curve
from mmcrack.functional.metrics.resampling import (
    Difference,
    Interval,
    bootstrap_mean,
    bootstrap_ratio,
    paired_bootstrap_mean,
    paired_bootstrap_ratio,
)
from mmcrack.functional.metrics.skeleton import (
    cliou,
    skeleton_counts,
    skeleton_ratios,
)
from mmcrack.functional.metrics.surface_distance import (
    SurfaceDistances,
    assd,
    hausdorff,
    hausdorff95,
    surface_distances,
)
from mmcrack.functional.metrics.tolerance import (
    MatchCounts,
    match_ratios,
    tolerance_counts,
    tolerance_f1,
)
from mmcrack.functional.metrics.uncertainty import (
    ErrorHistogram,
    error_histogram,
    pooled_auroc,
    variance_auroc,
)

__all__ = [
    'GRIDS', 'BestPoint', 'BettiErrors', 'CalibrationBins', 'Counts', 'Curve',
    'Difference', 'ErrorHistogram', 'Interval', 'MatchCounts',
    'SurfaceDistances', 'aiu', 'assd', 'average_precision',
    'background_counts', 'betti_errors', 'betti_means', 'betti_numbers',
    'bootstrap_mean', 'bootstrap_ratio', 'boundary_accuracy',
    'boundary_counts', 'boundary_f1', 'boundary_f1_counts', 'boundary_floor',
    'boundary_iou', 'boundary_iou_counts', 'boundary_radii', 'boundary_width',
    'calibration_bins', 'cldice', 'cldice_counts', 'cliou', 'confusion_counts',
    'curve', 'dice', 'ellipse_half_widths', 'error_histogram',
    'expected_calibration_error', 'f1', 'hausdorff', 'hausdorff95', 'iou',
    'match_ratios', 'mean_iou', 'mean_over_bands', 'ods', 'ois',
    'paired_bootstrap_mean', 'paired_bootstrap_ratio', 'pooled_auroc',
    'precision', 'ratios', 'recall', 'skeleton_counts', 'skeleton_ratios',
    'surface_distances', 'tolerance_counts', 'tolerance_f1', 'variance_auroc'
]
