"""The pictures of training points against the label and the sampler."""

import cv2
import numpy as np
import pytest
import torch
from oracles import opencv_boundary_band

from mmcrack.functional.points import sample_region_points
from mmcrack.visualization.drawing import REGION_COLORS

SIZE = 48, 64
HEAD = """
model['decode_head'] = dict(
    type='mmcrack.{head}', in_channels=[4, 8], in_index=[1, 0], channels=8,
    context_channels=8, detail_channels=4, heat_channels=4, point_channels=8,
    num_classes=2, norm_cfg=norm_cfg{more})
custom_imports = dict(imports=['mmcrack'], allow_failed_imports=False)
"""
CBPRN = HEAD.format(head='CBPRNHead', more=', with_edge=False, stride=1')
DENSE = HEAD.format(
    head='CBPRNHead', more=', with_edge=False, train_sampler=None')
POINT_REND = HEAD.format(head='PointRendHead', more='')


@pytest.fixture
def show(run, write_config, tmp_path, capsys):
    """Draw; returns the panels at the image's size, each (48, 64, 3)."""

    def call(tail, *options, panels=4, name='points'):
        out = tmp_path / name
        code, said = run('analysis/show_points', write_config(name, tail=tail),
                         '--out', out, '--index', 1, *options)
        assert code == 0, said
        (path, ) = out.iterdir()
        assert path.name == '0001_train_1.png'
        picture = cv2.imread(str(path))[..., ::-1]
        scale = (picture.shape[1] - 6 * (panels - 1)) // (panels * SIZE[1])
        step = scale * SIZE[1] + 6
        assert picture.shape[1] == panels * step - 6
        rows = []
        top = 24
        while top < picture.shape[0]:
            rows += [picture[top:top + scale * SIZE[0]:scale,
                             k * step:k * step + scale * SIZE[1]:scale]
                     for k in range(panels)]
            top += scale * SIZE[0] + 6 + 24
        return rows

    return call


@pytest.fixture
def label(tiny_data):
    return cv2.imread(str(tiny_data / 'masks/train/train_1.png'), -1)


def of_color(panel, region):
    return (panel == REGION_COLORS[region]).all(-1)


def expected(label, seed):
    """Pixels of each region that the sampler draws, and how often."""
    points, regions = sample_region_points(
        torch.from_numpy(label).long()[None], 153, ratios=(.3, .4, .3),
        dilation=2, generator=torch.Generator().manual_seed(seed))
    x, y = (points[0].numpy() * (SIZE[1], SIZE[0])).astype(int).T
    counts = np.zeros((3, *SIZE), int)
    np.add.at(counts, (regions[0].numpy(), y, x), 1)
    return counts


def test_panels_show_image_band_and_the_points_that_are_drawn(
        show, label, tiny_data):
    image, truth, drawn, _ = show(CBPRN, '--seed', 3)
    stored = cv2.imread(str(tiny_data / 'images/train/train_1.png'))
    np.testing.assert_array_equal(image, stored[..., ::-1])
    band = opencv_boundary_band(label, 2)
    crack = label == 1
    # On the label the band has its full colour, beside it a mixture.
    np.testing.assert_array_equal(of_color(truth, 1), band & crack)
    yellow = (truth[..., 0] > truth[..., 2].astype(int) + 40)
    np.testing.assert_array_equal(yellow, band)
    counts = expected(label, seed=3)
    assert counts.sum(axis=(1, 2)).tolist() == [45, 61, 47]
    covered = counts > 0
    np.testing.assert_array_equal(of_color(drawn, 0), covered[0])
    np.testing.assert_array_equal(of_color(drawn, 1), covered[1] & ~covered[0])
    np.testing.assert_array_equal(of_color(drawn, 2), covered[2])


