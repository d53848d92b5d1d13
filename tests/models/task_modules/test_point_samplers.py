"""The samplers as configs build them: where training and inference look."""

import numpy as np
import pytest
import torch
from oracles import bilinear_at, opencv_boundary_band

from mmcrack.models.task_modules import point_samplers
from mmcrack.registry import TASK_UTILS


def build(name, **kwargs):
    return TASK_UTILS.build(dict(type=f'mmcrack.{name}PointSampler', **kwargs))


def thick_crack(size=(256, 256)):
    """A crack of 100 x 120 pixels: every region can fill its quota."""
    label = torch.zeros(1, *size, dtype=torch.long)
    label[:, 60:160, 60:180] = 1
    return label


def pixels(points, size):
    """Row and column of each point of an image."""
    x, y = points.numpy().T
    return ((y * size[0]).astype(int), (x * size[1]).astype(int))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


# --- CBPRN's training points ------------------------------------------------


@pytest.mark.parametrize('dilation', [0, 1, 2, 3])
def test_quotas_of_the_paper_each_point_in_its_region(dilation):
    # Two cracks so that the band of 1 pixel holds its 1310 points as well.
    label = thick_crack()
    label[:, 200:250:6, 4:252] = 1
    sampler = build('Boundary', dilation=dilation)
    points = sampler(label, generator=seeded())
    assert points.shape == (1, 3276, 2)
    crack = label[0].numpy()
    band = opencv_boundary_band(crack, dilation)
    rows, columns = pixels(points[0], (256, 256))
    counts = [
        int((~band & (crack == 1))[rows, columns].sum()),
        int(band[rows, columns].sum()),
        int((~band & (crack == 0))[rows, columns].sum()),
    ]
    assert counts == [982, 1310, 984]
    assert len({*zip(rows.tolist(), columns.tolist(), strict=True)}) == 3276


@pytest.mark.parametrize(('divisor', 'size', 'expected'), [
    (20, (256, 256), 3276), (1, (16, 16), 256), (7.5, (30, 40), 160),
    (20, (3, 3), 1)])
def test_the_number_of_points(divisor, size, expected):
    label = torch.zeros(2, *size, dtype=torch.long)
    for name, logits in (('Boundary', None),
                         ('Importance', torch.zeros(2, 2, 4, 4))):
        sampler = build(name, area_divisor=divisor)
        assert sampler(label, logits).shape == (2, expected, 2)


def test_other_shares():
    label = thick_crack()
    sampler = build('Boundary', ratios=(0., 1., 0.), dilation=1)
    rows, columns = pixels(sampler(label)[0], (256, 256))
    band = opencv_boundary_band(label[0].numpy(), 1)
    assert band[rows, columns].all()


def test_crack_is_one_class_of_several():
    label = thick_crack()
    many = torch.where(label == 1, 3, 0)
    many[:, :20] = 1
    many[:, 20:40] = 2
    sampler = build('Boundary')
    assert torch.equal(
        sampler(many, crack_class=3, generator=seeded()),
        sampler(label, generator=seeded()))


@pytest.mark.parametrize('ignore_index', [255, 7])
def test_ignored_pixels_are_never_drawn(ignore_index):
    label = thick_crack((64, 128))
    label[:, :, 64:] = ignore_index
    points = build('Boundary', area_divisor=2)(
        label, ignore_index=ignore_index)
    assert points.shape == (1, 4096, 2)
    assert float(points[..., 0].max()) < 0.5


def test_strict_bodies_and_their_stand_in():
    # A line of 5 pixels width lies inside its band of 9: no body. Of 500
    # points 150 are meant for it.
    label = torch.zeros(1, 100, 100, dtype=torch.long)
    label[:, 50:55] = 1
    for mode, outside in (('strict', 300), ('fallback', 150)):
        sampler = build('Boundary', body_mode=mode)
        rows, _ = pixels(sampler(label, generator=seeded())[0], (100, 100))
        assert int(((rows < 48) | (rows > 56)).sum()) == outside
        if mode == 'fallback':
            assert ((rows[:150] >= 50) & (rows[:150] < 55)).all()


def test_a_generator_decides_and_nothing_else():
    label = thick_crack((64, 128))
    sampler = build('Boundary')
    first = sampler(label, generator=seeded(1))
    torch.manual_seed(99)
    assert torch.equal(sampler(label, generator=seeded(1)), first)
    assert not torch.equal(sampler(label, generator=seeded(2)), first)


# --- PointRend's training points --------------------------------------------


