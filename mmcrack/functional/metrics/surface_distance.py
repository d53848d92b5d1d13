"""Distances between outlines: HD, HD95 and ASSD.

Hausdorff distance, its 95th percentile and the average symmetric surface
distance, as medical imaging measures them, in pixels. Packages differ in
what the percentile and the mean are taken of:

* ``'pooled'``: of the distances of both directions together;
* ``'directed'``: of each direction alone, then the larger (HD95) or the mean
  (ASSD) of the two. MONAI's HD95 is this one, its symmetric ASSD pooled;
  MedPy's HD95 is pooled and its ASSD directed.
"""

from dataclasses import dataclass

import numpy as np

from mmcrack.functional.metrics.masks import bounding_box, image_masks
from mmcrack.functional.metrics.near import distance_to, surface

CONVENTIONS = ('pooled', 'directed')


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """Distance of each outline pixel to the other outline, in pixels.

    Attributes:
        to_target (np.ndarray): Float64, (M,), of the predicted outline;
            infinite where the truth has none.
        to_pred (np.ndarray): Float64, (N,), of the true outline.
    """

    to_target: np.ndarray
    to_pred: np.ndarray


def surface_distances(pred, target, *, valid=None) -> SurfaceDistances:
    """Measure the distances between the outlines of one image.

    An outline pixel is crack and has background above, below, left or right
    (the border of the image is background, an ignored pixel is not).

    Args:
        pred (np.ndarray | Tensor): (H, W), bool or {0, 1}; 1 is crack.
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}.
        valid (np.ndarray | Tensor, optional): (H, W), bool or {0, 1}; false
            where a pixel is ignored.

    Returns:
        SurfaceDistances: Of both directions.

    Raises:
        ValueError: If a mask is not 2-D, shapes differ or a judged value is
            neither 0 nor 1.
    """
    pred, target, valid = image_masks(pred, target, valid=valid)
    mine, truth = surface(pred, valid), surface(target, valid)
    box = bounding_box(mine | truth, margin=0)
    if box is None:
        nothing = np.zeros(0)
        return SurfaceDistances(nothing, nothing)
    mine, truth = (np.ascontiguousarray(x[box]) for x in (mine, truth))
    return SurfaceDistances(_read(truth, at=mine), _read(mine, at=truth))


def hausdorff(distances: SurfaceDistances) -> float:
    """Return the largest distance of an outline pixel to the other outline.

    Args:
        distances (SurfaceDistances): Of one image.

    Returns:
        float: In pixels; NaN where the truth is empty, infinite where only
        the prediction is. Report how many images these are.
    """
    return _both(distances, lambda a, b: max(a.max(), b.max()))


def hausdorff95(distances: SurfaceDistances, *, convention: str) -> float:
    """Return the 95th percentile of the distances.

    Args:
        distances (SurfaceDistances): Of one image.
        convention (str): ``'pooled'`` or ``'directed'`` (the larger of the
            two percentiles); see the module. Percentiles are numpy's,
            linear between two distances.

    Returns:
        float: In pixels; NaN or infinite as :func:`hausdorff`.

    Raises:
        ValueError: If ``convention`` is unknown.
    """
    _check_convention(convention)
    if convention == 'pooled':
        return _both(distances, lambda a, b: np.percentile(
            np.concatenate([a, b]), 95))
    return _both(
        distances,
        lambda a, b: max(np.percentile(a, 95), np.percentile(b, 95)))


def assd(distances: SurfaceDistances, *, convention: str) -> float:
    """Return the average symmetric surface distance.

    Args:
        distances (SurfaceDistances): Of one image.
        convention (str): ``'pooled'``: mean of all distances;
            ``'directed'``: mean of the means of both directions.

    Returns:
        float: In pixels; NaN or infinite as :func:`hausdorff`.

    Raises:
        ValueError: If ``convention`` is unknown.
    """
    _check_convention(convention)
    if convention == 'pooled':
        return _both(distances, lambda a, b: (a.sum() + b.sum()) /
                     (a.size + b.size))
    return _both(distances, lambda a, b: (a.mean() + b.mean()) / 2)


def _read(mask: np.ndarray, *, at: np.ndarray) -> np.ndarray:
    """Distances to a mask, at the pixels of another."""
    distance = distance_to(mask)[at].astype(np.float64)
    # Squares are whole numbers; float32 keeps them up to 2048 pixels.
    near = distance < 2048
    distance[near] = np.sqrt(np.rint(distance[near]**2))
    return distance


def _both(distances: SurfaceDistances, formula) -> float:
    """The formula where both outlines exist, NaN or infinity elsewhere."""
    if not distances.to_pred.size:
        return float('nan')
    if not distances.to_target.size:
        return float('inf')
    return float(formula(distances.to_target, distances.to_pred))


def _check_convention(convention: str) -> None:
    """Refuse an unknown convention."""
    if convention not in CONVENTIONS:
        raise ValueError(
            f"convention must be one of {', '.join(CONVENTIONS)} (packages "
            f'differ), got {convention!r}.')
