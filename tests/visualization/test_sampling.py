"""Regions and points in their colours."""

import numpy as np

from mmcrack.visualization import DrawnPoints, sampling_picture
from mmcrack.visualization.drawing import REGION_COLORS
from mmcrack.visualization.sampling import (
    NOWHERE,
    draw_drawn_points,
    draw_regions,
    drawn_words,
)

BODY, BOUNDARY, BACKGROUND = REGION_COLORS
IMAGE = np.full((4, 6, 3), 120, np.uint8)


def test_the_band_is_brighter_on_the_label():
    regions = np.full((4, 6), 2)
    regions[1], regions[2, :3], regions[0, 5] = 1, 0, -1
    crack = np.zeros((4, 6), bool)
    crack[1, :2], crack[2, :3] = True, True
    found = draw_regions(IMAGE, regions, crack)
    assert (found[1, :2] == BOUNDARY).all()
    # 0.45 of the faded image (120 * 0.5) and 0.55 of the colour.
    outside = [round(.45 * 60 + .55 * c) for c in BOUNDARY]
    assert found[1, 4].tolist() == outside
    assert (found[2, :3] == BODY).all()
    assert found[0, 5].tolist() == [round(.3 * 60 + .7 * c) for c in NOWHERE]
    assert (found[3] == 60).all()


def at(*pixels):
    return np.array([((x + .5) / 6, (y + .5) / 4) for x, y in pixels])


def test_points_have_the_colour_of_their_region():
    drawn = DrawnPoints('a', at((0, 0), (1, 0), (2, 0), (3, 0), (5, 3)),
                        np.array([0, 1, 2, -1, 0]))
    found = draw_drawn_points(IMAGE, drawn)
    assert found[0, :4].tolist() == [
        list(BODY), list(BOUNDARY), list(BACKGROUND), list(NOWHERE)]
    assert found[3, 5].tolist() == list(BODY)
    assert (found[1:3] == 48).all()


def test_body_covers_boundary_where_both_were_drawn():
    drawn = DrawnPoints('a', at((1, 1), (1, 1), (1, 1)), np.array([1, 0, 2]))
    assert draw_drawn_points(IMAGE, drawn)[1, 1].tolist() == list(BODY)


def test_the_legend_counts():
    regions = np.repeat([0, 1, 2], [982, 1310, 984])
    words = drawn_words(DrawnPoints('drawn', None, regions))
    assert [text for text, _ in words] == [
        'drawn:', 'body 982 (30 %)', 'boundary 1310 (40 %)',
        'background 984 (30 %)']
    assert [color for _, color in words[1:]] == list(REGION_COLORS)
    thin = DrawnPoints('drawn', None, np.array([0, -1]), 'crack')
    assert [text for text, _ in drawn_words(thin)] == [
        'drawn:', 'crack 1 (50 %)', 'boundary 0 (0 %)', 'background 0 (0 %)',
        'no label 1']
    nothing = DrawnPoints('drawn', None, np.zeros(0, int))
    assert drawn_words(nothing)[1][0] == 'body 0 (0 %)'


def test_two_rows_at_one_scale():
    regions = np.full((4, 6), 2)
    drawn = DrawnPoints('drawn', at((0, 0)), np.array([2]))
    crack = np.zeros((4, 6), bool)
    one = sampling_picture(IMAGE, regions=regions, crack=crack, drawn=[drawn])
    scale = (one.shape[1] - 12) // 18
    assert one.shape == (24 + 4 * scale, 18 * scale + 12, 3)
    assert (one[24:24 + scale, 2 * (6 * scale + 6):][:, :scale]
            == BACKGROUND).all()
    two = sampling_picture(
        IMAGE, regions=regions, crack=crack, drawn=[drawn],
        bands=[(0, regions), (1, np.full((4, 6), 1))])
    scale = (two.shape[1] - 12) // 18
    assert two.shape[0] == 2 * (24 + 4 * scale) + 6
    below = two[24 + 4 * scale + 6 + 24:, 6 * scale + 6:][:, :6 * scale]
    outside = [round(.45 * 60 + .55 * c) for c in BOUNDARY]
    assert (below == outside).all()
