"""What a pipeline feeds a network, with its label drawn."""

from collections.abc import Sequence

import numpy as np

from mmcrack.visualization.drawing import (
    Color,
    Mask,
    Picture,
    enlarge,
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
from mmcrack.visualization.sampling import (
    DrawnPoints,
    draw_drawn_points,
    drawn_words,
)

CRACK: Color = (220, 38, 38)
MARGIN: Color = (240, 200, 20)
IGNORED: Color = (120, 120, 220)
_BLACK: Color = (0, 0, 0)


def fed_picture(image: Picture, *, title: str, crack: Mask, margin: Mask,
                ignored: Mask, points: DrawnPoints | None = None,
                max_long_edge: int | None = None) -> Picture:
    """Draw image | label with margin | training points.

    Args:
        image (array): uint8, (H, W, 3), RGB, as the network gets it.
        title (str): Stands above the image.
        crack (array): bool, (H, W), labelled crack.
        margin (array): bool, (H, W), CIRL's marginal region (Eq. 1).
        ignored (array): bool, (H, W), pixels without a label.
        points (DrawnPoints, optional): A third panel.
        max_long_edge (int, optional): Larger images are reduced by a whole
            number; cracks one pixel wide stay visible.

    Returns:
        array: uint8. Panels too narrow for their captions are enlarged by a
        whole number.
    """
    share = 100 * crack.mean()
    words = [('label:', _BLACK),
             (f'crack {share:.2f} %', CRACK),
             (f'margin {100 * margin.mean():.2f} %', MARGIN)]
    if ignored.any():
        words.append((f'ignored {100 * ignored.mean():.2f} %', IGNORED))
    factor = reduction_factor(crack.shape, max_long_edge)
    small = reduce_picture(image, factor)
    painted = small
    for mask, color, opacity in ((margin, MARGIN, .55), (ignored, IGNORED, .6),
                                 (crack, CRACK, .65)):
        painted = paint(painted, reduce_max(mask, factor), color,
                        opacity=opacity)
    panels = [(small, [(title, _BLACK)]), (painted, words)]
    if points is not None:
        panels.append((draw_drawn_points(small, points), drawn_words(points)))
    wanted = max(caption_width(text) for _, text in panels)
    scale = max(1, -(-wanted // small.shape[1]))
    return panel_row([caption(enlarge(panel, scale), text)
                      for panel, text in panels])


def fed_sheet(views: Sequence[Picture]) -> Picture:
    """Set several views of one image below each other.

    Args:
        views (Sequence[array]): From :func:`fed_picture`.

    Returns:
        array: uint8, (H, W, 3).

    Raises:
        ValueError: If there is none.
    """
    return contact_sheet([np.asarray(view) for view in views], columns=1)
