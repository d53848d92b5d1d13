"""Diagrams: what they hold, read back from Matplotlib."""

import matplotlib.pyplot
import numpy as np
import pytest

from mmcrack.visualization.plots import (
    CRACK_COLOR,
    MARGIN_COLOR,
    Cloud,
    Curve,
    cloud_figure,
    curve_figure,
    write_figure,
)


def clouds(count):
    rng = np.random.default_rng(0)
    return [Cloud(f'net {i}', f'silhouette 0.{i}', rng.normal(size=(10, 2)),
                  np.arange(10) < 3) for i in range(count)]


def test_clouds_have_their_places_and_colours():
    (cloud, ) = clouds(1)
    figure = cloud_figure([cloud])
    axis = figure.axes[0]
    points = axis.collections[0]
    drawn = {tuple(p): tuple(np.round(c, 6)) for p, c in zip(
        points.get_offsets(), points.get_facecolors(), strict=True)}
    for place, margin in zip(cloud.places, cloud.is_margin, strict=True):
        wanted = MARGIN_COLOR if margin else CRACK_COLOR
        rgb = [int(wanted[i:i + 2], 16) / 255 for i in (1, 3, 5)]
        np.testing.assert_allclose(drawn[tuple(place)][:3], rgb, atol=1e-5)
    assert (axis.get_title(), axis.get_xlabel()) == ('net 0', 'silhouette 0.0')
    assert [t.get_text() for t in figure.legends[0].get_texts()] == [
        'crack', 'margin']


def test_four_clouds_make_two_rows():
    axes = cloud_figure(clouds(4)).axes
    assert [a.get_visible() for a in axes] == [True] * 4 + [False] * 2


def test_a_curve_is_the_mean_and_its_band_the_range():
    curve = Curve('K', (5, 10, 20), [[70., 72.], [], [60., 63., 66.]],
                  paper=20, note='best - worst: 8.0')
    axis = curve_figure([curve], score='F1').axes[0]
    lines = {line.get_linestyle(): line for line in axis.lines[:2]}
    assert lines['--'].get_xdata()[0] == 20
    np.testing.assert_allclose(lines['-'].get_xydata(),
                               [[5, 71], [20, 63]])
    band = axis.collections[0].get_paths()[0].vertices
    assert {tuple(v) for v in band} == {(5, 70), (5, 72), (20, 60), (20, 66)}
    dots = [tuple(p) for line in axis.lines[2:]
            for p in line.get_xydata() if line.get_linestyle() == 'None']
    assert sorted(dots) == [(5, 70), (5, 72), (20, 60), (20, 63), (20, 66)]
    assert list(axis.get_xticks()) == [5, 10, 20]
    assert axis.get_ylabel() == 'F1'
    assert axis.get_title() == 'best - worst: 8.0'


def test_all_curves_share_the_axis_of_scores():
    figure = curve_figure(
        [Curve('a', (1, 2), [[10.], [20.]]), Curve('b', (1, 2), [[50.], []]),
         Curve('c', (1, 2), [[], []])], score='F1')
    limits = {axis.get_ylim() for axis in figure.axes}
    assert len(limits) == 1
    low, high = limits.pop()
    assert low < 10
    assert high > 50
    # A value without a run has its place all the same.
    assert figure.axes[2].get_xlim()[1] > 2
    names = [t.get_text() for t in figure.legends[0].get_texts()]
    assert names == ['mean over seeds', 'one seed']


@pytest.mark.parametrize('draw', [
    cloud_figure, lambda nothing: curve_figure(nothing, score='F1')])
def test_nothing_to_draw(draw):
    with pytest.raises(ValueError, match='must hold at least one'):
        draw([])


def test_files_and_formats(tmp_path):
    figure = cloud_figure(clouds(2))
    write_figure(tmp_path / 'new' / 'a.svg', figure)
    assert 'net 1' in (tmp_path / 'new' / 'a.svg').read_text()
    with pytest.raises(ValueError, match=r"must end in one of .*png.*'.xyz'"):
        write_figure(tmp_path / 'a.xyz', figure)
    # No window, and nothing that pyplot would keep.
    assert matplotlib.pyplot.get_fignums() == []
