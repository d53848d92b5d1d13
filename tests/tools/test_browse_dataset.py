"""Pictures of what a pipeline feeds a network, against the files."""

import cv2
import numpy as np
import pytest
from oracles import opencv_boundary_band
from tiny_heads import CBPRN

from mmcrack.visualization.browsing import CRACK, MARGIN, fed_picture

FLIP = """
train_dataloader['dataset']['pipeline'] = load + [
    dict(type='RandomFlip', prob=.5), dict(type='PackSegInputs')]
"""


def panels(path, count, views=1):
    """The panels at the images' size, each (48, 64, 3), by view."""
    picture = cv2.imread(str(path))[..., ::-1]
    scale = (picture.shape[1] - 6 * (count - 1)) // (count * 64)
    step = scale * 64 + 6
    assert picture.shape[1] == count * step - 6
    high = 24 + scale * 48
    return [[picture[v * (high + 6) + 24:v * (high + 6) + high:scale,
                     k * step:k * step + scale * 64:scale]
             for k in range(count)] for v in range(views)]


def test_label_margin_and_points_stand_on_the_image_that_is_fed(
        run, write_config, tiny_data, tmp_path):
    out = tmp_path / 'out'
    code, said = run('analysis/browse_dataset', write_config('a', tail=CBPRN),
                     '--images', 'train_1', '--out', out)
    assert code == 0, said
    (path, ) = out.iterdir()
    ((image, label, points), ) = panels(path, 3)
    stored = cv2.imread(str(tiny_data / 'images/train/train_1.png'))
    np.testing.assert_array_equal(image, stored[..., ::-1])
    mask = cv2.imread(str(tiny_data / 'masks/train/train_1.png'), -1)
    wide = cv2.dilate(mask, np.ones((5, 5), np.uint8))
    changed = (label != image).any(-1)
    np.testing.assert_array_equal(changed, wide > 0)
    redder = label[..., 0].astype(int) - label[..., 1] > 80
    np.testing.assert_array_equal(redder, mask > 0)
    coloured = np.ptp(points.astype(int), axis=-1) > 0
    assert 80 < coloured.sum() <= 48 * 64 / 20
    band = opencv_boundary_band(mask, 2)
    # 70 % of the points are drawn on crack and boundary.
    assert coloured[band | (mask > 0)].mean() > 5 * coloured[wide == 0].mean()


def test_views_differ_by_the_augmentation_and_repeat_by_the_seed(
        run, write_config, tmp_path):
    config = write_config('flip', tail=FLIP)
    seen = []
    for name in ('first', 'again'):
        out = tmp_path / name
        code, said = run('analysis/browse_dataset', config, '--images',
                         'train_3', '--views', 8, '--out', out)
        assert code == 0, said
        (path, ) = out.iterdir()
        seen.append([row[0] for row in panels(path, 2, views=8)])
    kinds = {view.tobytes() for view in seen[0]}
    assert len(kinds) == 2
    mirrored = {np.ascontiguousarray(view[:, ::-1]).tobytes()
                for view in seen[0]}
    assert mirrored == kinds
    np.testing.assert_array_equal(seen[0], seen[1])


@pytest.mark.parametrize(('tail', 'options', 'sentence'), [
    ('test_dataloader = None', ['--split', 'test'], 'no test_dataloader'),
    ("train_dataloader['dataset']['pipeline'] = [load[0], "
     "dict(type='PackSegInputs')]", [], 'comes without a label'),
    ('', ['--split', 'test', '--cfg-options',
          'test_pipeline.1.scale=(32,24)',
          'test_dataloader.dataset.pipeline.1.scale=(32,24)'],
     'at 32x24 and its label at 64x48'),
    ('', ['--images', 'nothing'], 'nothing'),
])
def test_bad_input_ends_in_a_sentence(run, write_config, tmp_path, tail,
                                      options, sentence):
    code, said = run('analysis/browse_dataset',
                     write_config('bad', tail=tail),
                     *(options if '--images' in options else
                       ['--images', 1, *options]), '--out', tmp_path / 'out')
    assert code == 2
    assert sentence in said
    assert 'Traceback' not in said


def test_a_reduced_picture_keeps_a_thin_crack():
    image = np.full((40, 400, 3), 200, np.uint8)
    crack = np.zeros((40, 400), bool)
    crack[21] = True
    margin = np.zeros_like(crack)
    margin[[19, 20, 22, 23]] = True
    whole = fed_picture(image, title='a', crack=crack, margin=margin,
                        ignored=np.zeros_like(crack))
    small = fed_picture(image, title='a', crack=crack, margin=margin,
                        ignored=np.zeros_like(crack), max_long_edge=100)
    ground = np.array([200, 200, 200])
    yellow = ground + .55 * (np.array(MARGIN) - ground)
    red = ground + .65 * (np.array(CRACK) - ground)
    column = whole[24:, 406 + 10].astype(int)
    np.testing.assert_allclose(column[21], red, atol=1)
    np.testing.assert_allclose(column[20], yellow, atol=1)
    np.testing.assert_array_equal(column[18], ground)
    # Rows 20 to 23 are one: the crack covers the margin below it.
    scale = (small.shape[0] - 24) // 10
    mixed = yellow + .65 * (np.array(CRACK) - yellow)
    line = small[24 + 5 * scale, 100 * scale + 6 + 10].astype(int)
    np.testing.assert_allclose(line, mixed, atol=2)
