"""The picture of margin, variance and ambiguous region."""

import numpy as np
import pytest

from mmcrack.visualization import (
    Ambiguity,
    Labelled,
    ambiguity_picture,
    fade,
    spreads_of,
)
from mmcrack.visualization.ambiguity import (
    AMBIGUOUS,
    MARGIN,
    densest_window,
)
from mmcrack.visualization.scale import log_picture

HEIGHT, WIDTH = 60, 400


def labelled(height=HEIGHT, width=WIDTH, name='one'):
    """A horizontal crack of 4 pixels' width and its margin of 2."""
    rows = np.arange(height)[:, None] + np.zeros((1, width), int)
    crack = (rows >= 20) & (rows < 24)
    margin = (rows >= 18) & (rows < 26) & ~crack
    image = np.full((height, width, 3), 120, np.uint8)
    return Labelled(name, image, crack, margin, np.zeros_like(crack))


def finding(one, threshold=.4, title='net'):
    """Variance 0.001, 0.05 on the crack; 0.5 in the margin from x = 300."""
    variance = np.full(one.crack.shape, 1e-3)
    variance[one.crack] = .05
    hot = one.margin & (np.arange(one.crack.shape[1]) >= 300)
    variance[hot] = .5
    return Ambiguity(title, variance, one.margin & (variance > threshold),
                     threshold)


def panel(picture, row, column, height=HEIGHT, width=WIDTH):
    """One panel; the second row lies below the first and its caption."""
    top = 24 + row * (height + 6 + 24)
    left = column * (width + 6)
    return picture[top:top + height, left:left + width]


def test_spreads_are_quantiles_that_occur():
    one = labelled()
    spreads = spreads_of(finding(one).variance, one)
    # A quarter of the margin is hot.
    assert spreads == {
        'crack': (.05, .05, .05),
        'margin': (1e-3, 1e-3, .5),
        'background': (1e-3, 1e-3, 1e-3)}
    variance = np.zeros_like(one.crack, float)
    variance[one.crack] = np.arange(one.crack.sum())
    crack = spreads_of(variance, one)['crack']
    np.testing.assert_allclose(crack, np.array([.1, .5, .9]) * 1599, atol=1)


def test_a_region_without_pixels_has_no_spread():
    one = labelled()
    nothing = one._replace(crack=one.crack & False, margin=one.margin & False)
    spreads = spreads_of(np.ones(one.crack.shape), nothing)
    assert np.isnan(spreads['crack'] + spreads['margin']).all()
    assert spreads['background'] == (1., 1., 1.)
    ignored = nothing._replace(ignored=~one.ignored)
    assert np.isnan(spreads_of(np.ones(one.crack.shape),
                               ignored)['background']).all()


def test_the_densest_window_is_that_of_a_plain_search():
    rng = np.random.default_rng(0)
    for _ in range(20):
        weight = rng.integers(0, 3, (13, 17))
        height, width = rng.integers(1, 13), rng.integers(1, 17)
        sums = {
            (y, x): weight[y:y + height, x:x + width].sum()
            for y in range(13 - height + 1) for x in range(17 - width + 1)}
        place = densest_window(weight, (height, width))
        assert sums[place] == max(sums.values())


def test_a_lone_spot_lies_in_the_middle_of_its_window():
    weight = np.zeros((40, 50), bool)
    weight[21, 30] = True
    assert densest_window(weight, (11, 7)) == (16, 27)
    weight[21, 30], weight[0, 49] = False, True
    assert densest_window(weight, (11, 7)) == (0, 43)
    assert densest_window(weight & False, (10, 10)) == (15, 20)


