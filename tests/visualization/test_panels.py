"""Where each panel stands, and the files they go to."""

import cv2
import numpy as np
import pytest

from mmcrack.visualization import panels
from mmcrack.visualization.drawing import CRACK, RENDERED, heat_picture

WHITE = [255, 255, 255]


def plain(height, width, value):
    return np.full((height, width, 3), value, np.uint8)


def test_captions_stand_above_in_a_darker_colour():
    found = panels.caption(plain(10, 200, 9), [('abc', (200, 0, 0)),
                                               ('x', (0, 0, 0))])
    assert found.shape == (34, 200, 3)
    assert (found[24:] == 9).all()
    strip = found[:24].astype(int)
    red = (strip == (150, 0, 0)).all(-1)
    black = (strip == 0).all(-1)
    # The second word stands to the right of the first.
    assert np.argwhere(red)[:, 1].max() < np.argwhere(black)[:, 1].min()
    assert (strip[:, -40:] == 255).all()


def test_a_caption_of_its_own_width_is_not_cut():
    words = [('boundary 1310 (40 %)', (0, 0, 0)), ('background', (9, 9, 9))]
    width = panels.caption_width(words)
    tight, wide = (panels.caption(plain(1, w, 0), words)[:24]
                   for w in (width, width + 50))
    np.testing.assert_array_equal(tight, wide[:, :width])
    assert (wide[:, width:] == 255).all()
    # And no wider than needed: behind the last word stands its margin.
    assert (tight[:, -12:] != 255).any()


def test_rows_have_gaps_of_six_and_white_below():
    row = panels.panel_row([plain(3, 4, 10), plain(5, 2, 20), plain(1, 1, 30)])
    assert row.shape == (5, 4 + 6 + 2 + 6 + 1, 3)
    assert (row[:3, :4] == 10).all()
    assert (row[3:, :4] == 255).all()
    assert (row[:, 4:10] == 255).all()
    assert (row[:, 10:12] == 20).all()
    assert row[0, 18].tolist() == [30] * 3
    assert row[1, 18].tolist() == WHITE


def test_sheets_have_rows():
    sheet = panels.contact_sheet(
        [plain(2, 3, v) for v in (1, 2, 3)], columns=2)
    assert sheet.shape == (2 + 6 + 2, 3 + 6 + 3, 3)
    assert (sheet[8:, :3] == 3).all()
    assert (sheet[8:, 3:] == 255).all()
    assert (sheet[:2, 9:] == 2).all()


@pytest.mark.parametrize(('call', 'words'), [
    (lambda: panels.panel_row([]), 'at least one picture'),
    (lambda: panels.contact_sheet([], columns=1), 'got 0 and 1'),
    (lambda: panels.contact_sheet([plain(1, 1, 0)], columns=0),
     'got 1 and 0'),
])
def test_nothing_to_show(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def draw(**changes):
    arguments = dict(
        image=plain(30, 250, 80), pred=np.zeros((30, 250), bool),
        target=np.zeros((30, 250), bool), ignored=None, heat_map=None,
        rendered=None, max_long_edge=None)
    return panels.result_picture(**(arguments | changes))


def panel(picture, number, height=30, width=250):
    left = number * (width + 6)
    return picture[24:24 + height, left:left + width]


@pytest.mark.parametrize(('changes', 'count'), [
    ({}, 3), (dict(target=None), 2),
    (dict(heat_map=np.zeros((30, 250))), 4),
    (dict(target=None, heat_map=np.zeros((30, 250))), 3)])
def test_only_what_is_known_has_a_panel(changes, count):
    assert draw(**changes).shape == (54, count * 250 + (count - 1) * 6, 3)


def test_rendered_pixels_lie_on_the_heat_map():
    heat = np.linspace(0, 1, 30 * 250).reshape(30, 250)
    rendered = np.zeros((30, 250), bool)
    rendered[4, 100:140] = True
    found = panel(draw(heat_map=heat, rendered=rendered), 3)
    assert (found[rendered] == RENDERED).all()
    np.testing.assert_array_equal(found[~rendered],
                                  heat_picture(heat)[~rendered])


def test_the_share_is_of_the_whole_image_in_percent():
    rendered = np.zeros((20, 50), bool)
    rendered[0, :32] = True
    assert panels.heat_words(rendered)[1][0] == 'rendered 3.2 %'
    assert panels.heat_words(None)[0][0] == 'crack probability'


def test_a_thin_crack_survives_the_reduction():
    target = np.zeros((300, 1000), bool)
    target[:, 501] = True
    picture = draw(image=plain(300, 1000, 80), pred=target, target=target,
                   max_long_edge=250)
    truth = panel(picture, 1, 75)
    assert (truth[:, 125] == CRACK).all()
    assert (truth[:, [124, 126]] == 80).all()


def test_narrow_panels_are_enlarged_by_a_whole_number():
    mask = np.zeros((10, 100), bool)
    mask[2, 3] = True
    picture = draw(image=plain(10, 100, 80), pred=mask, target=mask)
    assert picture.shape == (24 + 30, 3 * 300 + 12, 3)
    truth = panel(picture, 1, 30, 300)
    marked = (truth == CRACK).all(-1)
    assert marked[6:9, 9:12].all()
    assert marked.sum() == 9


def test_ignored_pixels_are_grey_and_named():
    ignored = np.zeros((30, 250), bool)
    ignored[10:20, 10:20] = True
    with_, without = draw(ignored=ignored), draw()
    mixed = round(.3 * 80 + .7 * 128)
    assert (panel(with_, 1)[ignored] == mixed).all()
    assert (panel(with_, 1)[~ignored] == 80).all()
    assert (with_[:24, 256:506] != without[:24, 256:506]).any()


@pytest.mark.parametrize('suffix', ['.png', '.bmp'])
def test_written_pictures_come_back(tmp_path, suffix):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    path = tmp_path / 'new' / f'Riß ü{suffix}'
    panels.write_picture(path, image)
    stored = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), -1)
    np.testing.assert_array_equal(stored[..., ::-1], image)


@pytest.mark.parametrize('name', ['a.xyz', 'a'])
def test_unknown_formats(tmp_path, name):
    with pytest.raises(ValueError, match='must end in a picture format'):
        panels.write_picture(tmp_path / name, plain(1, 1, 0))
