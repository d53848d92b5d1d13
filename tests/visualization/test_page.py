"""Parts of pages: limits, escaping, diagrams, and a real browser."""

import numpy as np
import pytest
from browser import run_in_page
from page_reader import PageReader, read_page

from mmcrack.visualization import page as parts
from mmcrack.visualization.page_plots import (
    Axis,
    Series,
    axis_over,
    bar_plot,
    line_plot,
    scatter_plot,
)

LIMIT = dict(max_long_edge=400, max_bytes=9000)


def decoded(inline):
    page = PageReader(parts.image(inline, 'a picture'))
    return page.pictures()[0]


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize('encode', [
    lambda **k: parts.encode_picture(noise(700, 500, 3), **k),
    lambda **k: parts.encode_mask(noise(700, 500) > 127, (9, 8, 7), **k),
    lambda **k: parts.encode_heat(noise(700, 500) / 255, **k)])
def test_pictures_keep_their_limits(encode):
    inline = encode(**LIMIT)
    # Three quarters of base64's characters.
    assert len(inline.uri.split(',')[1]) * 3 / 4 <= 9000 + 3
    assert max(inline.width, inline.height) <= 400
    assert decoded(inline).size == (inline.width, inline.height)
    assert inline.height / inline.width == pytest.approx(7 / 5, rel=.03)


def test_drawing_keeps_its_limit_and_transparency():
    drawing = noise(300, 200, 4)
    drawing[..., 3] = 0
    drawing[100:140, :, :] = (255, 0, 0, 255)
    inline = parts.encode_drawing(drawing, max_bytes=9000)
    picture = np.array(decoded(inline).convert('RGBA'))
    assert picture[0, 0, 3] == 0
    assert picture[120 * inline.height // 300, 5].tolist() == [255, 0, 0,
                                                               255]


def test_a_thin_crack_outlives_reduction_and_the_rest_is_clear():
    mask = np.zeros((400, 800), bool)
    mask[:, 401] = True
    inline = parts.encode_mask(mask, (10, 20, 30), max_long_edge=200,
                               max_bytes=10**6)
    assert (inline.width, inline.height) == (200, 100)
    picture = np.array(decoded(inline).convert('RGBA'))
    assert (picture[:, 100] == (10, 20, 30, 255)).all()
    assert (np.delete(picture, 100, axis=1)[..., 3] == 0).all()


def test_heat_is_clear_at_zero_and_grows():
    inline = parts.encode_heat(np.linspace(0, 1, 300)[None].repeat(4, 0),
                               max_long_edge=300, max_bytes=10**6)
    alpha = np.array(decoded(inline).convert('RGBA'))[0, :, 3].astype(int)
    assert alpha[0] == 0
    assert (np.diff(alpha) >= 0).all()
    assert alpha[-1] > 200


def test_texts_are_escaped(tmp_path):
    evil = '<script>alert("x")</script>&'
    photograph = parts.encode_picture(noise(40, 60, 3), **LIMIT)
    html = parts.page(evil, parts.facts({evil: evil}), [parts.section(
        'a', evil, parts.paragraph(evil), parts.legend([evil]),
        parts.table([evil, 'b'], [[evil, parts.Cell(evil, 1, 'a')]],
                    caption=evil),
        parts.viewer([parts.Layer(evil, evil, photograph)], title=evil,
                     note=evil),
        bar_plot([Series(evil, (), [1])], [evil], evil, Axis(evil, 0, 1),
                 title=evil))])
    path = tmp_path / 'page.html'
    path.write_text(html, 'utf-8')
    assert html.count('alert(') > 10
    assert '<script>alert' not in html
    assert html.count('<script>') == 1
    assert read_page(path).table(evil) == {evil: [evil]}


def test_ticks_are_round_numbers():
    assert Axis('', 0, 100).ticks() == [0, 20, 40, 60, 80, 100]
    assert Axis('', 0, .3).ticks() == pytest.approx([0, .1, .2, .3])
    assert Axis('', -10, 10).ticks() == [-10, -5, 0, 5, 10]
    axis = axis_over('x', [3, float('nan'), 3], low=None)
    assert axis.low == 3 < axis.high
    assert axis_over('x', [], low=0).high > 0


def test_diagrams_put_values_where_they_belong():
    y = Axis('y', 0, 100)
    svg = bar_plot([Series('run', (), [50, float('nan'), 100],
                           low=[40, 0, 90], high=[60, 0, 100])],
                   ['a', 'b', 'c'], 'x', y, title='t')
    heights = [float(part.split('"')[0]) for part in
               svg.split('height="')[1:]]
    # The area for bars is 278 high; nothing is drawn of what is unknown.
    assert heights == pytest.approx([139, 278])
    assert svg.count('whisker') == 2
    line = line_plot([Series('run', [0, 1, 2, 3], [0, 100, float('nan'),
                                                   50])],
                     Axis('x', 0, 3), y, title='t')
    # One point alone is a line of its own.
    assert line.count('<polyline') == 2
    assert 'points="66.0,290.0 213.3,12.0"' in line
    dots = scatter_plot([(50, 50, 'one'), (float('nan'), 1, 'two')], y, y,
                        title='t')
    assert dots.count('<circle') == 1
    assert 'two' not in dots