def test_two_rows_show_label_variance_and_ambiguous_region():
    one = labelled()
    found = finding(one)
    picture = ambiguity_picture(one, [found])
    assert picture.shape[1] == 3 * WIDTH + 12
    # The outline of the place of 67 x 24 pixels covers some.
    top, left = densest_window(found.ambiguous, (24, 67))
    assert left >= 300
    free = np.ones_like(one.crack)
    free[max(0, top - 1):top + 25, left - 1:left + 68] = False
    assert (found.ambiguous & free).sum() > 100
    ground = fade(one.image, strength=.4)
    image = panel(picture, 0, 0)
    np.testing.assert_array_equal(image[free], one.image[free])
    truth = panel(picture, 0, 1)
    assert (truth[one.margin & free] == MARGIN).all()
    other = free & ~one.margin & ~one.crack
    np.testing.assert_array_equal(truth[other], ground[other])
    variance = panel(picture, 1, 0)
    np.testing.assert_array_equal(
        variance[free], log_picture(found.variance, (1e-3, .5))[free])
    ambiguous = panel(picture, 1, 1)
    assert (ambiguous[found.ambiguous & free] == AMBIGUOUS).all()
    mixed = np.round(.5 * ground[0, 0] + .5 * np.array(MARGIN))
    calm = one.margin & ~found.ambiguous & free
    assert (ambiguous[calm] == mixed).all()
    np.testing.assert_array_equal(ambiguous[other], ground[other])


def test_the_enlarged_place_holds_the_densest_part():
    """Windows of 67 x 24 pixels; A is a spot of 4 x 4 at (350, 18)."""
    one = labelled()
    spot = np.zeros_like(one.crack)
    spot[18:22, 350:354] = True
    crop = one.image.copy()
    crop[19, 351] = 250
    one = one._replace(image=crop)
    picture = ambiguity_picture(
        one, [finding(one)._replace(ambiguous=spot & one.margin)])
    place = panel(picture, 0, 2)
    white = (place == 250).all(-1)
    # 400 / 67 by 60 / 24 pixels for one.
    assert 10 <= white.sum() <= 21
    y, x = np.argwhere(white).mean(0)
    assert abs(x - WIDTH / 2) < 18
    assert abs(y - HEIGHT / 2) < 8
    found = panel(picture, 1, 2).astype(int)
    vermilion = found[..., 0] - found[..., 2] > 60
    assert vermilion.sum() == pytest.approx(8 * 400 / 67 * 60 / 24, rel=.2)


def test_each_network_has_a_row_on_one_scale():
    one = labelled()
    first = finding(one)
    second = finding(one, threshold=np.inf)
    second = second._replace(variance=second.variance * 10)
    picture = ambiguity_picture(one, [first, second])
    step = (picture.shape[0] - (24 + HEIGHT)) // 2
    top = 24 + HEIGHT + step + 6 + 24
    corner = picture[top:top + 5, :5]
    assert (corner == log_picture(np.array([[.01]]), (1e-3, 5.))).all()
    corner = picture[24 + HEIGHT + 30:, :][:5, :5]
    assert (corner == log_picture(np.array([[1e-3]]), (1e-3, 5.))).all()


def test_long_images_are_reduced_and_their_place_is_not():
    one = labelled(height=120, width=1600)
    spot = np.zeros_like(one.crack)
    spot[18:20, 801] = True
    image = one.image.copy()
    image[:, ::2] = 40
    picture = ambiguity_picture(
        one._replace(image=image), [finding(one)._replace(ambiguous=spot)],
        max_long_edge=400)
    assert picture.shape[1] == 3 * 400 + 12
    # Columns of 40 and 120: averaged in the image, apart in the place.
    assert (panel(picture, 0, 0, 30, 400)[:, :100] == 80).all()
    assert set(np.unique(panel(picture, 0, 2, 30, 400))) == {40, 120}
    marked = panel(picture, 1, 1, 30, 400)
    assert (marked[4, 200] == AMBIGUOUS).all()


def test_ignored_pixels_are_named():
    one = labelled()
    ignored = one.ignored.copy()
    ignored[50:] = True
    with_ = ambiguity_picture(one._replace(ignored=ignored), [finding(one)])
    without = ambiguity_picture(one, [finding(one)])
    changed = panel(with_, 0, 1)
    ground = fade(one.image, strength=.4)[0, 0, 0]
    assert (changed[50:] == round(.3 * ground + .7 * 128)).all()
    assert (with_[:24] != without[:24]).any()


def test_an_image_without_crack_is_drawn():
    one = labelled()
    nothing = one._replace(crack=one.crack & False, margin=one.margin & False)
    calm = Ambiguity('net', np.full(one.crack.shape, .01),
                     nothing.crack, .4)
    picture = ambiguity_picture(nothing, [calm])
    ground = fade(one.image, strength=.4)
    assert (panel(picture, 1, 1)[:, :100] == ground[:, :100]).all()
