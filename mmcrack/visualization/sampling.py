"""Where training looks: regions of a label, and points drawn from them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmcrack.visualization.drawing import (
    REGION_COLORS,
    Color,
    Mask,
    Picture,
    draw_points,
    enlarge,
    fade,
    heat_picture,
    paint,
)
from mmcrack.visualization.panels import (
    caption,
    caption_width,
    contact_sheet,
    heat_words,
    panel_row,
    rendered_heat,
)

REGION_NAMES = ('body', 'boundary', 'background')
NOWHERE: Color = (190, 190, 190)
_BLACK: Color = (0, 0, 0)
_BODY, _BOUNDARY = 0, 1
# A later one covers an earlier one where two fall on one pixel.
_ORDER = (-1, 2, 1, 0)


class DrawnPoints(NamedTuple):
    """Points of one sampler.

    Attributes:
        title (str): Stands in front of the legend.
        points (array): Float, (P, 2), (x, y) in [0, 1].
        regions (array): Int, (P,): 0 body, 1 boundary, 2 background, -1
            none.
        body_name (str): What the legend calls region 0: 'crack' where the
            whole crack stands in for a body that is too small.
    """

    title: str
    points: NDArray[np.floating]
    regions: NDArray[np.integer]
    body_name: str = 'body'


def region_counts(regions: NDArray[np.integer]) -> tuple[int, int, int]:
    """Count body, boundary and background in an array of regions.

    Args:
        regions (array): Int, any shape, of {-1, 0, 1, 2}.

    Returns:
        tuple[int, int, int]: -1 counts nowhere.
    """
    body, boundary, background = (
        int((regions == region).sum()) for region in range(3))
    return body, boundary, background


def draw_regions(image: Picture, regions: NDArray[np.integer],
                 crack: Mask) -> Picture:
    """Colour crack body and boundary band on a faded image.

    CBPRN, Figure 6 (the band is its yellow area). The half of the band that
    lies on the label is painted brighter than the other.

    Args:
        image (array): uint8, (H, W, 3).
        regions (array): Int, (H, W), of {-1, 0, 1, 2}.
        crack (array): bool, (H, W), labelled crack.

    Returns:
        array: uint8, (H, W, 3).
    """
    band = regions == _BOUNDARY
    painted = fade(image, strength=0.5)
    painted = paint(painted, regions == -1, NOWHERE, opacity=0.7)
    painted = paint(painted, band & ~crack, REGION_COLORS[_BOUNDARY],
                    opacity=0.55)
    painted = paint(painted, band & crack, REGION_COLORS[_BOUNDARY],
                    opacity=1)
    return paint(painted, regions == _BODY, REGION_COLORS[_BODY], opacity=1)


def draw_drawn_points(image: Picture, drawn: DrawnPoints) -> Picture:
    """Colour the pixel of each point by its region, on a faded image.

    CBPRN, Figure 3.

    Args:
        image (array): uint8, (H, W, 3).
        drawn (DrawnPoints): P points.

    Returns:
        array: uint8, (H, W, 3).
    """
    painted = fade(image, strength=0.6)
    for region in _ORDER:
        color = NOWHERE if region < 0 else REGION_COLORS[region]
        chosen = drawn.points[drawn.regions == region]
        painted = draw_points(painted, chosen, color, radius=0)
    return painted


def drawn_words(drawn: DrawnPoints) -> list[tuple[str, Color]]:
    """Return a legend with the number and share of points by region.

    Args:
        drawn (DrawnPoints): P points.

    Returns:
        list: Pairs of a text and its colour, for :func:`caption`.

    Example:
        ``drawn: | body 982 (30 %) | boundary 1310 (40 %) | background 984
        (30 %)``
    """
    total = max(1, len(drawn.regions))
    words = [(f'{drawn.title}:', _BLACK)]
    counts = region_counts(drawn.regions)
    names = (drawn.body_name, *REGION_NAMES[1:])
    for name, count, color in zip(names, counts, REGION_COLORS, strict=True):
        words.append((f'{name} {count} ({100 * count / total:.0f} %)', color))
    rest = len(drawn.regions) - sum(counts)
    if rest:
        words.append((f'no label {rest}', NOWHERE))
    return words


def sampling_picture(image: Picture,
                     *,
                     regions: NDArray[np.integer],
                     crack: Mask,
                     drawn: Sequence[DrawnPoints],
                     bands: Sequence[tuple[int, NDArray[np.integer]]] = (),
                     heat_map: NDArray[np.floating] | None = None,
                     rendered: Mask | None = None) -> Picture:
    """Draw image | truth with boundary band | points of each sampler.

    CBPRN, Figure 3; Figure 6 in a second row where ``bands`` are given, and
    Figure 4 where a heat map is.

    Args:
        image (array): uint8, (H, W, 3).
        regions (array): Int, (H, W), of {-1, 0, 1, 2}.
        crack (array): bool, (H, W), labelled crack.
        drawn (Sequence[DrawnPoints]): One panel for each.
        bands (Sequence): Pairs of a dilation coefficient and its regions,
            int (H, W): one panel for each.
        heat_map (array, optional): float, (H, W), crack probability: a last
            panel of the first row.
        rendered (array, optional): bool, (H, W), pixels that inference would
            predict again.

    Returns:
        array: uint8. Panels too narrow for their captions are enlarged by a
        whole number.
    """
    truth = draw_regions(image, regions, crack), [
        ('truth:', _BLACK), *_region_words(regions)]
    first = [(image, [('image', _BLACK)]), truth]
    first += [(draw_drawn_points(image, one), drawn_words(one))
              for one in drawn]
    if heat_map is not None:
        heat = heat_picture(heat_map) if rendered is None else \
            rendered_heat(heat_map, rendered)
        first.append((heat, heat_words(rendered)))
    second = [(draw_regions(image, band, crack),
               [(f'dilation {dilation}, width {2 * dilation + 1}:', _BLACK),
                *_region_words(band)]) for dilation, band in bands]
    wanted = max(caption_width(words) for _, words in first + second)
    scale = max(1, -(-wanted // image.shape[1]))
    rows = [panel_row([caption(enlarge(panel, scale), words)
                       for panel, words in row])
            for row in (first, second) if row]
    return contact_sheet(rows, columns=1)


def _region_words(regions: NDArray[np.integer]) -> list[tuple[str, Color]]:
    """Return a legend of body and boundary with their sizes."""
    body, boundary, _ = region_counts(regions)
    return [(f'body {body} px', REGION_COLORS[_BODY]),
            (f'boundary {boundary} px', REGION_COLORS[_BOUNDARY])]
