"""Systems side by side: scores, places, pixels."""

import numpy as np
import pytest

from mmcrack.visualization.comparison import (
    BOX_COLORS,
    Box,
    Found,
    Scene,
    choose_boxes,
    comparison_picture,
    crack_iou,
    disagreement,
)
from mmcrack.visualization.drawing import CRACK, FALSE_ALARM, HIT, MISS


def empty(*size):
    return np.zeros(size, bool)


def scene(size=(240, 320), name='photograph', **masks):
    image = np.full((*size, 3), 200, np.uint8)
    target = empty(*size)
    target[100:110] = True
    found = [Found(n, mask) for n, mask in masks.items()]
    return Scene(name, image, target, empty(*size), found)


def test_iou_by_hand():
    pred, target, ignored = empty(4, 4), empty(4, 4), empty(4, 4)
    pred[0], target[:, 0] = True, True
    assert crack_iou(pred, target, ignored) == pytest.approx(100 / 7)
    ignored[0] = True
    assert crack_iou(pred, target, ignored) == 0.
    assert crack_iou(target, target, ignored) == 100.
    assert np.isnan(crack_iou(empty(4, 4), empty(4, 4), ignored))


def test_pairs_that_disagree():
    masks = [empty(240, 320) for _ in range(3)]
    for number, mask in enumerate(masks):
        mask[:, :number + 1] = True
    view = scene(a=masks[0], b=masks[1], c=masks[2])
    pairs = disagreement(view)
    # Truth 0: three, two, one, no system says crack.
    assert pairs[0, :4].tolist() == [3., 4., 3., 0.]
    # Truth 1: all four, three, two, one.
    assert pairs[105, :4].tolist() == [0., 3., 4., 3.]
    view.ignored[0] = True
    assert disagreement(view)[0].sum() == 0


def test_boxes_hold_the_greatest_disagreement_and_do_not_overlap():
    mask = scene().target.copy()
    mask[200:220, 250:270] = True
    mask[20:30, 40:50] = True
    # A third place would have nothing.
    first, second = choose_boxes(scene(a=mask), 3, size=(40, 60))
    for box, spot in ((first, (200, 220, 250, 270)), (second,
                                                      (20, 30, 40, 50))):
        assert box.top <= spot[0]
        assert spot[1] <= box.top + box.height
        assert box.left <= spot[2]
        assert spot[3] <= box.left + box.width
    # Without any disagreement: the middle, once.
    view = scene()._replace(found=[Found('a', scene().target)])
    assert choose_boxes(view, 2, size=(40, 60)) == [Box(130, 100, 60, 40)]


def test_panels_show_hits_misses_and_false_alarms_where_they_are():
    half = empty(240, 320)
    half[100:105] = True
    half[10:20, 300:310] = True
    view = scene(system=half)
    drawn = comparison_picture([view], boxes=[[Box(280, 0, 40, 30)]],
                               max_long_edge=320)
    image, truth, errors = (drawn[:240, k * 326:k * 326 + 320]
                            for k in range(3))
    assert (image[150] == 200).all()
    assert (truth[102, :200] == CRACK).all()
    assert (errors[102, :200] == HIT).all()
    assert (errors[107, :200] == MISS).all()
    assert (errors[15, 302:308] == FALSE_ALARM).all()
    # The frame lies around the box.
    assert (image[30, 290:310] == BOX_COLORS[0]).all()
    # Below it the box, eight times as large: 243 is its row 0.
    crop = drawn[243:243 + 240, 652:652 + 320]
    assert (crop[8 * 12, 8 * 22:8 * 28] == FALSE_ALARM).all()
    assert not (crop[8 * 25] == FALSE_ALARM).all(-1).any()
    # Names and IoU below: some dark pixels in a strip of 24, and the legend.
    strip = drawn[243 + 240:243 + 264]
    assert (strip.min(-1) < 100).any()
    assert drawn.shape == (243 + 240 + 24 + 24, 3 * 320 + 12, 3)


def test_high_resolution_is_reduced_and_its_box_is_not():
    mask = empty(1200, 1600)
    mask[600, 802] = True
    view = scene(size=(1200, 1600), a=mask)._replace(
        target=empty(1200, 1600))
    drawn = comparison_picture([view], max_long_edge=320)
    errors = drawn[:240, 652:972]
    # One pixel stays visible in the reduced panel.
    assert (errors == FALSE_ALARM).all(-1).sum() == 1
    crop = drawn[243:483, 652:972]
    # Reduced fivefold, so it is enlarged twice: one pixel becomes four.
    assert (crop == FALSE_ALARM).all(-1).sum() == 4


def test_masks_in_white_on_black():
    drawn = comparison_picture([scene(a=empty(240, 320))], boxes=0,
                               max_long_edge=320, style='masks')
    truth, found = drawn[:240, 326:646], drawn[:240, 652:972]
    assert (truth[105] == 255).all()
    assert (truth[90] == 0).all()
    assert (found == 0).all()
    assert drawn.shape[0] == 240 + 24


@pytest.mark.parametrize(('scenes', 'more', 'words'), [
    ([], {}, 'must hold an image'), ([scene()], {}, 'must hold an image'),
    ([scene(a=empty(240, 320)), scene(b=empty(240, 320))], {},
     r"must have the systems \['a'\]"),
    ([scene(a=empty(240, 320))], dict(style='x'), 'errors, masks'),
    ([scene(a=empty(240, 320))], dict(boxes=[[Box(300, 0, 40, 30)]]),
     r"does not lie in the image 'photograph' of 320 x 240")])
def test_what_cannot_be_drawn(scenes, more, words):
    with pytest.raises(ValueError, match=words):
        comparison_picture(scenes, **more)
