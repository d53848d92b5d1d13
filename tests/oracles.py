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


# --- networks: regions, points, guided filter, subdivision ------------------


def opencv_boundary_band(label, dilation):
    """The outermost crack pixels of a {0, 1} map, dilated, by OpenCV."""
    crack = np.asarray(label).astype(np.uint8)
    contour = crack - cv2.erode(crack, np.ones((3, 3), np.uint8))
    side = 2 * dilation + 1
    return cv2.dilate(contour, np.ones((side, side), np.uint8)) > 0


def bilinear_at(image, x, y, border=True):
    """Read a (h, w) array at one point of [0, 1]^2, by the four corners."""
    image = np.asarray(image, dtype=np.float64)
    height, width = image.shape
    column, row = x * width - 0.5, y * height - 0.5
    left, top = math.floor(column), math.floor(row)
    total = 0.
    for i, j in ((top, left), (top, left + 1), (top + 1, left),
                 (top + 1, left + 1)):
        weight = (1 - abs(row - i)) * (1 - abs(column - j))
        if border:
            i, j = np.clip(i, 0, height - 1), np.clip(j, 0, width - 1)
        elif not (0 <= i < height and 0 <= j < width):
            continue
        total += weight * image[i, j]
    return total


def clipped_window_mean(image, radius):
    """Mean over the window around each pixel, cut at the border."""
    image = np.asarray(image, dtype=np.float64)
    out = np.empty_like(image)
    for y, x in np.ndindex(image.shape):
        out[y, x] = image[max(0, y - radius):y + radius + 1,
                          max(0, x - radius):x + radius + 1].mean()
    return out


def plain_guided_filter(guide, src, radius, eps):
    """He et al. 2012, Eq. 5, 6 and 8 as they stand, in float64."""
    guide = np.asarray(guide, dtype=np.float64)
    src = np.asarray(src, dtype=np.float64)

    def mean(x):
        return clipped_window_mean(x, radius)

    a = (mean(guide * src) - mean(guide) * mean(src)) / (
        mean(guide**2) - mean(guide)**2 + eps)
    b = mean(src) - a * mean(guide)
    return mean(a) * guide + mean(b)


def enlarge(image, factor):
    """Bilinear enlargement of a (h, w) array, pixel by pixel."""
    height, width = (side * factor for side in image.shape)
    out = np.empty((height, width))
    for row, column in np.ndindex(height, width):
        out[row, column] = bilinear_at(
            image, (column + 0.5) / width, (row + 0.5) / height)
    return out


def subdivide(coarse, predict, steps, num_points, factor=2):
    """PointRend's inference for one (K, h, w) map, pixel by pixel.

    ``predict(x, y)`` gives the K new logits of one point.
    """
    logits = np.asarray(coarse, dtype=np.float64)
    for _ in range(steps):
        logits = np.stack([enlarge(channel, factor) for channel in logits])
        height, width = logits.shape[1:]
        order = np.sort(logits, axis=0)
        gap = abs(logits[0]) if len(logits) == 1 else order[-1] - order[-2]
        least_sure = np.argsort(gap, axis=None, kind='stable')[:num_points]
        for index in least_sure:
            row, column = divmod(int(index), width)
            logits[:, row, column] = predict((column + 0.5) / width,
                                             (row + 0.5) / height)
    return logits


def shared_mlp(layers, feature, coarse):
    """CBPRN's MLP for one point; the coarse logits enter at every layer.

    ``layers`` are pairs (weight, bias); all but the last end in a ReLU.
    """
    x = np.concatenate([feature, coarse])
    for weight, bias in layers[:-1]:
        x = np.concatenate([np.maximum(weight @ x + bias, 0.), coarse])
    weight, bias = layers[-1]
    return weight @ x + bias


def render_pixels(coarse, predict, size, prob_range):
    """CBPRN's inference for one (K, h, w) heat map, pixel by pixel.

    ``predict(x, y)`` gives the K new logits of one point. Returns logits
    (K, H, W), the probabilities of the heat map and what was predicted
    again, both (H, W).
    """
    height, width = size
    logits = np.empty((len(coarse), height, width))
    prob, again = np.empty(size), np.zeros(size, dtype=bool)
    for row, column in np.ndindex(height, width):
        x, y = (column + 0.5) / width, (row + 0.5) / height
        here = np.array([bilinear_at(channel, x, y) for channel in coarse])
        gap = here[0] if len(here) == 1 else here[1] - here[0]
        prob[row, column] = 1 / (1 + math.exp(-gap))
        if prob_range[0] < prob[row, column] < prob_range[1]:
            again[row, column] = True
            here = predict(x, y)
        logits[:, row, column] = here
    return logits, prob, again
