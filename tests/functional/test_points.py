"""Points: reading maps at them, drawing them, choosing them."""

import pytest
import torch
import torch.nn.functional as F
from oracles import bilinear_at

from mmcrack.functional.points import (
    label_at,
    most_uncertain_pixels,
    pixel_points,
    point_sample,
    points_to_pixels,
    region_quotas,
    sample_important_points,
    sample_region_points,
    uncertain_points,
    uncertainty,
)
from mmcrack.functional.regions import (
    BACKGROUND,
    BODY,
    BOUNDARY,
    crack_regions,
)

RATIOS = (0.3, 0.4, 0.3)


def all_points(size):
    """Points of all pixels of an image, in raster order."""
    return pixel_points(torch.arange(size[0] * size[1]), size)[None]


def wide_crack(size=(64, 64), ignored=True):
    """A crack of 20 rows, a background and a strip of ignored pixels."""
    label = torch.zeros(1, *size, dtype=torch.long)
    label[:, 20:40] = 1
    if ignored:
        label[:, :, -9:] = 255
    return label


def draw(label, num_points=200, **kwargs):
    cfg = dict(ratios=RATIOS, dilation=2)
    cfg.update(kwargs)
    return sample_region_points(label, num_points, **cfg)


# --- reading maps -----------------------------------------------------------


@pytest.mark.parametrize('size', [(1, 4097), (3, 4095), (2, 1441), (37, 53),
                                  (1, 1), (4097, 1)])
def test_each_pixel_s_label_is_read_exactly(size):
    count = size[0] * size[1]
    label = torch.arange(count).view(1, *size)
    points = all_points(size)
    assert torch.equal(label_at(label, points)[0], torch.arange(count))
    assert torch.equal(
        points_to_pixels(points, size)[0], torch.arange(count))


def test_points_on_the_outline_belong_to_the_image():
    points = torch.tensor([[[0., 0.], [1., 0.], [0., 1.], [1., 1.]]])
    assert points_to_pixels(points, (4, 5)).tolist() == [[0, 4, 15, 19]]


def test_centres_of_a_known_image():
    points = pixel_points(torch.tensor([0, 5, 9]), (2, 5))
    torch.testing.assert_close(
        points, torch.tensor([[.1, .25], [.1, .75], [.9, .75]]))


