"""Where a network doubts the labels: margin, variance, ambiguous region."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcrack.visualization.drawing import (
    CRACK,
    IGNORED,
    REGION_COLORS,
    Color,
    Mask,
    Picture,
    enlarge,
    fade,
    paint,
    reduce_max,
    reduce_picture,
    reduction_factor,
)
from mmcrack.visualization.panels import (
    caption,
    caption_width,
    contact_sheet,
    panel_row,
)
from mmcrack.visualization.scale import (
    log_limits,
    log_picture,
    scale_strip,
)

AMBIGUOUS, _, MARGIN = REGION_COLORS
QUANTILES = (0.1, 0.5, 0.9)
_BLACK: Color = (0, 0, 0)
# Crack, margin and background on a white ground.
_SPREAD_COLORS: tuple[Color, Color, Color] = ((190, 175, 0), (60, 140, 200),
                                              (120, 120, 120))
_MIN_WINDOW = 24


class Ambiguity(NamedTuple):
    """What one network says about an image.

    Attributes:
        title (str): Its name.
        variance (array): Float, (H, W), > 0.
        ambiguous (array): bool, (H, W), CIRL Eq. 8.
        threshold (float): Of the variance; infinite where nothing is
            ambiguous.
    """

    title: str
    variance: NDArray[np.floating]
    ambiguous: Mask
    threshold: float


class Labelled(NamedTuple):
    """A labelled image.

    Attributes:
        name (str): Its name.
        image (array): uint8, (H, W, 3), RGB.
        crack (array): bool, (H, W), labelled crack.
        margin (array): bool, (H, W), CIRL Eq. 1.
        ignored (array): bool, (H, W), without a label.
    """

    name: str
    image: Picture
    crack: Mask
    margin: Mask
    ignored: Mask


def spreads_of(variance: NDArray[np.floating], labelled: Labelled
               ) -> dict[str, tuple[float, float, float]]:
    """Return quantiles 0.1, 0.5 and 0.9 of the variance by region.

    Args:
        variance (array): Float, (H, W).
        labelled (Labelled): The image.

    Returns:
        dict: For 'crack', 'margin' and 'background' (all that is neither,
        nor ignored) three numbers that occur in it; NaN for a region
        without a pixel.
    """
    crack, margin = labelled.crack, labelled.margin
    regions = dict(crack=crack, margin=margin,
                   background=~crack & ~margin & ~labelled.ignored)
    spreads = {}
    for name, mask in regions.items():
        numbers = np.quantile(variance[mask], QUANTILES, method='lower') \
            if mask.any() else (np.nan, ) * 3
        spreads[name] = tuple(float(n) for n in numbers)
    return spreads


def densest_window(weight: ArrayLike, size: Sequence[int]
                   ) -> tuple[int, int]:
    """Find the window with the greatest sum.

    Args:
        weight (array): (H, W), bool or number >= 0.
        size (Sequence[int]): (h, w) of the window, not larger than (H, W).

    Returns:
        tuple[int, int]: Its top row and left column. Of equal ones the one
        whose pixels lie closest around its middle; without any weight the
        middle of the image.
    """
    weight = np.asarray(weight, np.float64)
    height, width = size
    if not weight.any():
        return tuple((s - w) // 2 for s, w in zip(weight.shape, size,
                                                  strict=True))

    def window_sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
        table = cv2.integral(values)
        return (table[height:, width:] - table[:-height, width:] -
                table[height:, :-width] + table[:-height, :-width])

    sums = window_sums(weight)
    best = np.argwhere(sums >= sums.max() - 1e-6)
    middle = best + (np.array(size) - 1) / 2
    rows, columns = np.indices(weight.shape)
    mass = [window_sums(weight * axis) for axis in (rows, columns)]
    centre = np.stack([m[tuple(best.T)] for m in mass], 1) / sums.max()
    top, left = best[np.abs(centre - middle).sum(1).argmin()]
    return int(top), int(left)


def ambiguity_picture(labelled: Labelled,
                      findings: Sequence[Ambiguity],
                      *,
                      zoom: int = 6,
                      max_long_edge: int | None = 1024) -> Picture:
    """Draw what is labelled, and below it what networks say.

    CIRL, Figures 1 (a) and 2. First row: image | crack and margin | a place
    enlarged. For each network: variance, with its scale and its spread in
    crack, margin and background | ambiguous region | the same place. The
    place is where most ambiguous pixels of all networks lie together;
    without any, most margin.

    Args:
        labelled (Labelled): The image.
        findings (Sequence[Ambiguity]): One row each, on one colour scale.
        zoom (int): How many times the place is enlarged.
        max_long_edge (int, optional): Longer images are reduced; masks and
            variance by the greatest value of a block. The enlarged place is
            not.

    Returns:
        array: uint8. Panels too narrow for their captions are enlarged by a
        whole number.
    """
    factor = reduction_factor(labelled.image.shape[:2], max_long_edge)
    small = reduce_picture(labelled.image, factor)
    window = tuple(
        min(full, max(_MIN_WINDOW, -(-s // zoom)))
        for s, full in zip(small.shape[:2], labelled.image.shape[:2],
                           strict=True))
    weight = sum((f.ambiguous.astype(np.int64) for f in findings),
                 start=np.zeros(labelled.crack.shape, np.int64))
    top, left = densest_window(
        weight if weight.any() else labelled.margin, window)
    place = (slice(top, top + window[0]), slice(left, left + window[1]))
    limits = log_limits(*(f.variance for f in findings),
                        include=[f.threshold for f in findings])
    rows = [_label_panels(labelled, small, place, factor)]
    rows += [_network_panels(labelled, f, small, place, factor, limits)
             for f in findings]
    wanted = max(caption_width(words) for row in rows for _, words, _ in row)
    scale = max(1, -(-wanted // small.shape[1]))
    size = tuple(scale * s for s in small.shape[:2])
    drawn = []
    for number, row in enumerate(rows):
        panels = [
            caption(_to_size(picture, size) if enlarged
                    else enlarge(picture, scale), words)
            for picture, words, enlarged in row]
        if number:
            finding = findings[number - 1]
            panels[0] = np.concatenate([
                panels[0], _strip(labelled, finding, limits, size[1])])
        drawn.append(panel_row(panels))
    return contact_sheet(drawn, columns=1)


Panel = tuple[Picture, list[tuple[str, Color]], bool]


def _label_panels(labelled: Labelled, small: Picture,
                  place: tuple[slice, slice], factor: int) -> list[Panel]:
    """Image, margin and the place, with captions."""
    top, left = place[0].start, place[1].start
    truth = _paint_margin(fade(small, strength=0.4), labelled, factor)
    ignored = reduce_max(labelled.ignored, factor)
    words = [('label:', _BLACK), ('crack', CRACK),
             (f'margin M {int(labelled.margin.sum())} px', MARGIN)]
    if ignored.any():
        truth = paint(truth, ignored, IGNORED, opacity=0.7)
        words.append(('ignored', IGNORED))
    crop = labelled.image[place]
    return [
        (_frame(small, place, factor), [(labelled.name, _BLACK)], False),
        (_frame(truth, place, factor), words, False),
        (crop, [(f'{crop.shape[1]} x {crop.shape[0]} px at ({left}, {top})',
                 _BLACK)], True),
    ]


def _network_panels(labelled: Labelled, finding: Ambiguity, small: Picture,
                    place: tuple[slice, slice], factor: int,
                    limits: tuple[float, float]) -> list[Panel]:
    """Variance, ambiguous region and the place, with captions."""
    variance = log_picture(reduce_max(finding.variance, factor), limits)
    found = paint(fade(small, strength=0.4),
                  reduce_max(labelled.margin, factor), MARGIN, opacity=0.5)
    found = paint(found, reduce_max(finding.ambiguous, factor), AMBIGUOUS,
                  opacity=1)
    total = int(labelled.margin.sum())
    share = 100 * int(finding.ambiguous.sum()) / max(1, total)
    rule = f'variance > {finding.threshold:.3g}' \
        if np.isfinite(finding.threshold) else 'no margin'
    crop = labelled.image[place]
    crop = paint(crop, labelled.crack[place], CRACK, opacity=0.25)
    crop = paint(crop, labelled.margin[place], MARGIN, opacity=0.35)
    crop = paint(crop, finding.ambiguous[place], AMBIGUOUS, opacity=0.6)
    return [
        (_frame(variance, place, factor),
         [(f'{finding.title}: variance', _BLACK)], False),
        (_frame(found, place, factor),
         [(f'A {share:.1f} % of M:', AMBIGUOUS), (rule, _BLACK)], False),
        (crop, [('crack', CRACK), ('M', MARGIN), ('A', AMBIGUOUS)], True),
    ]


def _paint_margin(picture: Picture, labelled: Labelled,
                  factor: int) -> Picture:
    """Colour crack and margin."""
    picture = paint(picture, reduce_max(labelled.margin, factor), MARGIN,
                    opacity=1)
    return paint(picture, reduce_max(labelled.crack, factor), CRACK,
                 opacity=0.75)


def _strip(labelled: Labelled, finding: Ambiguity,
           limits: tuple[float, float], width: int) -> Picture:
    """Draw the colour scale and the spreads, with their legend."""
    spreads = spreads_of(finding.variance, labelled)
    pairs = [(spread, color, name) for (name, spread), color in zip(
        spreads.items(), _SPREAD_COLORS, strict=True)
             if np.isfinite(spread).all()]
    strip = scale_strip(
        width, limits, mark=finding.threshold, mark_color=AMBIGUOUS,
        spreads=[(spread, color) for spread, color, _ in pairs])
    legend = caption(np.zeros((0, width, 3), np.uint8), [
        ('10-50-90 %:', _BLACK), *((name, color) for _, color, name in pairs)
    ])
    return np.concatenate([strip, legend])


def _frame(picture: Picture, place: tuple[slice, slice],
           factor: int) -> Picture:
    """Draw the outline of a place: white between two black lines."""
    framed = picture.copy()
    top, left = (p.start // factor for p in place)
    bottom, right = ((p.stop - 1) // factor for p in place)
    for grow, color in ((0, (0, 0, 0)), (-1, (255, 255, 255)),
                        (-2, (0, 0, 0))):
        cv2.rectangle(framed, (left - grow - 1, top - grow - 1),
                      (right + grow + 1, bottom + grow + 1), color, 1)
    return framed


def _to_size(picture: Picture, size: tuple[int, int]) -> Picture:
    """Enlarge a picture to a size without mixing pixels."""
    return cv2.resize(picture, (size[1], size[0]),
                      interpolation=cv2.INTER_NEAREST)
