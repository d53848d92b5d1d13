"""Diagrams of logged figures in the course of trainings."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from mmcrack.visualization.variance_curves import smooth

_COLUMNS = 3
# Okabe and Ito's colours.
_COLORS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9',
           '#000000')


def curves_figure(runs: Mapping[str, Mapping[int, Mapping[str, float]]], *,
                  keys: Sequence[str], window: int,
                  log_axes: Sequence[str] = ()) -> Figure:
    """Draw one diagram for each figure, one line in it for each training.

    Args:
        runs (Mapping): Title of a training to its log: iteration to figures
            (:func:`mmcrack.engine.logs.read_scalars`).
        keys (Sequence[str]): Figures to draw.
        window (int): Logged values to each running median, odd; 1 draws
            what was logged. Figures with less than 2 ``window`` values are
            drawn with their points and not smoothed.
        log_axes (Sequence[str]): Figures on a logarithmic axis.

    Returns:
        Figure: To be saved.

    Raises:
        ValueError: If no training has one of the figures.
    """
    columns = min(_COLUMNS, len(keys))
    rows = -(-len(keys) // columns)
    figure = Figure(figsize=(1 + 4. * columns, .6 + 2.6 * rows),
                    layout='constrained')
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    last = max((max(log, default=0) for log in runs.values()), default=0)
    for place, key in enumerate(keys):
        axis = axes[place]
        drawn = False
        for number, (title, log) in enumerate(runs.items()):
            steps, values = series(log, key)
            if not len(steps):
                continue
            drawn = True
            few = len(values) < 2 * window
            axis.plot(steps, values if few else smooth(values, window),
                      '.-' if few else '-', label=title, linewidth=1.2,
                      color=_COLORS[number % len(_COLORS)])
        if not drawn:
            raise ValueError(f'no log holds the figure {key!r}.')
        axis.set_title(key, fontsize=10)
        axis.grid(color='#dddddd', linewidth=.5)
        axis.set_xlim(0, max(last, 1))
        if key in log_axes:
            axis.set_yscale('log')
        if place >= len(keys) - columns:
            axis.set_xlabel('iteration')
    for axis in axes[len(keys):]:
        axis.set_visible(False)
    if len(runs) > 1:
        handles = {}
        for axis in axes[:len(keys)]:
            for handle, label in zip(*axis.get_legend_handles_labels(),
                                     strict=True):
                handles.setdefault(label, handle)
        figure.legend(handles.values(), handles, fontsize=8,
                      loc='outside upper center', ncols=columns)
    return figure


def series(log: Mapping[int, Mapping[str, float]],
           key: str) -> tuple[np.ndarray, np.ndarray]:
    """Return one figure of a log.

    Args:
        log (Mapping): Iteration to figures.
        key (str): Name of the figure.

    Returns:
        tuple[ndarray, ndarray]: Iterations and values; those that are no
        finite number are left out.
    """
    pairs = [(step, row[key]) for step, row in sorted(log.items())
             if isinstance(row.get(key), (int, float))
             and math.isfinite(row[key])]
    steps, values = zip(*pairs, strict=True) if pairs else ((), ())
    return np.asarray(steps, float), np.asarray(values, float)
