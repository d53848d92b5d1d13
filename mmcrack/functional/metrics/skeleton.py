"""Centre lines, and how much of them is found.

Sources: JTFN (Cheng et al., ICCV 2021) after Wiedemann et al. 1998,
correctness, completeness and quality; Benz and Rodehorst, "OmniCrack30k",
CVPRW 2024, clIoU.

A skeleton hangs on the algorithm: scikit-image's ``skeletonize`` with the
method of Zhang (the default of the field's code) or of Lee. It is made of
the judged crack: ignored pixels are background to it.
"""

import numpy as np
from skimage.morphology import skeletonize

from mmcrack.functional.metrics.masks import (
    bounding_box,
    count_judged,
    image_masks,
)
from mmcrack.functional.metrics.near import check_reach
from mmcrack.functional.metrics.tolerance import (
    MatchCounts,
    match_ratios,
    match_within,
)
from mmcrack.functional.metrics.undefined import ratio, where_defined

SKELETON_METHODS = ('zhang', 'lee')


def skeleton(mask: np.ndarray, *, method: str) -> np.ndarray:
    """Return the centre lines of a mask, one pixel wide.

    Args:
        mask (np.ndarray): Bool, (H, W).
        method (str): ``'zhang'`` or ``'lee'``.

    Returns:
        np.ndarray: Bool, (H, W), a part of the mask.

    Raises:
        ValueError: If ``method`` is unknown.
    """
    if method not in SKELETON_METHODS:
        raise ValueError(f"method must be one of "
                         f"{', '.join(SKELETON_METHODS)}, got {method!r}.")
    out = np.zeros_like(mask)
    # Both methods look at 3 x 3 pixels and see background beyond the
    # border, so that an empty frame of one pixel changes nothing.
    box = bounding_box(mask, margin=1)
    if box is not None:
        out[box] = skeletonize(
            np.ascontiguousarray(mask[box]), method=method) > 0
    return out


def skeleton_counts(pred, target, *, tau, shape='disc', method='zhang',
                    thin=True, valid=None) -> MatchCounts:
    """Count the skeletons' pixels that lie near the other skeleton.

    ``match_ratios`` gives correctness (``'Precision'``) and completeness
    (``'Recall'``); see :func:`skeleton_ratios` and :func:`cliou`.

    Args:
        pred (np.ndarray | Tensor): (H, W), bool or {0, 1}; 1 is crack.
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}.
        tau (float): Tolerance in pixels: 0 as JTFN's code was released, 2
            as its paper says, 4 in OmniCrack30k.
        shape (str): ``'disc'``, Euclidean distance, or ``'square'``.
        method (str): See :func:`skeleton`.
        thin (bool): False where both are centre lines already.
        valid (np.ndarray | Tensor, optional): (H, W), bool or {0, 1}; false
            where a pixel is ignored.

    Returns:
        MatchCounts: Of the skeletons; ``+`` pools.

    Raises:
        ValueError: If a mask is not 2-D, shapes differ, a judged value is
            neither 0 nor 1, the tolerance is none or ``method`` is unknown.
    """
    check_reach(tau=tau, shape=shape)
    pred, target, valid = image_masks(pred, target, valid=valid)
    if thin:
        pred, target = (skeleton(x, method=method) for x in (pred, target))
    return match_within(
        pred, target, tau=tau, shape=shape,
        judged=count_judged(target.shape, valid))


def skeleton_ratios(counts: MatchCounts, *, empty: str) -> dict:
    """Correctness, completeness and quality of skeletons.

    Quality is as JTFN's code has it: matched predicted pixels / (predicted
    + true - matched true pixels).

    Example: 5 of 9 predicted and 5 of 9 true pixels matched gives 5/9, 5/9
    and 5/13.

    Args:
        counts (MatchCounts): Of :func:`skeleton_counts`, or a sum of them.
        empty (str): ``'skip'``, ``'zero'`` (what adding 1e-7 to each
            denominator does in JTFN's code) or ``'one'``.

    Returns:
        dict[str, float | np.ndarray]: ``Correctness, Completeness,
        Quality``. Quality can pass 1 where many predicted pixels lean on
        few true ones.

    Raises:
        ValueError: If ``empty`` is no rule.
    """
    found = match_ratios(counts, empty=empty)
    quality = ratio(
        counts.matched_pred,
        np.asarray(counts.pred) + counts.target - counts.matched_target)
    return {
        'Correctness': found['Precision'],
        'Completeness': found['Recall'],
        'Quality': where_defined(
            quality, target=counts.target, pred=counts.pred,
            judged=counts.judged, empty=empty),
    }


def cliou(pred, target, *, tau, empty, shape='disc', method='zhang',
          thin=True, valid=None) -> float:
    """Return OmniCrack30k's IoU of centre lines with a tolerance.

    TP are true pixels within ``tau`` of a predicted one, FP predicted ones
    without truth within ``tau``, FN the other true ones.

    Args:
        pred (np.ndarray | Tensor): (H, W), bool or {0, 1}; 1 is crack (in
            the files of OmniCrack30k 0 is).
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}.
        tau (float): Tolerance in pixels; 4 in the released code.
        empty (str): ``'skip'``, ``'zero'`` or ``'one'``; what a truth
            without crack scores.
        shape (str): ``'disc'`` as in the released code, or ``'square'``.
        method (str): See :func:`skeleton`.
        thin (bool): False where both are centre lines already, as in the
            released code.
        valid (np.ndarray | Tensor, optional): (H, W); false where a pixel
            is ignored.

    Returns:
        float: In [0, 1] or NaN.

    Raises:
        ValueError: As :func:`skeleton_counts`; if ``empty`` is no rule.
    """
    counts = skeleton_counts(
        pred, target, tau=tau, shape=shape, method=method, thin=thin,
        valid=valid)
    return match_ratios(counts, empty=empty)['IoU']
