"""Curves of the variance: values, gaps, marks."""

import math

import pytest

from mmcrack.visualization.variance_curves import (
    VarianceLog,
    smooth,
    variance_figure,
)


def test_running_median_leaves_gaps_out():
    values = [1., math.nan, 5., 2., 100., 3., math.nan, math.nan, math.nan]
    wanted = [1., 3., 3.5, 5., 3., 51.5, 3., math.nan, math.nan]
    assert smooth(values, 3) == pytest.approx(wanted, nan_ok=True)
    assert smooth(values, 1) == pytest.approx(values, nan_ok=True)


def test_lines_hold_the_logged_values_and_marks_stand_where_they_belong():
    log = VarianceLog(
        'a', [50, 100, 150],
        dict(variance_crack=[3., 2., 1.], variance_margin=[.5, .4, .3],
             ambiguous_share=[0., 10., 30.]), threshold=.4, switch=100)
    figure = variance_figure([log, log._replace(title='b', switch=None)],
                             window=1)
    axes = figure.axes
    assert [axis.get_title() for axis in axes[:2]] == ['a', 'b']
    lines = {line.get_label(): line for line in axes[0].get_lines()}
    assert list(lines['crack, median'].get_ydata()) == [3., 2., 1.]
    assert list(lines['margin, median'].get_xdata()) == [50, 100, 150]
    below = [list(line.get_ydata()) for line in axes[2].get_lines()]
    assert below[0] == [0., 10., 30.]
    # The switch and the threshold.
    assert [100, 100] in [list(li.get_xdata()) for li in axes[0].get_lines()]
    assert [.4, .4] in [list(li.get_ydata()) for li in axes[0].get_lines()]
    assert [100, 100] not in [
        list(li.get_xdata()) for li in axes[1].get_lines()]
    with pytest.raises(ValueError, match='at least one'):
        variance_figure([])