@pytest.mark.parametrize('size', [(12, 20), (7, 31), (5, 3), (6, 10)])
def test_sampling_at_pixel_centres_is_interpolation(size, generator):
    features = torch.randn(
        2, 3, 6, 10, generator=generator, dtype=torch.float64)
    points = all_points(size).double().expand(2, -1, -1)
    ours = point_sample(features, points).unflatten(2, size)
    expected = F.interpolate(features, size, mode='bilinear')
    # Points are float32, so a position is known to 1e-7.
    torch.testing.assert_close(ours, expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize('padding_mode', ['border', 'zeros'])
def test_sampling_anywhere_equals_the_four_corners(padding_mode, generator):
    image = torch.randn(5, 7, generator=generator, dtype=torch.float64)
    points = torch.rand(40, 2, generator=generator, dtype=torch.float64)
    points[:4] = torch.tensor([[0, 0], [1, 1], [0.5, 0], [1, 0.3]])
    ours = point_sample(
        image[None, None], points[None], padding_mode=padding_mode)[0, 0]
    expected = [
        bilinear_at(image, x, y, border=padding_mode == 'border')
        for x, y in points.tolist()
    ]
    torch.testing.assert_close(
        ours, torch.tensor(expected, dtype=torch.float64))


def test_nearest_sampling_returns_the_pixel():
    image = torch.arange(35.).view(1, 1, 5, 7)
    read = point_sample(image, all_points((5, 7)), mode='nearest')
    assert torch.equal(read.flatten(), image.flatten())


@pytest.mark.parametrize('padding_mode', ['border', 'zeros'])
def test_gradient_of_sampling(padding_mode, generator):
    features = torch.randn(
        1, 2, 4, 5, generator=generator, dtype=torch.float64)
    points = 0.1 + 0.8 * torch.rand(
        1, 6, 2, generator=generator, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda f, p: point_sample(f, p, padding_mode=padding_mode),
        (features.requires_grad_(), points.requires_grad_()))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_features_do_not_move_the_points(dtype):
    """A position in half precision would be off by whole pixels."""
    width = 2048
    ramp = torch.linspace(0, 1, width).to(dtype).view(1, 1, 1, width)
    points = all_points((1, width))
    read = point_sample(ramp, points)
    assert read.dtype == dtype
    assert torch.equal(read.flatten(), ramp.flatten())


# --- drawing training points ------------------------------------------------


def test_quotas_of_the_paper():
    assert region_quotas(256 * 256 // 20, RATIOS) == [982, 1310, 984]


@pytest.mark.parametrize('num_points', [0, 1, 2, 9, 10, 3276, 10001])
@pytest.mark.parametrize('ratios', [RATIOS, (0, 0, 1), (1, 0, 0),
                                    (0.1, 0.2, 0.7), (1 / 3, 1 / 3, 1 / 3)])
def test_quotas_add_up(num_points, ratios):
    quotas = region_quotas(num_points, ratios)
    assert sum(quotas) == num_points
    assert min(quotas) >= 0
    for quota, ratio in zip(quotas, ratios, strict=True):
        assert abs(quota - num_points * ratio) < 2


@pytest.mark.parametrize('ratios', [(0.5, 0.6, -0.1), (0.3, 0.3, 0.3)])
def test_shares_that_are_none(ratios):
    with pytest.raises(ValueError, match='non-negative and sum to 1'):
        region_quotas(10, ratios)


@pytest.mark.parametrize('dilation', [0, 1, 2, 3])
@pytest.mark.parametrize('body_mode', ['strict', 'fallback'])
def test_points_lie_in_their_regions_in_exact_numbers(
        dilation, body_mode, generator):
    label = wide_crack((256, 256))
    points, owner = draw(
        label, 3276, dilation=dilation, body_mode=body_mode,
        generator=generator)
    there = label_at(crack_regions(label, dilation=dilation), points)
    assert torch.equal(there, owner)
    assert torch.bincount(owner[0]).tolist() == [982, 1310, 984]
    assert not bool((label_at(label, points) == 255).any())


def test_no_pixel_twice_where_the_region_is_large_enough(generator):
    label = wide_crack()
    points, owner = draw(label, 600, generator=generator)
    pixels = points_to_pixels(points, (64, 64))[0]
    sizes = [int((crack_regions(label, dilation=2) == r).sum())
             for r in range(3)]
    for region, quota in enumerate(region_quotas(600, RATIOS)):
        drawn = pixels[owner[0] == region]
        assert len(drawn) == quota <= sizes[region]
        assert len(drawn.unique()) == quota


def test_a_whole_region_is_drawn_when_it_is_as_large_as_its_quota(generator):
    label = torch.zeros(1, 10, 10, dtype=torch.long)
    points, _ = draw(label, 100, ratios=(0, 0, 1), generator=generator)
    assert len(points_to_pixels(points, (10, 10)).unique()) == 100


def test_a_small_region_is_drawn_with_replacement(generator):
    label = torch.zeros(1, 32, 32, dtype=torch.long)
    label[0, 16, 10:14] = 1
    points, owner = draw(
        label, 500, dilation=0, body_mode='strict', generator=generator)
    # No body: its quota goes to the background.
    assert torch.bincount(owner[0], minlength=3).tolist() == [0, 200, 300]
    boundary = points_to_pixels(points, (32, 32))[0][owner[0] == BOUNDARY]
    assert sorted(boundary.unique().tolist()) == [522, 523, 524, 525]


def test_thin_cracks_lend_their_boundary_to_the_body(generator):
    label = torch.zeros(1, 64, 64, dtype=torch.long)
    label[0, 30, 5:60] = 1
    points, owner = draw(label, 400, generator=generator)
    assert torch.bincount(owner[0]).tolist() == [120, 160, 120]
    body = label_at(label, points)[owner == BODY]
    assert bool((body == 1).all())


@pytest.mark.parametrize(('body_pixels', 'num_points', 'whole_crack'), [
    (31, 300, True),   # fewer than 32
    (32, 300, False),
    (99, 3334, True),  # fewer than a tenth of the quota 1000
    (100, 3334, False),
])
def test_when_the_whole_crack_stands_in_for_the_body(
        body_pixels, num_points, whole_crack, generator):
    # A crack of 3 rows has a body of one row, two pixels shorter.
    label = torch.zeros(1, 9, body_pixels + 8, dtype=torch.long)
    label[0, 3:6, 3:3 + body_pixels + 2] = 1
    regions = crack_regions(label, dilation=0)
    assert int((regions == BODY).sum()) == body_pixels
    points, owner = draw(
        label, num_points, dilation=0, generator=generator)
    there = label_at(regions, points)[owner == BODY].unique().tolist()
    assert there == ([BODY, BOUNDARY] if whole_crack else [BODY])


@pytest.mark.parametrize('body_mode', ['strict', 'fallback'])
def test_without_crack_all_points_are_background(body_mode, generator):
    label = torch.zeros(2, 20, 20, dtype=torch.long)
    points, owner = draw(label, 100, body_mode=body_mode,
                         generator=generator)
    assert points.shape == (2, 100, 2)
    assert bool((owner == BACKGROUND).all())


def test_an_image_that_is_all_crack_is_all_body(generator):
    label = torch.ones(1, 20, 20, dtype=torch.long)
    _, owner = draw(label, 100, generator=generator)
    assert bool((owner == BODY).all())


def test_without_background_its_points_go_to_the_boundary(generator):
    label = torch.ones(1, 20, 20, dtype=torch.long)
    label[0, 10, 10] = 0
    points, owner = draw(
        label, 100, dilation=2, body_mode='strict', generator=generator)
    assert torch.bincount(owner[0], minlength=3).tolist() == [30, 70, 0]
    assert torch.equal(
        label_at(crack_regions(label, dilation=2), points), owner)


def test_images_without_truth_beside_others(generator):
    label = wide_crack().repeat(2, 1, 1)
    label[1] = 255
    points, owner = draw(label, 100, generator=generator)
    assert bool((owner[1] == -1).all())
    assert torch.bincount(owner[0]).tolist() == [30, 40, 30]
    assert bool(((points > 0) & (points < 1)).all())


def test_the_same_generator_draws_the_same_points():
    label = wide_crack()
    drawn = [
        draw(label, generator=torch.Generator().manual_seed(seed))[0]
        for seed in (5, 5, 6)
    ]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_wrong_arguments_of_region_points():
    with pytest.raises(ValueError, match="'fallback' or 'strict', got 'no'"):
        draw(wide_crack(), body_mode='no')
    with pytest.raises(ValueError, match='ratios must be three shares'):
        draw(wide_crack(), ratios=(0.5, 0.5))


def test_uncertainty_of_one_two_and_four_channels():
    assert uncertainty(torch.tensor([[[3., -2., 0.]]])).tolist() == [
        [-3., -2., 0.]
    ]
    logits = torch.tensor([[[1.], [4.]]])
    assert uncertainty(logits).tolist() == [[-3.]]
    logits = torch.tensor([[[1.], [4.], [3.5], [-9.]]])
    assert uncertainty(logits).tolist() == [[-0.5]]


def test_the_most_uncertain_candidates_stay(generator):
    logits = torch.randn(2, 2, 8, 8, generator=generator)
    points = sample_important_points(
        logits,
        40,
        oversample_ratio=3,
        importance_ratio=0.75,
        generator=torch.Generator().manual_seed(3))
    again = torch.Generator().manual_seed(3)
    candidates = torch.rand(2, 120, 2, generator=again)
    fresh = torch.rand(2, 10, 2, generator=again)
    doubt = uncertainty(point_sample(logits, candidates))
    for n in range(2):
        best = doubt[n].sort(descending=True).indices[:30]
        kept = {tuple(p) for p in points[n, :30].tolist()}
        assert kept == {tuple(p) for p in candidates[n, best].tolist()}
    assert torch.equal(points[:, 30:], fresh)


@pytest.mark.parametrize(('importance_ratio', 'share'), [(0., .04),
                                                         (0.75, .76),
                                                         (1., 1.)])
def test_share_of_training_points_in_an_uncertain_stripe(
        importance_ratio, share):
    # 4 % of the image is uncertain; 30 times as many candidates as points
    # are enough to find it.
    logits = torch.full((1, 1, 1, 100), 9.)
    logits[..., 48:52] = 0
    points = sample_important_points(
        logits,
        1000,
        oversample_ratio=30,
        importance_ratio=importance_ratio,
        generator=torch.Generator().manual_seed(0))
    inside = (points[..., 0] > 0.475) & (points[..., 0] < 0.525)
    assert float(inside.float().mean()) == pytest.approx(share, abs=0.02)


# --- choosing pixels at inference -------------------------------------------


def test_the_interval_is_open():
    prob = torch.tensor([[[.29, .3, .3001, .5, .6999, .7, .71]]],
                        dtype=torch.float64)
    chosen = uncertain_points(prob, prob_range=(0.3, 0.7))
    assert chosen.tolist() == [[[False, False, True, True, True, False,
                                 False]]]


@pytest.mark.parametrize('max_points', [1, 2, 7, 100, 599, 600, 601])
def test_exactly_so_many_points_evenly_spread(max_points, generator):
    prob = torch.rand(3, 40, 50, generator=generator)
    whole = uncertain_points(prob, prob_range=(0.35, 0.65))
    some = uncertain_points(
        prob, prob_range=(0.35, 0.65), max_points=max_points)
    assert bool((some <= whole).all())
    for part, all_ in zip(some, whole, strict=True):
        count = int(all_.sum())
        assert int(part.sum()) == min(max_points, count)
        # Ranks of the chosen among the uncertain: equal steps, give or
        # take one.
        ranks = torch.nonzero(part[all_])[:, 0]
        steps = ranks.diff()
        if max_points < count and len(steps):
            assert int(steps.max() - steps.min()) <= 1
    again = uncertain_points(
        prob, prob_range=(0.35, 0.65), max_points=max_points)
    assert torch.equal(some, again)


def test_points_of_an_image_larger_than_a_block():
    prob = torch.full((1, 1100, 1000), 0.5)
    some = uncertain_points(prob, prob_range=(0.3, 0.7), max_points=1234)
    assert int(some.sum()) == 1234
    steps = torch.nonzero(some.flatten())[:, 0].diff()
    assert steps.unique().tolist() == [891, 892]


def test_a_map_in_another_memory_layout(generator):
    prob = torch.rand(2, 9, 13, generator=generator)
    turned = prob.transpose(1, 2).contiguous().transpose(1, 2)
    kwargs = dict(prob_range=(0.1, 0.9), max_points=10)
    assert torch.equal(
        uncertain_points(turned, **kwargs), uncertain_points(prob, **kwargs))


@pytest.mark.parametrize('prob_range', [(0.7, 0.3), (0.5, 0.5), (-0.1, 0.5),
                                        (0.5, 1.1)])
def test_an_interval_that_is_none(prob_range):
    with pytest.raises(ValueError, match=r'0 <= alpha < beta <= 1, got \('):
        uncertain_points(torch.zeros(1, 2, 2), prob_range=prob_range)


def test_pixels_of_which_a_prediction_is_least_sure(generator):
    logits = torch.randn(2, 3, 6, 7, generator=generator)
    index = most_uncertain_pixels(logits, 10)
    top = logits.sort(dim=1, descending=True).values
    gap = (top[:, 0] - top[:, 1]).flatten(1)
    for n in range(2):
        expected = gap[n].sort().indices[:10]
        assert set(index[n].tolist()) == set(expected.tolist())
    assert most_uncertain_pixels(logits, 1000).shape == (2, 42)
