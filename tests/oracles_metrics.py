"""Slow, plain definitions of crack metrics, to hold the fast ones against.

Nothing here imports mmcrack. Masks are {0, 1}; ``valid`` is None or bool.
"""

import math

import numpy as np
from scipy import ndimage
from skimage.morphology import skeletonize, thin


def judged_masks(pred, target, valid):
    """Bool masks, false where ignored, and where a pixel is judged."""
    if valid is None:
        valid = np.ones(target.shape, bool)
    return (pred > 0) & valid, (target > 0) & valid, valid


def divide(a, b):
    """a / b, 0 where b is 0."""
    return a / b if b else 0.0


def rule(value, target, pred, judged, empty):
    """The value, or what ``empty`` says for a truth without crack."""
    if judged == 0:
        return math.nan
    if target:
        return value
    return {'skip': math.nan, 'zero': 0., 'one': float(pred == 0)}[empty]


def harmonic(a, b):
    """Harmonic mean, 0 for two zeros."""
    return divide(2 * a * b, a + b)


# --- outlines ---------------------------------------------------------------


def outline(mask, valid, reach, diagonal):
    """Crack pixels that see background, or the outside, within reach."""
    height, width = mask.shape
    out = np.zeros_like(mask)
    for y, x in np.argwhere(mask):
        for dy in range(-reach, reach + 1):
            for dx in range(-reach, reach + 1):
                if not diagonal and dy and dx:
                    continue
                i, j = y + dy, x + dx
                inside = 0 <= i < height and 0 <= j < width
                if not inside or (valid[i, j] and not mask[i, j]):
                    out[y, x] = True
    return out


def boundary_iou(pred, target, valid, width, empty):
    """IoU of the bands along the inner sides of the outlines."""
    pred, target, valid = judged_masks(pred, target, valid)
    pred, target = (outline(x, valid, width, True) for x in (pred, target))
    value = divide((pred & target).sum(), (pred | target).sum())
    return rule(value, target.sum(), pred.sum(), valid.sum(), empty)


# --- tolerance --------------------------------------------------------------


def has_partner(pixels, others, tau, shape):
    """For each pixel whether another is within tau."""
    found = []
    for y, x in pixels:
        dy, dx = np.abs(others - (y, x)).reshape(-1, 2).T
        if shape == 'disc':
            found.append(bool((dy**2 + dx**2 <= tau**2 + 1e-9).any()))
        else:
            found.append(bool((np.maximum(dy, dx) <= tau).any()))
    return np.array(found, bool)


def match_counts(pred, target, tau, shape='disc'):
    """Matched and all pixels of both bool masks."""
    a, b = np.argwhere(pred), np.argwhere(target)
    return (int(has_partner(a, b, tau, shape).sum()), len(a),
            int(has_partner(b, a, tau, shape).sum()), len(b))


def match_ratios(counts, judged, empty):
    """Precision, recall, F1 and IoU of matched pixels."""
    matched_pred, pred, matched_target, target = counts
    p, r = divide(matched_pred, pred), divide(matched_target, target)
    overlap = divide(matched_target, target + pred - matched_pred)
    return {
        name: rule(value, target, pred, judged, empty)
        for name, value in (('Precision', p), ('Recall', r),
                            ('F1', harmonic(p, r)), ('IoU', overlap))
    }


# --- skeletons --------------------------------------------------------------


def cldice(pred, target, valid, method, empty):
    """Shit et al. 2021, on whole images."""
    pred, target, valid = judged_masks(pred, target, valid)
    a, b = (skeletonize(x, method=method) > 0 for x in (pred, target))
    value = harmonic(divide((a & target).sum(), a.sum()),
                     divide((b & pred).sum(), b.sum()))
    return rule(value, b.sum(), a.sum(), valid.sum(), empty)


# --- thinned maps, one-to-one -----------------------------------------------


def largest_matching(a, b, distance):
    """Pairs of two lists of pixels, by Kuhn's augmenting paths."""
    near = [[j for j, q in enumerate(b)
             if (p[0] - q[0])**2 + (p[1] - q[1])**2 <= distance**2 + 1e-9]
            for p in a]
    partner = {}

    def find(i, seen):
        for j in near[i]:
            if j not in seen:
                seen.add(j)
                if j not in partner or find(partner[j], seen):
                    partner[j] = i
                    return True
        return False

    return sum(find(i, set()) for i in range(len(a)))


# --- curves -----------------------------------------------------------------


def curve_counts(prob, target, valid, protocol, thresholds, strict):
    """Matched and all pixels at each threshold, one after the other."""
    rows = []
    for t in thresholds:
        pred = prob > t if strict else prob >= t
        a, b, _ = judged_masks(pred, target, valid)
        if protocol == 'bsds':
            a, b = thin(a), thin(b)
            pairs = largest_matching(
                np.argwhere(a).tolist(), np.argwhere(b).tolist(),
                .0075 * math.hypot(*target.shape))
            rows.append((pairs, int(a.sum()), pairs, int(b.sum())))
        else:
            tau = {'pixel': 0, 'tolerance2': 2}[protocol]
            rows.append(match_counts(a, b, tau))
    return rows


def f1_of(row):
    """F1 of matched_pred, pred, matched_target, target."""
    return harmonic(divide(row[0], row[1]), divide(row[2], row[3]))


