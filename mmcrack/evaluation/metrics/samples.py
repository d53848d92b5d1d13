"""Prediction, truth and judged pixels out of a data sample of mmseg.

The one place that knows how mmseg stores them: a segmentor with one output
channel leaves probabilities (already through the sigmoid) in ``seg_logits``
and a float mask in ``pred_sem_seg``; one with more channels leaves raw
logits and an index map. Both lie at the size of the original image.
"""

import torch
from torch import Tensor

from mmcrack.functional.probability import crack_probability


def image_name(sample: dict) -> str:
    """Return what errors and tables call an image.

    Args:
        sample (dict): A data sample.

    Returns:
        str: ``img_path``, or '<unnamed image>' without one.
    """
    return str(sample.get('img_path') or '<unnamed image>')


def logits_name(prediction: str) -> str:
    """Return the field with the logits of a prediction.

    Args:
        prediction (str): ``pred_sem_seg``, or another field with a
            prediction, such as ``coarse_sem_seg``.

    Returns:
        str: ``seg_logits``, or such as ``coarse_seg_logits``.
    """
    if prediction == 'pred_sem_seg':
        return 'seg_logits'
    return f'{prediction.removesuffix("_sem_seg")}_seg_logits'


def field(sample: dict, name: str):
    """Return the tensor of a pixel field.

    Args:
        sample (dict): A data sample.
        name (str): ``pred_sem_seg``, ``gt_sem_seg``, ``seg_logits``, ...

    Returns:
        Tensor | None: As stored; None if the sample has no such field.
    """
    stored = sample.get(name)
    if stored is None:
        return None
    data = stored['data'] if isinstance(stored, dict) else stored.data
    return torch.as_tensor(data)


def index_map(sample: dict, name: str, cure: str) -> Tensor:
    """Return a map of class indices.

    Args:
        sample (dict): A data sample.
        name (str): ``pred_sem_seg`` or ``gt_sem_seg``.
        cure (str): What to do where it is missing, for the error.

    Returns:
        Tensor: (H, W), of the stored dtype.

    Raises:
        ValueError: If the field is missing or is not one map.
    """
    data = field(sample, name)
    if data is None:
        raise ValueError(f'{image_name(sample)} has no {name}: {cure}')
    if data.ndim == 3 and data.shape[0] == 1:
        data = data[0]
    if data.ndim != 2:
        raise ValueError(
            f'{name} of {image_name(sample)} must have shape (1, H, W) or '
            f'(H, W), got {tuple(data.shape)}.')
    return data


def probability_map(sample: dict, *, crack_class: int,
                    prediction: str = 'pred_sem_seg'):
    """Return the probability of crack, whatever the number of channels.

    Args:
        sample (dict): A data sample.
        crack_class (int): Class index of crack.
        prediction (str): Field of the prediction whose logits are meant.

    Returns:
        Tensor | None: Float, (H, W), in [0, 1]; None without logits.

    Raises:
        ValueError: If the logits are not (C, H, W), have no channel
            ``crack_class`` or, with one channel, are outside [0, 1].
    """
    name = logits_name(prediction)
    logits = field(sample, name)
    if logits is None:
        return None
    if logits.ndim != 3:
        raise ValueError(
            f'{name} of {image_name(sample)} must have shape (C, H, W), '
            f'got {tuple(logits.shape)}.')
    if logits.shape[0] > 1:
        return crack_probability(logits[None], crack_class=crack_class)[0]
    if crack_class != 1:
        raise ValueError(
            'crack_class must be 1 with a head of one output channel (its '
            f'only class beside the background), got {crack_class}.')
    prob = logits[0].float()
    if prob.numel() and not (0 <= prob.min() and prob.max() <= 1):
        raise ValueError(
            f'{name} of {image_name(sample)} with one channel must hold '
            'probabilities in [0, 1], as mmseg stores them, got values from '
            f'{prob.min().item():g} to {prob.max().item():g}.')
    return prob


def predicted_crack(sample: dict, *, crack_class: int, threshold,
                    prediction: str = 'pred_sem_seg') -> Tensor:
    """Return the predicted crack.

    Args:
        sample (dict): A data sample.
        crack_class (int): Class index of crack.
        threshold (float, optional): Crack where the probability is at least
            this; None, or a sample without logits: where the prediction is
            ``crack_class``.
        prediction (str): Field of the prediction.

    Returns:
        Tensor: Bool, (H, W).

    Raises:
        ValueError: If the sample has no usable prediction.
    """
    if threshold is not None:
        prob = probability_map(
            sample, crack_class=crack_class, prediction=prediction)
        if prob is not None:
            return prob >= threshold
    return index_map(
        sample, prediction,
        'the metric needs the output of a segmentor in predict mode'
        + ('.' if prediction == 'pred_sem_seg' else
           ', of one that leaves this field.')) == crack_class


def stale_logits(sample: dict, *, crack_class: int,
                 prediction: str = 'pred_sem_seg') -> bool:
    """Tell whether logits cannot be what a prediction came from.

    mmseg's test-time augmentation merges the views into ``pred_sem_seg``
    and leaves the last view's ``seg_logits`` beside it.

    Args:
        sample (dict): A data sample.
        crack_class (int): Class index of crack.
        prediction (str): Field of the prediction.

    Returns:
        bool: True if a pixel taken for crack is less probable than one that
        is not (one or two channels), or no arg-max (more channels). False
        where either field is missing.
    """
    logits = field(sample, logits_name(prediction))
    if logits is None or field(sample, prediction) is None:
        return False
    label = index_map(sample, prediction, '')
    if label.shape != logits.shape[1:]:
        return True
    crack = label == crack_class
    if logits.shape[0] > 2:
        return not torch.equal(logits.argmax(dim=0) == crack_class, crack)
    prob = probability_map(
        sample, crack_class=crack_class, prediction=prediction)
    taken, left = prob[crack], prob[~crack]
    return bool(taken.numel() and left.numel() and taken.min() < left.max())


def true_crack(sample: dict, *, crack_class: int, ignore_index: int,
               num_classes) -> tuple:
    """Return the crack of the truth and the pixels that are judged.

    Args:
        sample (dict): A data sample.
        crack_class (int): Class index of crack.
        ignore_index (int): Label of ignored pixels.
        num_classes (int, optional): Classes of the data set, to refuse
            labels that are none.

    Returns:
        tuple[Tensor, Tensor | None]: Bool, (H, W) each; the second is None
        where every pixel is judged.

    Raises:
        ValueError: If the truth is missing or holds a label that is no
            class.
    """
    label = index_map(
        sample, 'gt_sem_seg',
        'put LoadAnnotations after Resize into the test pipeline, or set '
        'format_only=True of CrackMetric for images without truth.')
    valid = label != ignore_index
    if num_classes is not None:
        wrong = valid & ((label < 0) | (label >= num_classes))
        if wrong.any():
            raise ValueError(
                f'gt_sem_seg of {image_name(sample)} must hold classes 0 to '
                f'{num_classes - 1} or {ignore_index} (ignored), got '
                f'{label[wrong][0].item():g}: load its mask as '
                'mmcrack.CrackDataset does.')
    crack = (label == crack_class) & valid
    return crack, None if valid.all() else valid
