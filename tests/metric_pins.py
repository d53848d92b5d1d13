"""Small images with the figures that every way of scoring must give."""

import numpy as np


def mask(shape, *places):
    """A mask that is 1 at some (rows, columns)."""
    out = np.zeros(shape, np.uint8)
    for rows, columns in places:
        out[rows, columns] = 1
    return out


# (prediction, truth) each.
A = (mask((4, 4), (0, slice(0, 2))),
     mask((4, 4), (slice(0, 2), slice(0, 2))))
B = (mask((4, 4), (slice(1, 3), slice(1, 3))), mask((4, 4), (1, 1)))
EMPTY = (mask((4, 4)), mask((4, 4)))
_BOX = mask((12, 12), (slice(4, 8), slice(2, 10)))
SHIFTED = (np.roll(_BOX, 1, axis=1), _BOX)
_BAR = mask((450, 450), (slice(200, 210), slice(50, 400)))
LARGE = (np.roll(_BAR, 1, axis=0), _BAR)
LINES = (mask((11, 11), (3, slice(1, 6)), (8, slice(6, 10))),
         mask((11, 11), (5, slice(1, 10))))
_THICK = mask((9, 12), (slice(3, 6), slice(1, 11)))
BROKEN = (_THICK * (np.arange(12) != 5), _THICK)
BROKEN = (BROKEN[0].astype(np.uint8), _THICK)
_RING = mask((7, 7), (slice(1, 6), slice(1, 6)))
_RING[2:5, 2:5] = 0
_OPEN = _RING.copy()
_OPEN[1, 3] = 0
RING = (_OPEN, _RING)
_FAR = mask((20, 20), (slice(5, 8), slice(2, 12)))
FAR = (_FAR, _FAR | mask((20, 20), (15, 15)))

# Probabilities and truth.
S1 = (np.array([[.9, .8, .3], [.6, .2, .1]], np.float32),
      np.array([[1, 1, 0], [0, 1, 0]], np.uint8))
S2 = (np.array([[.7, .4, .4], [.3, .2, .05]], np.float32),
      np.array([[1, 0, 1], [0, 0, 0]], np.uint8))

# Metrics, images, figures.
PINS = {
    'pixels': (['pixel'], [A, B], dict(
        Precision=50, Recall=60, F1=54.5455, Dice=54.5455, IoU=37.5,
        mIoU=60.1293, image_Precision=62.5, image_Recall=75,
        image_F1=53.3333, image_Dice=53.3333, image_IoU=37.5,
        image_mIoU=60.1786, images=2, images_without_crack=0)),
    'mba': (['mba', 'mba:mode=iou'], [SHIFTED], dict(
        mBA=81.8182, mBA_IoU=66.6667, mBA_floor=54.5455, mBA_IoU_floor=0)),
    'mba of two': (['mba'], [SHIFTED, LARGE], dict(
        mBA=50 * (.8181818 + .61002786))),
    'boundary iou': (['boundary_iou'], [SHIFTED], dict(
        BoundaryIoU=53.8462, image_BoundaryIoU=53.8462)),
    'boundary iou, wide band': (['boundary_iou'], [LARGE], dict(
        BoundaryIoU=81.8182)),
    'tolerance': (['tolerance', 'tolerance:tau=3',
                   'tolerance:tau=2,shape=square', 'tolerance:tau=1'],
                  [LINES], {
        'Precision_2px': 55.5556, 'Recall_2px': 55.5556, 'F1_2px': 55.5556,
        'F1_3px': 100, 'F1_1px': 0, 'Precision_2px_square': 55.5556,
        'Recall_2px_square': 77.7778, 'F1_2px_square': 64.8148}),
    'centre lines': (['cliou', 'cliou:tau=2', 'skeleton'], [LINES], {
        'clIoU_4px': 100, 'clIoU_2px': 38.4615, 'Correctness_2px': 55.5556,
        'Completeness_2px': 55.5556, 'Quality_2px': 38.4615}),
    'cldice': (['cldice'], [BROKEN], dict(
        clPrecision=100, clSensitivity=88.8889, clDice=94.1176)),
    'betti': (['betti'], [RING, BROKEN], dict(
        Betti0_error=.5, Betti1_error=.5)),
    'distance': (['distance'], [SHIFTED], dict(
        HD=1, HD95=1, HD95_directed=1, ASSD=.3, ASSD_directed=.3,
        images_without_prediction=0)),
    'distance of a far pixel': (['distance'], [FAR], dict(
        HD=8.944272, HD95=0, HD95_directed=0, ASSD=.198762)),
    'curves': (['curves'], [S1, S2], dict(
        ODS_pixel=75, ODS_threshold_pixel=.6, OIS_pixel=80,
        OIS_aggregate_pixel=80, AP_pixel=83.3333)),
}


def is_probability(array):
    """Whether an image's first part is a probability map."""
    return array.dtype == np.float32


def crack_image(index, size=(36, 44)):
    """Probabilities, truth and judged pixels of a line that is half found.

    Of an index that is 2 modulo 5 the truth has no crack.
    """
    rng = np.random.default_rng(index)
    truth = np.zeros(size, np.uint8)
    if index % 5 != 2:
        row = 8 + index % 12
        truth[row:row + 2 + index % 4, 3:38] = 1
    prob = .5 + (truth - .5) * .5 + rng.normal(size=size) * .2
    prob[:, 20 + index % 9:] -= .3
    valid = rng.random(size) > .03
    return np.clip(prob, .001, .999).astype(np.float32), truth, valid