def ods(images, thresholds):
    """Best F1 of the summed counts, and its first threshold."""
    sums = [tuple(map(sum, zip(*rows, strict=True)))
            for rows in zip(*images, strict=True)]
    scores = [f1_of(row) for row in sums]
    return max(scores), thresholds[scores.index(max(scores))]


def ois(images, kind):
    """Best F1 of each image; images without crack are left out."""
    best = [max(rows, key=f1_of) for rows in images if rows[0][3]]
    if kind == 'mean':
        return sum(f1_of(row) for row in best) / len(best)
    return f1_of(tuple(map(sum, zip(*best, strict=True))))


def aiu(images):
    """Mean IoU over images and thresholds, from exact pixels."""
    values = [divide(tp, pred + target - tp)
              for rows in images if rows[0][3]
              for tp, pred, _, target in rows]
    return sum(values) / len(values)


def interpolated_best(precision, recall, thresholds):
    """findBestRPF of edgesEval: 100 points between two thresholds."""
    best = -1, None
    for k in range(1, len(thresholds)):
        for step in range(100):
            w = step / 99
            p = precision[k] * w + precision[k - 1] * (1 - w)
            r = recall[k] * w + recall[k - 1] * (1 - w)
            t = thresholds[k] * w + thresholds[k - 1] * (1 - w)
            if harmonic(p, r) > best[0] + 1e-12:
                best = harmonic(p, r), t
    return best


def bsds_ap(precision, recall):
    """Precision on lines between points, read at 101 recalls, over 100."""
    points = {}
    for p, r in zip(precision, recall, strict=True):
        points.setdefault(r, p)
    known = sorted(points)
    total = 0
    for i in range(101):
        r = i / 100
        if not known[0] <= r <= known[-1]:
            continue
        for a, b in zip(known, known[1:], strict=False):
            if a <= r <= b:
                w = (r - a) / (b - a)
                total += points[a] * (1 - w) + points[b] * w
                break
    return total / 100


# --- topology ---------------------------------------------------------------


def betti(mask):
    """8-connected components; 4-connected holes."""
    _, components = ndimage.label(mask, np.ones((3, 3)))
    _, pieces = ndimage.label(np.pad(mask == 0, 1, constant_values=True))
    return components, pieces - 1


def betti_errors(pred, target, valid, window):
    """Summed differences over tiles, and how many tiles."""
    pred, target, valid = judged_masks(pred, target, valid)
    height, width = target.shape
    side = window or max(height, width)
    sums = [0, 0, 0]
    for top in range(0, height, side):
        for left in range(0, width, side):
            part = np.s_[top:top + side, left:left + side]
            if valid[part].any():
                a, b = betti(pred[part]), betti(target[part])
                sums[0] += abs(a[0] - b[0])
                sums[1] += abs(a[1] - b[1])
                sums[2] += 1
    return tuple(sums)


# --- surface distances ------------------------------------------------------


def surface_distances(pred, target, valid):
    """Distance of each outline pixel to the nearest of the other, sorted."""
    pred, target, valid = judged_masks(pred, target, valid)
    a, b = (np.argwhere(outline(x, valid, 1, False))
            for x in (pred, target))

    def one_way(first, second):
        return sorted(
            min((math.dist(p, q) for q in second), default=math.inf)
            for p in first.tolist())

    return one_way(a, b.tolist()), one_way(b, a.tolist())


def percentile(values, share):
    """Linear between neighbours of the sorted values."""
    values = sorted(values)
    at = share / 100 * (len(values) - 1)
    low = math.floor(at)
    high = min(low + 1, len(values) - 1)
    return values[low] * (1 - (at - low)) + values[high] * (at - low)


# --- calibration, uncertainty -----------------------------------------------


def ece(pairs, bins):
    """Expected calibration error of (probability, right) pairs."""
    sums = [[0, 0., 0] for _ in range(bins)]
    edges = np.linspace(0, 1, bins + 1)
    for p, right in pairs:
        k = max(i for i in range(bins) if p >= edges[i])
        sums[k][0] += 1
        sums[k][1] += p
        sums[k][2] += right
    total = sum(n for n, _, _ in sums)
    if not total:
        return math.nan
    return sum(n / total * abs(c / n - r / n) for n, c, r in sums if n)


def contour_band(target, valid, reach):
    """Judged pixels with judged crack and background within reach."""
    band = np.zeros(target.shape, bool)
    cracks = np.argwhere(valid & (target > 0))
    rest = np.argwhere(valid & (target == 0))
    for y, x in np.argwhere(valid):
        band[y, x] = all(
            has_partner([(y, x)], others, reach, 'disc')[0]
            for others in (cracks, rest))
    return band


def auroc(values, wrong):
    """Share of (wrong, right) pairs in order, ties half."""
    values, wrong = np.asarray(values), np.asarray(wrong, bool)
    high, low = values[wrong], values[~wrong]
    if not high.size or not low.size:
        return math.nan
    won = (high[:, None] > low).sum() + (high[:, None] == low).sum() / 2
    return won / (high.size * low.size)


def bootstrap(numerators, denominators, draws, generator):
    """Ratios of resampled sums, one image after the other."""
    count = len(numerators)
    out = []
    for row in generator.integers(0, count, (draws, count)):
        top = sum(numerators[i] for i in row)
        bottom = sum(denominators[i] for i in row)
        if bottom:
            out.append(top / bottom)
    return out