def test_another_seed_draws_other_points(show):
    first, again, other = (
        show(CBPRN, '--seed', seed, name=name)[2]
        for seed, name in ((3, 'a'), (3, 'b'), (4, 'c')))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_pointrend_s_uncertain_points_lie_where_squares_are_mixed(show,
                                                                  label):
    """Stride 4: its 114 uncertain of 153 points go where 4 x 4 are mixed."""
    tail = CBPRN.replace('stride=1', 'stride=4')
    _, _, _, other = show(tail)
    squares = label.reshape(12, 4, 16, 4).mean(axis=(1, 3))
    mixed = (squares > 0) & (squares < 1)
    near = cv2.dilate(np.kron(mixed, np.ones((4, 4))).astype(np.uint8),
                      np.ones((5, 5), np.uint8)) > 0
    points = of_color(other, 0) | of_color(other, 1) | of_color(other, 2)
    # Unlike the uniform ones, which hit as often as the area says.
    assert (points & near).sum() / points.sum() > 2 * near.mean()


def test_a_point_rend_config_shows_its_own_sampler(show):
    panels = show(POINT_REND, panels=3)
    drawn = sum(of_color(panels[2], region).sum() for region in range(3))
    # 153 points; some of them fall on one pixel.
    assert 120 < drawn <= 153


def test_dilations_widen_the_band(show, label):
    panels = show(CBPRN, '--dilations', 0, 1, 2, 3)
    for dilation, panel in enumerate(panels[4:]):
        band = opencv_boundary_band(label, dilation)
        np.testing.assert_array_equal(
            of_color(panel, 1), band & (label == 1))
        np.testing.assert_array_equal(
            of_color(panel, 0), (label == 1) & ~band)


def test_the_heat_map_of_a_checkpoint(show, tmp_path, write_config):
    """An untrained network doubts everything: all of it would be rendered."""
    from mmengine.config import Config
    from mmengine.registry import MODELS, init_default_scope
    cfg = Config.fromfile(write_config('model', tail=CBPRN))
    init_default_scope('mmseg')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.decode_head.conv_seg.weight.data.zero_()
    model.decode_head.conv_seg.bias.data.zero_()
    path = tmp_path / 'half.pth'
    torch.save(dict(state_dict=model.state_dict()), path)
    heat = show(CBPRN, '--checkpoint', path, panels=5)[4]
    assert (heat == (0, 255, 255)).all()
    model.decode_head.conv_seg.bias.data[1] = 4.
    torch.save(dict(state_dict=model.state_dict()), path)
    heat = show(CBPRN, '--checkpoint', path, panels=5, name='sure')[4]
    # sigmoid(4) = 0.982 is level 250 of the colour map.
    level = np.full((1, 1), 250, np.uint8)
    color = cv2.applyColorMap(level, cv2.COLORMAP_INFERNO)[0, 0, ::-1]
    assert (heat == color).all()


def test_a_sampler_that_draws_something_else_is_no_true_picture(
        write_config, tool, monkeypatch, tmp_path):
    from mmcrack.models.task_modules import BoundaryPointSampler
    honest = BoundaryPointSampler.__call__
    monkeypatch.setattr(
        BoundaryPointSampler, '__call__',
        lambda *args, **kwargs: honest(*args, **kwargs).flip(1))
    with pytest.raises(RuntimeError, match='would not be true'):
        tool('analysis/show_points').main(
            [write_config('liar', tail=CBPRN), '--out', str(tmp_path / 'o')])


@pytest.mark.parametrize(('tail', 'options', 'words'), [
    ('', [], 'draws no training points'),
    (DENSE, [], 'unless the config sets train_sampler=None'),
    (CBPRN, ['--index', 8], '--index takes 0 to 7 for this training set, '
     'got 8'),
    (CBPRN, ['--num', 0], '--num must be at least 1, got 0'),
    (CBPRN, ['--dilations', -1], '--dilations must be at least 0'),
    (CBPRN, ['--checkpoint', 'no.pth'], "'no.pth' does not exist"),
])
def test_wrong_use_ends_in_one_sentence(run, write_config, tail, options,
                                        words):
    code, said = run('analysis/show_points', write_config('bad', tail=tail),
                     *options)
    assert code == 2
    assert words in said
    assert 'Traceback' not in said


def test_a_checkpoint_of_another_model(run, write_config, trained):
    code, said = run('analysis/show_points', write_config('bad', tail=CBPRN),
                     '--checkpoint', trained[1])
    assert code == 2
    assert 'is not of this model' in said