SCRIPT = """
const one = (what) => document.querySelector(what);
const click = (what) => one(what).click();
const names = () => [...document.querySelectorAll('tbody th')].map(
  (cell) => cell.textContent).join();
const view = (n) => document.querySelectorAll('.layers')[n].style.transform;
const mask = one('img[data-layer=mask]');
told.first = [mask.hidden, one('img[data-layer=heat]').hidden];
click('input[data-layer=mask]'); click('input[data-layer=heat]');
told.toggled = [mask.hidden, one('img[data-layer=heat]').hidden];
told.order = [names()];
const titles = document.querySelectorAll('thead button');
for (const n of [1, 1, 0]) { titles[n].click(); told.order.push(names()); }
told.sorted = titles[0].closest('th').getAttribute('aria-sort');
const stage = one('.stage');
const key = (name) => stage.dispatchEvent(new KeyboardEvent('keydown',
  {key: name, bubbles: true, cancelable: true}));
key('+'); told.zoomed = [view(0), view(1)];
key('ArrowLeft'); told.moved = view(0);
key('0'); told.whole = view(0);
const box = stage.getBoundingClientRect();
const touch = (kind, id, x, y) => stage.dispatchEvent(new PointerEvent(kind,
  {pointerId: id, pointerType: 'touch', bubbles: true,
   clientX: box.left + x * box.width, clientY: box.top + y * box.height}));
stage.setPointerCapture = () => {};
touch('pointerdown', 7, .4, .5); touch('pointerdown', 8, .6, .5);
touch('pointermove', 7, .3, .5); touch('pointermove', 8, .7, .5);
told.pinched = view(0);
touch('pointerup', 8, .7, .5); touch('pointermove', 7, .8, .5);
told.dragged = view(0);
touch('pointermove', 7, 9, .5); told.clamped = view(0);
touch('pointerup', 7, 9, .5);
click('[data-do=reset]'); told.reset = view(0);
click('[data-do=big]');
told.big = one('.viewer').classList.contains('big');
key('Escape'); told.small = one('.viewer').classList.contains('big');
dispatchEvent(new Event('beforeprint'));
told.unfolded = one('details').open;
dispatchEvent(new Event('afterprint')); told.folded = one('details').open;
told.wide = document.documentElement.scrollWidth > innerWidth;
const photo = one('img[data-layer=image]').getBoundingClientRect();
told.size = [box.width / box.height, photo.width
  === box.width];
"""


@pytest.mark.parametrize('size', [(1280, 1000), (500, 844)])
def test_in_a_browser(tmp_path, size):
    picture = parts.encode_picture(noise(40, 60, 3), **LIMIT)
    mask = parts.encode_mask(noise(40, 60) > 200, (255, 0, 0), **LIMIT)
    layers = [parts.Layer('image', 'image', picture),
              parts.Layer('mask', 'mask', mask, (255, 0, 0)),
              parts.Layer('heat', 'probability', mask, None, False)]
    rows = [[name, parts.number_cell(value, 1), 'text' * 20]
            for name, value in (('b', 9), ('c', float('nan')), ('a', 10))]
    path = tmp_path / 'page.html'
    path.write_text(parts.page('Title', '', [parts.section(
        's', 'Section', parts.table(['name', 'value', 'more'], rows),
        '<details><summary>More</summary>more</details>',
        *(parts.viewer(layers, title=t, group='g') for t in 'xy'))]),
        'utf-8')
    told = run_in_page(path, SCRIPT, tmp_path, size=size)
    assert 'error' not in told
    assert told['first'] == [False, True]
    assert told['toggled'] == [True, False]
    # Unknown values come last whatever the direction.
    assert told['order'] == ['b,c,a', 'a,b,c', 'b,a,c', 'c,b,a']
    assert told['sorted'] == 'descending'
    # 1.6 times about the middle: both viewers of the group.
    assert told['zoomed'] == ['translate(-30%, -30%) scale(1.6)'] * 2
    assert told['moved'] == 'translate(-15%, -30%) scale(1.6)'
    assert told['whole'] == told['reset'] == 'translate(0%, 0%) scale(1)'
    # Fingers 0.2 of the width apart, then 0.4.
    assert told['pinched'].endswith('scale(2)')
    assert told['dragged'] != told['pinched']
    assert told['clamped'].startswith('translate(0%, ')
    assert (told['big'], told['small']) == (True, False)
    assert (told['unfolded'], told['folded']) == (True, False)
    # Wide tables scroll by themselves, not the page.
    assert told['wide'] is False
    assert told['size'] == [pytest.approx(1.5, abs=.01), True]
