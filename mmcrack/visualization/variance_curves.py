"""Diagrams of CIRL's variance in the course of a training."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

# Okabe and Ito's colours.
_LINES = {
    'variance_crack': ('crack, median', '#0072b2', '-'),
    'variance_margin': ('margin, median', '#d55e00', '-'),
    'variance_margin_q90': ('margin, 90 %', '#d55e00', ':'),
    'variance_background': ('background, median', '#777777', '-'),
}


class VarianceLog(NamedTuple):
    """What one training logged.

    Attributes:
        title (str): Stands above.
        steps (ArrayLike): Iterations, ascending, (T,).
        figures (Mapping[str, ArrayLike]): Log key (``'variance_crack'``,
            ``'variance_margin'``, ``'variance_margin_q90'``,
            ``'variance_background'``, ``'ambiguous_share'``) to float (T,),
            NaN where nothing was logged.
        threshold (float, optional): Variance above which a margin pixel is
            ambiguous; None where it is a quantile.
        switch (float, optional): First iteration of phase II.
    """

    title: str
    steps: ArrayLike
    figures: Mapping[str, ArrayLike]
    threshold: float | None = None
    switch: float | None = None


def smooth(values: ArrayLike, window: int) -> np.ndarray:
    """Return the running median of some values.

    Args:
        values (ArrayLike): Float, (T,); NaN is left out.
        window (int): Values to each median, odd, >= 1; fewer at the ends.

    Returns:
        ndarray: Float, (T,); NaN where the window holds nothing.
    """
    values = np.asarray(values, float)
    half = window // 2
    out = np.full(len(values), np.nan)
    for place in range(len(values)):
        part = values[max(0, place - half):place + half + 1]
        part = part[~np.isnan(part)]
        if len(part):
            out[place] = np.median(part)
    return out


def variance_figure(logs: Sequence[VarianceLog], *,
                    window: int = 5) -> Figure:
    """Draw variance and ambiguous share over the iterations.

    One column for each training: above, the variance in crack, margin and
    background with the threshold, on a logarithmic axis; below, which share
    of the margin is ambiguous. A dashed line marks the switch.

    Args:
        logs (Sequence[VarianceLog]): One column each.
        window (int): See :func:`smooth`.

    Returns:
        Figure: To be saved.

    Raises:
        ValueError: If there is no log.
    """
    if not logs:
        raise ValueError('logs must hold at least one.')
    figure = Figure(figsize=(1 + 3.4 * len(logs), 5), layout='constrained')
    axes = figure.subplots(
        2, len(logs), squeeze=False, sharex='col', sharey='row',
        height_ratios=(3, 2))
    for column, log in enumerate(logs):
        above, below = axes[:, column]
        above.set_title(log.title, fontsize=10)
        for key, (label, color, style) in _LINES.items():
            if key in log.figures:
                above.plot(log.steps, smooth(log.figures[key], window),
                           style, color=color, label=label, linewidth=1.3)
        above.set_yscale('log')
        if log.threshold:
            above.axhline(log.threshold, color='black', linewidth=.8)
            above.annotate(f'γ = {log.threshold:g}', (1, log.threshold),
                           xycoords=('axes fraction', 'data'), ha='right',
                           va='bottom', fontsize=8)
        below.plot(log.steps, smooth(log.figures['ambiguous_share'], window),
                   color='#009e73', linewidth=1.3)
        below.set_xlabel('iteration')
        for axis in (above, below):
            axis.grid(color='#dddddd', linewidth=.5)
            if log.switch is not None:
                axis.axvline(log.switch, color='black', linestyle='--',
                             linewidth=.8)
    axes[0, 0].set_ylabel('variance')
    axes[1, 0].set_ylabel('ambiguous, % of the margin')
    axes[1, 0].set_ylim(bottom=0)
    axes[0, 0].legend(fontsize=8, loc='best')
    return figure
