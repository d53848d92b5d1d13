"""Pure drawing: arrays in, pictures out."""

from mmcrack.visualization.ambiguity import (
    Ambiguity,
    Labelled,
    ambiguity_picture,
    spreads_of,
)
from mmcrack.visualization.comparison import (
    Box,
    Found,
    Scene,
    comparison_picture,
)
from mmcrack.visualization.drawing import (
    draw_points,
    fade,
    heat_picture,
    paint,
    paint_errors,
    reduce_max,
    reduce_picture,
    to_picture,
)
from mmcrack.visualization.panels import (
    caption,
    contact_sheet,
    panel_row,
    result_picture,
    write_picture,
)
from mmcrack.visualization.sampling import DrawnPoints, sampling_picture

__all__ = [
    'Ambiguity', 'Box', 'DrawnPoints', 'Found', 'Labelled', 'Scene',
    'ambiguity_picture', 'caption', 'comparison_picture', 'contact_sheet',
    'draw_points', 'fade', 'heat_picture', 'paint', 'paint_errors',
    'panel_row', 'reduce_max', 'reduce_picture', 'result_picture',
    'sampling_picture', 'spreads_of', 'to_picture', 'write_picture'
]
