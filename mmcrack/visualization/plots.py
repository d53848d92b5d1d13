"""Diagrams with axes: clouds of features, curves over a parameter.

Drawn with plain Matplotlib, which mmcrack requires and MMEngine and
MMSegmentation bring along; without pyplot, so that no window, back end or
global state is touched.
"""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

# Okabe and Ito's blue and vermilion, as CIRL's Figures 1 (b) and 6 have blue
# and red.
CRACK_COLOR = '#0072b2'
MARGIN_COLOR = '#d55e00'
_GREY = '#777777'


class Cloud(NamedTuple):
    """Features of one network, laid out in the plane.

    Attributes:
        title (str): Stands above.
        note (str): Stands below.
        places (array): Float, (P, 2).
        is_margin (array): bool, (P,): margin; otherwise crack.
    """

    title: str
    note: str
    places: NDArray[np.floating]
    is_margin: NDArray[np.bool_]


class Curve(NamedTuple):
    """Scores over one parameter.

    Attributes:
        label (str): Name of the parameter, for its axis.
        values (Sequence[float]): Ascending.
        scores (Sequence[Sequence[float]]): For each value one score for
            each seed; none where nothing was run yet.
        paper (float, optional): The paper's value, to be marked.
        note (str): Stands above.
    """

    label: str
    values: Sequence[float]
    scores: Sequence[Sequence[float]]
    paper: float | None = None
    note: str = ''


def cloud_figure(clouds: Sequence[Cloud]) -> Figure:
    """Draw clouds of crack (blue) and margin (red) features.

    CIRL, Figures 1 (b) and 6.

    Args:
        clouds (Sequence[Cloud]): One panel each, up to three in a row.

    Returns:
        Figure: To be saved.

    Raises:
        ValueError: If there is none.
    """
    if not clouds:
        raise ValueError('clouds must hold at least one.')
    columns = min(3, len(clouds))
    rows = -(-len(clouds) // columns)
    figure = Figure(figsize=(4 * columns, 4.5 * rows), layout='constrained')
    axes = figure.subplots(rows, columns, squeeze=False).flat
    for axis in axes[len(clouds):]:
        axis.set_visible(False)
    for axis, cloud in zip(axes, clouds, strict=False):
        # In a fixed random order, so that neither class covers the other.
        order = np.random.default_rng(0).permutation(len(cloud.places))
        colors = np.where(cloud.is_margin, MARGIN_COLOR, CRACK_COLOR)
        axis.scatter(*cloud.places[order].T, c=colors[order], s=7, alpha=0.7,
                     linewidths=0)
        axis.set(title=cloud.title, xlabel=cloud.note, xticks=[], yticks=[])
        axis.set_aspect('equal', adjustable='datalim')
        axis.margins(0.04)
    for color, name in ((CRACK_COLOR, 'crack'), (MARGIN_COLOR, 'margin')):
        axes[0].scatter([], [], c=color, s=28, label=name)
    figure.legend(*axes[0].get_legend_handles_labels(), ncols=2,
                  loc='outside lower center', frameon=False)
    return figure


def curve_figure(curves: Sequence[Curve], *, score: str,
                 note: str = '') -> Figure:
    """Draw mean and spread of a score over each parameter.

    CIRL, Figure 4. A dot is one seed, the line their mean, the band reaches
    from the lowest to the highest; all panels share one axis of scores.

    Args:
        curves (Sequence[Curve]): One panel each, up to four in a row.
        score (str): Name of the score, for its axis.
        note (str): Stands below it all.

    Returns:
        Figure: To be saved.

    Raises:
        ValueError: If there is no curve.
    """
    if not curves:
        raise ValueError('curves must hold at least one.')
    columns = min(4, len(curves))
    rows = -(-len(curves) // columns)
    figure = Figure(figsize=(3.2 * columns, 3.1 * rows),
                    layout='constrained')
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    axes = grid.flat
    for axis in axes[len(curves):]:
        axis.set_visible(False)
    for axis, curve in zip(axes, curves, strict=False):
        _draw_curve(axis, curve)
    for row in grid:
        row[0].set_ylabel(score)
    axes[0].yaxis.set_major_locator(MaxNLocator(6))
    if any(curve.paper is not None for curve in curves):
        axes[0].plot([], [], color=MARGIN_COLOR, linestyle='--',
                     label="the paper's value")
    axes[0].plot([], [], 'o-', color=CRACK_COLOR, markersize=5,
                 label='mean over seeds')
    axes[0].plot([], [], 'o', color=_GREY, markersize=3, label='one seed')
    figure.legend(*axes[0].get_legend_handles_labels(), ncols=3,
                  loc='outside upper center', frameon=False)
    if note:
        figure.supxlabel(note, fontsize='small', color=_GREY)
    return figure


def _draw_curve(axis: object, curve: Curve) -> None:
    """Draw one panel of :func:`curve_figure`."""
    run = [(v, s) for v, s in zip(curve.values, curve.scores, strict=True)
           if len(s)]
    values = [v for v, _ in run]
    if curve.paper is not None:
        axis.axvline(curve.paper, color=MARGIN_COLOR, linestyle='--',
                     linewidth=1.2)
    if run:
        axis.fill_between(values, [min(s) for _, s in run],
                          [max(s) for _, s in run], color=CRACK_COLOR,
                          alpha=0.15, linewidth=0)
        axis.plot(values, [math.fsum(s) / len(s) for _, s in run], 'o-',
                  color=CRACK_COLOR, markersize=5)
    for value, scores in run:
        axis.plot([value] * len(scores), scores, 'o', color=_GREY,
                  markersize=3)
    axis.set(xlabel=curve.label, xticks=curve.values)
    axis.set_xticklabels([f'{v:g}' for v in curve.values])
    axis.set_title(curve.note, fontsize='small')
    axis.grid(axis='y', alpha=0.3)
    low, high = min(curve.values), max(curve.values)
    room = 0.08 * (high - low) or 0.5
    axis.set_xlim(low - room, high + room)


def write_figure(path: str | os.PathLike, figure: Figure) -> None:
    """Write a diagram; the ending of the name says the format.

    Args:
        path (str | PathLike): Folders are made if needed.
        figure (Figure): From a function of this file.

    Raises:
        ValueError: If the format is unknown.
    """
    path = Path(path)
    kinds = figure.canvas.get_supported_filetypes()
    if path.suffix[1:].lower() not in kinds:
        raise ValueError(f'{str(path)!r} must end in one of '
                         f'{", ".join(sorted(kinds))}, got {path.suffix!r}.')
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
