"""Slow, plain definitions to hold the package's fast ones against.

One section for each subject. Nothing here imports mmcrack.
"""

import math

import cv2
import numpy as np

# --- metrics: counts --------------------------------------------------------


def count_pixels(pred, target, valid=None):
    """TP, FP, FN, TN by walking over the pixels."""
    pred, target = np.asarray(pred), np.asarray(target)
    found = {(1, 1): 0, (1, 0): 0, (0, 1): 0, (0, 0): 0}
    for index in np.ndindex(pred.shape):
        if valid is None or valid[index]:
            found[int(pred[index]), int(target[index])] += 1
    return found[1, 1], found[1, 0], found[0, 1], found[0, 0]


def textbook_ratios(tp, fp, fn, tn):
    """Six ratios where all denominators are positive or P = R = 0."""
    precision = tp / (tp + fp) if tp + fp else 0.0
    recall = tp / (tp + fn)
    f1 = (2 * precision * recall / (precision + recall)
          if precision + recall else 0.0)
    iou = tp / (tp + fp + fn)
    background = tn / (tn + fp + fn) if tn + fp + fn else iou
    return {
        'IoU': iou,
        'Dice': 2 * tp / (2 * tp + fp + fn),
        'Precision': precision,
        'Recall': recall,
        'F1': f1,
        'mIoU': (iou + background) / 2,
    }


# --- metrics: mean boundary accuracy ----------------------------------------


def band_score(pred, target, band, mode):
    """Accuracy or IoU of crack among the pixels of a band."""
    p, t = pred[band] > 0, target[band] > 0
    if mode == 'accuracy':
        return (p == t).sum() / p.size if p.size else math.nan
    union = (p | t).sum()
    return (p & t).sum() / union if union else math.nan


def mba_radii(height, width, min_radius=1):
    """Radii of CascadePSP's code, not shrinking below ``min_radius``."""
    max_radius = max((width + height) / 300, min_radius)
    return [
        min_radius + int((max_radius - min_radius) / 5 * i) for i in range(5)
    ]


def opencv_mba(pred, target, min_radius=1, mode='accuracy'):
    """CascadePSP's evaluation: five morphological gradients by OpenCV."""
    pred, target = (np.asarray(x).astype(np.uint8) for x in (pred, target))
    scores = []
    for radius in mba_radii(*target.shape, min_radius):
        side = 2 * radius + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        band = cv2.morphologyEx(target, cv2.MORPH_GRADIENT, kernel) > 0
        if not band.any():
            return math.nan
        scores.append(band_score(pred, target, band, mode))
    return sum(scores) / 5


def window_mba(pred, target, valid, min_radius=1, mode='accuracy'):
    """The same with ignored pixels, by looking into every window."""
    height, width = target.shape
    scores = []
    for radius in mba_radii(height, width, min_radius):
        side = 2 * radius + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        offsets = np.argwhere(kernel) - radius
        band = np.zeros_like(valid)
        for y, x in np.argwhere(valid):
            near = offsets + (y, x)
            inside = ((near >= 0) & (near < (height, width))).all(axis=1)
            rows, columns = near[inside].T
            seen = target[rows, columns][valid[rows, columns]]
            band[y, x] = (seen > 0).any() and (seen == 0).any()
        scores.append(band_score(pred, target, band, mode))
    scores = [score for score in scores if not math.isnan(score)]
    return sum(scores) / len(scores) if scores else math.nan
