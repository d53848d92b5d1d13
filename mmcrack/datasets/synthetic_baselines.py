"""How far plain thresholds and ridge filters get on a set of pictures.

Not in the papers: the check that a generated set is not trivial. Each method
gets its best setting over the whole set, chosen on that set itself, so the
figures are upper bounds.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from skimage.filters import frangi

_BLUR = (0.0, 1.0, 2.0)
_BLOCKS = (15, 31, 61, 121)
_OFFSETS = (2, 4, 7, 10, 15, 20, 30, 40)
_SIGMAS = (1.0, 2.0, 4.0, 7.0)
_LEVELS = 400


def baseline_scores(images: Sequence[np.ndarray],
                    masks: Sequence[np.ndarray]) -> dict[str, dict]:
    """Crack IoU of Otsu, adaptive threshold and Frangi, each at its best.

    The counts of all pictures are pooled before dividing. Tuned per method
    over the set: the polarity and the smoothing before (Otsu); polarity,
    window and offset (adaptive); polarity and level (Frangi, scales 1, 2, 4
    and 7 px; Frangi et al. 1998).

    Args:
        images (Sequence[np.ndarray]): Uint8, (H, W, 3) RGB or (H, W).
        masks (Sequence[np.ndarray]): Uint8 or bool, (H, W), crack is not 0.

    Returns:
        dict[str, dict]: For ``'otsu'``, ``'adaptive'`` and ``'frangi'``: a
        dict with ``'iou'`` (0 to 1; NaN where no mask has a crack and
        nothing was found) and ``'setting'`` (str).

    Raises:
        ValueError: If there is no picture, or a mask has another size.
    """
    if len(images) == 0 or len(images) != len(masks):
        raise ValueError(
            'images and masks must be lists of one length, at least 1, got '
            f'{len(images)} and {len(masks)}.')
    greys, truths = [], []
    for number, (image, mask) in enumerate(zip(images, masks, strict=True)):
        if image.shape[:2] != mask.shape:
            raise ValueError(
                f'mask {number} must have the size of its image '
                f'{image.shape[:2]}, got {mask.shape}.')
        greys.append(image if image.ndim == 2 else cv2.cvtColor(
            image, cv2.COLOR_RGB2GRAY))
        truths.append(mask.astype(bool))
    return {
        'otsu': _best(_otsu, greys, truths),
        'adaptive': _best(_adaptive, greys, truths),
        'frangi': _best_frangi(greys, truths)
    }


def _best(method, greys, truths):
    """Pool the counts of every setting and keep the best one."""
    counts = {}
    for grey, truth in zip(greys, truths, strict=True):
        for setting, found in method(grey):
            hit = np.count_nonzero(found & truth)
            union = np.count_nonzero(found | truth)
            old = counts.get(setting, (0, 0))
            counts[setting] = (old[0] + hit, old[1] + union)
    scores = {s: h / u if u else np.nan for s, (h, u) in counts.items()}
    setting = max(scores, key=lambda s: np.nan_to_num(scores[s], nan=-1))
    return {'iou': float(scores[setting]), 'setting': setting}


def _otsu(grey):
    """Yield the global threshold of Otsu 1979, both polarities."""
    for sigma in _BLUR:
        smooth = cv2.GaussianBlur(grey, (0, 0), sigma) if sigma else grey
        level, _ = cv2.threshold(smooth, 0, 255, cv2.THRESH_OTSU)
        yield f'dark, blur {sigma:g}', smooth <= level
        yield f'light, blur {sigma:g}', smooth > level


def _adaptive(grey):
    """Yield the local Gaussian mean thresholds, both polarities."""
    smooth = cv2.GaussianBlur(grey, (0, 0), 1.0)
    for block in _BLOCKS:
        mean = cv2.GaussianBlur(
            smooth.astype(np.float32), (block, block), 0,
            borderType=cv2.BORDER_REPLICATE)
        for offset in _OFFSETS:
            yield f'dark, window {block}, offset {offset}', (
                smooth < mean - offset)
            yield f'light, window {block}, offset {offset}', (
                smooth > mean + offset)


def _best_frangi(greys, truths):
    """Find the best level of the vesselness by its distribution."""
    best = {'iou': np.nan, 'setting': 'none'}
    edges = np.concatenate([[0.0], np.geomspace(1e-8, 1.0, _LEVELS)])
    for dark in (True, False):
        hits = np.zeros(len(edges))
        found = np.zeros(len(edges))
        for grey, truth in zip(greys, truths, strict=True):
            response = frangi(
                grey / 255.0, sigmas=_SIGMAS, black_ridges=dark)
            level = np.searchsorted(edges, response, 'right') - 1
            found += np.bincount(level.ravel(), minlength=len(edges))
            hits += np.bincount(level[truth], minlength=len(edges))
        hits, found = (np.cumsum(a[::-1])[::-1] for a in (hits, found))
        union = found + sum(int(t.sum()) for t in truths) - hits
        scores = np.divide(hits, union, out=np.full(len(edges), np.nan),
                           where=union > 0)
        top = int(np.argmax(np.nan_to_num(scores, nan=-1)))
        if not scores[top] <= best['iou']:
            best = {'iou': float(scores[top]),
                    'setting': f'{"dark" if dark else "light"}, level '
                               f'{edges[top]:.2g}'}
    return best
