"""Colours on a logarithmic scale, and the scale itself."""

import numpy as np
import pytest

from mmcrack.visualization import scale


def test_limits_are_round_and_leave_out_the_outermost():
    values = np.geomspace(1.3e-4, 0.23, 10_001)
    assert scale.log_limits(values) == (1e-4, .3)
    assert scale.log_limits(np.append(values, [1e-9, 7e3])) == (1e-4, .3)
    assert scale.log_limits(values, include=[.4, np.inf]) == (1e-4, .4)
    assert scale.log_limits(values, include=[.3]) == (1e-4, .3)
    assert scale.log_limits([.02], [2.]) == (.02, 2.)


def test_limits_of_one_number_are_a_factor_of_ten_apart():
    low, high = scale.log_limits(np.full(9, .0727))
    assert low < .0727 < high
    assert high / low >= 10 * (1 - 1e-9)


@pytest.mark.parametrize('values', [[], [0., -1.], [np.nan, np.inf]])
def test_limits_need_a_positive_number(values):
    with pytest.raises(ValueError, match='needs a positive number'):
        scale.log_limits(values)


def test_equal_factors_lie_equally_far_apart():
    found = scale.log_position([0, 1e-4, 1e-3, 1e-2, 1e-1, 1, 9], (1e-4, 1))
    np.testing.assert_allclose(found, [0, 0, .25, .5, .75, 1, 1], atol=1e-6)
    doubled = scale.log_position(np.array([.3, .6, 1.2]), (.01, 10))
    assert np.ptp(np.diff(doubled)) < 1e-6


def test_colours_run_from_violet_to_yellow():
    low, middle, high = scale.log_picture(
        np.array([[1e-3, 1e-2, 1e-1]]), (1e-3, 1e-1))[0].astype(int)
    assert low[2] > low[1]
    assert middle[1] == middle.max()
    assert min(high[:2]) > 200
    assert high[2] < 100
    grey = scale.log_picture(np.geomspace(1e-3, .1, 256)[None], (1e-3, .1))
    brightness = grey[0] @ (.299, .587, .114)
    assert (np.diff(brightness) > -1.5).all()


@pytest.mark.parametrize(('limits', 'ticks'), [
    ((1e-4, 1.), [1e-4, 1e-3, 1e-2, 1e-1, 1.]),
    ((5e-4, .07), [5e-4, 1e-3, 2e-3, 5e-3, .01, .02, .05]),
    ((.03, .3), [.05, .1, .2]),
])
def test_ticks_are_round_numbers_inside(limits, ticks):
    assert scale.log_ticks(limits) == ticks


@pytest.mark.parametrize(('value', 'text'), [
    (1e-4, '1e-4'), (5e-10, '5e-10'), (.002, '0.002'), (.5, '0.5'),
    (20., '20'), (2e4, '2e4')])
def test_numbers_are_written_short(value, text):
    assert scale.tick_text(value) == text


def test_the_strip_has_bar_mark_and_spreads_at_their_numbers():
    limits, width = (1e-3, 1.), 337
    red, blue = (200, 0, 0), (0, 0, 200)
    strip = scale.scale_strip(width, limits, mark=.1, mark_color=red,
                              spreads=[((1e-3, .01, .1), blue)])
    # 18 pixels free on both sides: 301 for three powers of ten.
    bar = strip[8]
    assert (bar[[17, 319]] == 255).all()
    for decade, x in enumerate((18, 118, 218, 318)):
        wanted = scale.log_picture(np.array([[10.**(decade - 3)]]), limits)
        if decade != 2:
            assert np.abs(bar[x].astype(int) - wanted[0, 0]).max() <= 3
    drawn = (strip == blue).all(-1)
    # The mark goes through it all, below the spread.
    assert ((strip[:, 218] == red).all(-1) | drawn[:, 218]).all()
    columns = np.flatnonzero(drawn.any(0))
    # Lines of two pixels have round ends.
    assert columns[0] in (17, 18)
    assert columns[-1] in (218, 219)
    knot = drawn[:, 112:125].sum(0)
    assert knot.argmax() + 112 == 118


def test_no_mark_where_nothing_is_marked():
    plain = scale.scale_strip(200, (.1, 10.))
    for mark in (None, np.inf):
        np.testing.assert_array_equal(
            scale.scale_strip(200, (.1, 10.), mark=mark), plain)


def test_numbers_never_run_into_each_other():
    """Ink of the tick texts: white columns between neighbours."""
    strip = scale.scale_strip(120, (1e-4, 1.))
    texts = (strip[-22:] < 128).any(-1).any(0)
    runs = np.flatnonzero(np.diff(texts.astype(int)))
    wide = scale.scale_strip(600, (1e-4, 1.))
    more = np.flatnonzero(np.diff((wide[-22:] < 128).any(-1).any(0)
                                  .astype(int)))
    assert len(runs) < len(more)
