"""What every metric takes for a mask: {0, 1} arrays of one shape.

Not in the papers: a probability map or a {0, 255} mask that slips into a
metric gives a plausible wrong figure, so anything but 0 and 1 is refused.
"""

import numpy as np
import torch


def binary_masks(pred, target, *, valid=None):
    """Check a prediction, its truth and the judged pixels; make them bool.

    Args:
        pred (np.ndarray | Tensor): Any shape, bool or values {0, 1}; 1 is
            crack. Values where ``valid`` is false do not matter.
        target (np.ndarray | Tensor): Like ``pred``.
        valid (np.ndarray | Tensor, optional): Bool or {0, 1}, same shape:
            true where a pixel is judged, false where it is ignored.

    Returns:
        tuple: ``pred``, ``target`` and ``valid`` (or None) as bool arrays
        of one family: tensors on one device if any of the first two is a
        tensor, numpy arrays otherwise.

    Raises:
        ValueError: If shapes differ or a judged value is neither 0 nor 1.
    """
    tensors = [x for x in (pred, target) if isinstance(x, torch.Tensor)]
    if tensors:
        device = tensors[0].device
        pred, target = (
            torch.as_tensor(x, device=device) for x in (pred, target))
        if valid is not None:
            valid = torch.as_tensor(valid, device=device)
    else:
        pred, target = np.asarray(pred), np.asarray(target)
        if valid is not None:
            valid = as_numpy(valid)
    for name, array in (('target', target), ('valid', valid)):
        if array is not None and array.shape != pred.shape:
            raise ValueError(
                f'pred and {name} must have one shape, got '
                f'{tuple(pred.shape)} and {tuple(array.shape)}: bring both '
                'to the size of the original image.')
    if valid is not None:
        valid = _binary(valid, name='valid', valid=None)
    return (_binary(pred, name='pred', valid=valid),
            _binary(target, name='target', valid=valid), valid)


def as_numpy(array) -> np.ndarray:
    """Bring an array or tensor to host memory.

    Args:
        array (np.ndarray | Tensor): Any shape and dtype.

    Returns:
        np.ndarray: The same values; no copy where none is needed.
    """
    if isinstance(array, torch.Tensor):
        return array.detach().cpu().numpy()
    return np.asarray(array)


def image_masks(pred, target, *, valid=None):
    """Check the masks of one image; on the host, ignored pixels emptied.

    For metrics that look at shapes: an ignored pixel is neither crack of
    the prediction nor of the truth, whatever it holds.

    Args:
        pred (np.ndarray | Tensor): (H, W), bool or {0, 1}; 1 is crack.
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}.
        valid (np.ndarray | Tensor, optional): (H, W), bool or {0, 1}; false
            where a pixel is ignored.

    Returns:
        tuple: ``pred``, ``target`` and ``valid`` (or None), bool arrays.

    Raises:
        ValueError: If a mask is not 2-D, shapes differ or a judged value is
            neither 0 nor 1.
    """
    pred, target = as_numpy(pred), as_numpy(target)
    if pred.ndim != 2:
        raise ValueError('pred must be one image of shape (H, W), got '
                         f'{pred.shape}: call once for each image.')
    pred, target, valid = binary_masks(pred, target, valid=valid)
    if valid is not None:
        pred, target = pred & valid, target & valid
    return pred, target, valid


def probability_and_mask(prob, target, *, valid=None):
    """Check a probability map and the truth of one image; on the host.

    Args:
        prob (np.ndarray | Tensor): (H, W), probability of crack in [0, 1].
            Values where ``valid`` is false do not matter.
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}; 1 is crack.
        valid (np.ndarray | Tensor, optional): (H, W), bool or {0, 1}; false
            where a pixel is ignored.

    Returns:
        tuple: ``prob``, float32 or float64, -1 where ignored; ``target``
        and ``valid`` (or None), bool, ``target`` false where ignored.

    Raises:
        ValueError: If a map is not 2-D, shapes differ, a judged probability
            is outside [0, 1] or a judged label neither 0 nor 1.
    """
    prob = as_numpy(prob)
    target, _, valid = image_masks(target, target, valid=valid)
    if prob.shape != target.shape:
        raise ValueError(
            f'prob and target must have one shape, got {prob.shape} and '
            f'{target.shape}: bring both to the size of the original image.')
    if prob.dtype not in (np.float32, np.float64):
        kind = np.float32 if prob.dtype == np.float16 else np.float64
        prob = prob.astype(kind)
    if valid is not None:
        prob = np.where(valid, prob, prob.dtype.type(-1))
    seen = prob if valid is None else prob[valid]
    # NaN makes both comparisons false.
    if seen.size and not (seen.min() >= 0 and seen.max() <= 1):
        raise ValueError(
            'prob must hold probabilities in [0, 1], got '
            f'{seen.min():g} to {seen.max():g}: logits need a sigmoid or '
            'softmax first, 8-bit maps a division by 255.')
    return prob, target, valid


def count_judged(shape: tuple, valid) -> int:
    """Count the pixels of an image that are not ignored.

    Args:
        shape (tuple[int, int]): Of the image.
        valid (np.ndarray, optional): Bool, (H, W).

    Returns:
        int: Pixels.
    """
    if valid is None:
        return int(np.prod(shape))
    return int(np.count_nonzero(valid))


def bounding_box(mask: np.ndarray, *, margin: int):
    """Return the slices around all that is set.

    Args:
        mask (np.ndarray): Bool, (H, W).
        margin (int): Pixels to add on each side, inside the image.

    Returns:
        tuple[slice, slice] | None: Rows and columns; None if nothing is
        set.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    if not rows.size:
        return None
    columns = np.flatnonzero(mask[rows[0]:rows[-1] + 1].any(axis=0))
    return tuple(
        slice(max(int(x[0]) - margin, 0), int(x[-1]) + margin + 1)
        for x in (rows, columns))


def _binary(mask, *, name, valid):
    """``mask`` as bool; an error names the first value not in {0, 1}."""
    if mask.dtype in (torch.bool, np.dtype(bool)):
        return mask
    if valid is None and mask.dtype == np.uint8 and mask.max(initial=0) < 2:
        return mask.view(bool)
    ones = mask == 1
    wrong = ~(ones | (mask == 0))
    if valid is not None:
        wrong &= valid
    if wrong.any():
        value = mask[wrong].reshape(-1)[0].item()
        raise ValueError(
            f'{name} must hold only 0 and 1 (1 is crack), got {value:g}: '
            'binarise it first, for example prob >= 0.5 or mask == 255.')
    return ones