def test_three_quarters_are_the_least_sure_of_three_times_as_many():
    logits = torch.randn(2, 2, 5, 6, generator=seeded(4))
    points = build('Importance', num_points=40)(
        torch.zeros(2, 9, 9), logits, generator=seeded(5))
    again = seeded(5)
    candidates = torch.rand(2, 120, 2, generator=again)
    fresh = torch.rand(2, 10, 2, generator=again)
    assert torch.equal(points[:, 30:], fresh)
    for n in range(2):
        gap = [
            abs(bilinear_at(logits[n, 1] - logits[n, 0], float(x), float(y),
                            border=False)) for x, y in candidates[n]
        ]
        best = candidates[n][np.argsort(gap)[:30]]
        mine = {tuple(p) for p in points[n, :30].tolist()}
        assert mine == {tuple(p) for p in best.tolist()}


def test_uniform_points_do_not_look_at_the_prediction():
    sampler = build('Importance', importance_ratio=0., num_points=4000)
    label = torch.zeros(1, 8, 8)
    flat = torch.zeros(1, 2, 4, 4)
    steep = torch.randn(1, 2, 4, 4, generator=seeded())
    points = sampler(label, flat, generator=seeded(1))
    assert torch.equal(sampler(label, steep, generator=seeded(1)), points)
    # 16 cells of 250 points on average: sixteen binomials within 5 sigma.
    x, y = (4 * points[0]).long().T
    counts = torch.bincount(4 * y + x, minlength=16)
    assert int((counts - 250).abs().max()) < 5 * (250 * 15 / 16)**0.5


# --- inference --------------------------------------------------------------


@pytest.fixture
def said(monkeypatch):
    """What the samplers log."""
    messages = []
    monkeypatch.setattr(point_samplers, 'print_log',
                        lambda message, **_: messages.append(message))
    return messages


@pytest.mark.parametrize(('prob_range', 'expected'), [
    ((0.3, 0.7), [False, False, True, True, False, False]),
    ((0.2, 0.8), [False, True, True, True, True, False]),
    ((0.4, 0.6), [False, False, False, True, False, False]),
    ((0., 1.), [False, True, True, True, True, False])])
def test_uncertain_is_what_lies_strictly_inside(prob_range, expected):
    prob = torch.tensor([[[0., .25, .35, .5, .75, 1.]]])
    chosen = build('Uncertain', prob_range=prob_range)(prob)
    assert chosen.tolist() == [[expected]]
    ends = torch.tensor([[list(prob_range)]])
    assert not build('Uncertain', prob_range=prob_range)(ends).any()


def test_no_more_than_max_points_of_each_image():
    prob = torch.full((3, 10, 10), 0.5)
    prob[1, 1:] = 0.9
    chosen = build('Uncertain', max_points=20)(prob)
    assert chosen.flatten(1).sum(1).tolist() == [20, 10, 20]
    assert chosen[0].flatten().nonzero().diff(dim=0).unique().tolist() == [5]


def test_one_warning_beyond_the_share_of_one_image(said):
    sampler = build('Uncertain')
    prob = torch.full((4, 10, 10), 0.1)
    prob[2, :2] = 0.5
    sampler(prob)
    assert said == [], '20 % is not more than 20 %'
    prob[2, 2, 0] = 0.5
    for _ in range(3):
        sampler(prob)
    assert len(said) == 1
    assert '21 % of an image is uncertain' in said[0]
    assert 'narrow prob_range or set max_points' in said[0]


# --- bad input --------------------------------------------------------------


@pytest.mark.parametrize(('name', 'wrong', 'message'), [
    ('Boundary', dict(ratios=(.5, .5)), 'three shares'),
    ('Boundary', dict(ratios=(.5, .6, -.1)), 'three shares'),
    ('Boundary', dict(ratios=(.3, .3, .3)), 'sum to 1'),
    ('Boundary', dict(dilation=-1), 'at least 0, got -1'),
    ('Boundary', dict(body_mode='loose'), "'fallback' or 'strict'"),
    ('Boundary', dict(area_divisor=0), 'area_divisor must be at least 1'),
    ('Importance', dict(oversample_ratio=.5), 'got 0.5 and 0.75'),
    ('Importance', dict(importance_ratio=1.5), 'got 3 and 1.5'),
    ('Importance', dict(num_points=0), 'num_points must be at least 1'),
    ('Uncertain', dict(prob_range=(.7, .3)), 'alpha < beta'),
    ('Uncertain', dict(prob_range=(-.1, .3)), 'alpha < beta'),
    ('Uncertain', dict(max_points=0), 'or None for all'),
])
def test_wrong_arguments(name, wrong, message):
    with pytest.raises(ValueError, match=message):
        build(name, **wrong)
