"""Small masks with all that metrics trip over, for the metrics' tests."""

import cv2
import numpy as np

KINDS = ('empty', 'full', 'pixel', 'corner', 'border', 'frame', 'lines',
         'blob', 'noise', 'dots')


def draw_mask(rng, kind, height, width):
    """One mask, uint8 {0, 1}, (height, width)."""
    mask = np.zeros((height, width), np.uint8)
    if kind == 'full':
        mask[:] = 1
    elif kind == 'pixel':
        mask[rng.integers(height), rng.integers(width)] = 1
    elif kind == 'corner':
        mask[-1, -1] = 1
    elif kind == 'border':
        mask[:, :rng.integers(1, width + 1)] = 1
    elif kind == 'frame':
        mask[:] = 1
        mask[1:-1, 1:-1] = 0
    elif kind == 'lines':
        for _ in range(rng.integers(1, 4)):
            x0, x1 = rng.integers(-3, width + 3, 2).tolist()
            y0, y1 = rng.integers(-3, height + 3, 2).tolist()
            cv2.line(mask, (x0, y0), (x1, y1), 1, int(rng.integers(1, 5)))
    elif kind == 'blob':
        centre = int(rng.integers(width)), int(rng.integers(height))
        cv2.circle(mask, centre, int(rng.integers(1, 8)), 1, -1)
    elif kind == 'noise':
        mask[:] = rng.random((height, width)) < rng.random()
    elif kind == 'dots':
        mask[:] = rng.random((height, width)) < .05
    return mask


def mask_pairs(count=200, seed=0, largest=18, ignore=True):
    """Yield ``pred, target, valid``; ``valid`` is None in two of three.

    Half of the predictions are the truth, shifted.
    """
    rng = np.random.default_rng(seed)
    for trial in range(count):
        height, width = (int(x) for x in rng.integers(1, largest + 1, 2))
        target = draw_mask(rng, KINDS[trial % len(KINDS)], height, width)
        if trial // len(KINDS) % 2:
            shift = rng.integers(-2, 3, 2)
            pred = np.roll(target, shift, axis=(0, 1))
        else:
            kind = KINDS[int(rng.integers(len(KINDS)))]
            pred = draw_mask(rng, kind, height, width)
        valid = None
        if ignore and trial % 3 == 0:
            valid = rng.random((height, width)) < .8
            valid[:rng.integers(height + 1)] = True
        yield pred, target, valid


def draw_prob(rng, target):
    """A map of probabilities around a truth, with ties, on no grid."""
    noise = rng.random(target.shape)
    soft = cv2.GaussianBlur(target.astype(np.float64), (0, 0), 1.)
    prob = .6 * soft.reshape(target.shape) + .4 * noise
    # Away from multiples of 0.01.
    return np.floor(prob * 50) / 50 + .0037


def shifted_case():
    """Facts' 12 x 12 case: pred is the truth, a column to the right."""
    target = np.zeros((12, 12), np.uint8)
    target[4:8, 2:10] = 1
    return np.roll(target, 1, axis=1), target


def thin_case():
    """The 450 x 450 case: pred is the truth, a row down."""
    target = np.zeros((450, 450), np.uint8)
    target[200:210, 50:400] = 1
    return np.roll(target, 1, axis=0), target


def lines_case():
    """The 11 x 11 case: one true line, two predicted pieces beside it."""
    target = np.zeros((11, 11), np.uint8)
    target[5, 1:10] = 1
    pred = np.zeros((11, 11), np.uint8)
    pred[3, 1:6] = 1
    pred[8, 6:10] = 1
    return pred, target
