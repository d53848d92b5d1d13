"""The guided filter against pins and its definition in float64."""

import pytest
import torch
import torch.nn.functional as F
from oracles import plain_guided_filter

from mmcrack.functional.guided_filter import (
    box_sum,
    guided_filter,
    luminance,
)


def by_pooling(guide, src, radius, eps):
    """The definition in float64, windows by ``avg_pool2d``."""
    guide, src = guide.double(), src.double()

    def mean(x):
        return F.avg_pool2d(
            x, 2 * radius + 1, 1, radius, count_include_pad=False)

    a = (mean(guide * src) - mean(guide) * mean(src)) / (
        mean(guide**2) - mean(guide)**2 + eps)
    b = mean(src) - a * mean(guide)
    return mean(a) * guide + mean(b)


def photograph(size, generator, channels=1):
    """Smooth brightness with grain and an edge, in [0, 1]."""
    noise = torch.rand(2, channels, *size, generator=generator)
    ramp = torch.linspace(0.2, 0.7, size[1])
    image = ramp + 0.1 * noise
    image[..., size[1] // 2:] -= 0.2
    return image.clamp(0, 1)


# --- pins -------------------------------------------------------------------


@pytest.mark.parametrize(('radius', 'eps', 'row'), [
    (1, .01, [.007177, .009569, .971292, .009569, .007177]),
    (1, .1, [.051724, .068966, .793103, .068966, .051724]),
    (2, .01, [.012926, .012859, .963915, .012859, .012926]),
])
def test_a_bright_column_guided_by_itself(radius, eps, row):
    image = torch.zeros(1, 1, 5, 5)
    image[..., 2] = 1
    out = guided_filter(image, image, radius=radius, eps=eps)
    expected = torch.tensor(row).expand(1, 1, 5, 5)
    torch.testing.assert_close(out, expected, atol=1e-6, rtol=0)


def test_a_step_guided_by_a_ramp():
    guide = (torch.arange(25.) / 24).view(1, 1, 5, 5)
    src = (guide > 0.5).float()
    out = guided_filter(guide, src, radius=1, eps=.01)
    expected = torch.tensor([.175637, .266603, .402746, .605863, .731118])
    torch.testing.assert_close(out[0, 0, 2], expected, atol=1e-6, rtol=0)
    assert float(out.mean()) == pytest.approx(.478089, abs=1e-6)


# --- the definition ---------------------------------------------------------


@pytest.mark.parametrize('radius', [1, 2, 3, 4, 5, 7, 8, 11, 16])
@pytest.mark.parametrize('size', [(40, 57), (5, 9), (1, 1), (3, 33)])
def test_self_guided_equals_the_definition(radius, size, generator):
    image = photograph(size, generator)
    out = guided_filter(image, image, radius=radius, eps=1e-2)
    expected = by_pooling(image, image, radius, 1e-2)
    assert float((out - expected).abs().max()) <= 1e-5


@pytest.mark.parametrize('radius', [1, 4, 8, 16])
@pytest.mark.parametrize('size', [(33, 48), (6, 4)])
def test_three_sources_under_another_guide(radius, size, generator):
    guide = photograph(size, generator)
    src = torch.rand(2, 3, *size, generator=generator)
    out = guided_filter(guide, src, radius=radius, eps=1e-2)
    expected = by_pooling(guide, src, radius, 1e-2)
    assert float((out - expected).abs().max()) <= 1e-5
    alone = guided_filter(guide, src[:, 1:2], radius=radius, eps=1e-2)
    torch.testing.assert_close(out[:, 1:2], alone)


@pytest.mark.parametrize('radius', [1, 3])
def test_the_definition_window_by_window(radius, generator):
    guide = torch.rand(1, 1, 7, 9, generator=generator, dtype=torch.float64)
    src = torch.rand(1, 1, 7, 9, generator=generator, dtype=torch.float64)
    out = guided_filter(guide, src, radius=radius, eps=0.04)
    expected = plain_guided_filter(guide[0, 0], src[0, 0], radius, 0.04)
    torch.testing.assert_close(
        out[0, 0], torch.from_numpy(expected), atol=1e-12, rtol=0)


def test_a_copy_of_the_guide_gives_the_same(generator):
    image = photograph((20, 20), generator)
    torch.testing.assert_close(
        guided_filter(image, image, radius=4, eps=1e-2),
        guided_filter(image, image.clone(), radius=4, eps=1e-2),
        atol=1e-6,
        rtol=0)


@pytest.mark.parametrize('radius', [0, 1, 2, 5, 16])
def test_box_sum_counts_the_window(radius, generator):
    x = torch.randn(1, 2, 9, 14, generator=generator, dtype=torch.float64)
    side = 2 * radius + 1
    kernel = torch.ones(2, 1, side, side, dtype=torch.float64)
    expected = F.conv2d(x, kernel, padding=radius, groups=2)
    torch.testing.assert_close(box_sum(x, radius=radius), expected)


# --- laws -------------------------------------------------------------------


def test_a_flat_source_stays_and_brightness_passes_through(generator):
    guide = photograph((24, 31), generator)
    flat = torch.full_like(guide, 0.37)
    torch.testing.assert_close(
        guided_filter(guide, flat, radius=4, eps=1e-2), flat)
    out = guided_filter(guide, guide, radius=4, eps=1e-2)
    brighter = guided_filter(guide + 0.2, guide + 0.2, radius=4, eps=1e-2)
    torch.testing.assert_close(brighter, out + 0.2, atol=1e-5, rtol=0)


def test_eps_decides_between_the_image_and_its_mean(generator):
    image = photograph((30, 30), generator)
    keeps = guided_filter(image, image, radius=3, eps=1e-9)
    torch.testing.assert_close(keeps, image, atol=1e-4, rtol=0)
    blurs = guided_filter(image, image, radius=3, eps=1e9)

    def mean(x):
        return F.avg_pool2d(x, 7, 1, 3, count_include_pad=False)

    torch.testing.assert_close(blurs, mean(mean(image)), atol=1e-5, rtol=0)


def test_turns_with_the_image(generator):
    image = photograph((22, 31), generator)
    out = guided_filter(image, image, radius=4, eps=1e-2)
    for turn in (lambda x: x.flip(-1), lambda x: x.rot90(1, (2, 3))):
        turned = turn(image)
        torch.testing.assert_close(
            guided_filter(turned, turned, radius=4, eps=1e-2),
            turn(out),
            atol=2e-6,
            rtol=0)


@pytest.mark.parametrize('subsample', [1, 2])
def test_gradient(subsample, generator):
    guide = torch.rand(1, 1, 5, 6, generator=generator, dtype=torch.float64)
    src = torch.rand(1, 2, 5, 6, generator=generator, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda g, s: guided_filter(
            g, s, radius=2, eps=0.1, subsample=subsample),
        (guide.requires_grad_(), src.requires_grad_()))
    assert torch.autograd.gradcheck(
        lambda g: guided_filter(g, g, radius=2, eps=0.1),
        guide.requires_grad_())


# --- padding, subsampling, types --------------------------------------------


def test_valid_pixels_see_nothing_of_the_rest(generator):
    guide = photograph((30, 40), generator)
    src = torch.rand(2, 3, 30, 40, generator=generator)
    sizes = [(30, 40), (21, 17)]
    valid = torch.zeros(2, 1, 30, 40, dtype=torch.bool)
    for n, (height, width) in enumerate(sizes):
        valid[n, :, :height, :width] = True
    out = guided_filter(guide, src, radius=4, eps=1e-2, valid=valid)
    for n, (height, width) in enumerate(sizes):
        crop = (slice(n, n + 1), slice(None), slice(height), slice(width))
        alone = guided_filter(guide[crop], src[crop], radius=4, eps=1e-2)
        torch.testing.assert_close(out[crop], alone, atol=2e-6, rtol=0)
    assert not out[~valid.expand_as(out)].any()


def test_subsampling_is_close_on_smooth_images():
    y, x = torch.meshgrid(
        torch.arange(64.), torch.arange(90.), indexing='ij')
    smooth = (0.5 + 0.3 * torch.sin(x / 15) * torch.cos(y / 20))[None, None]
    exact = guided_filter(smooth, smooth, radius=8, eps=1e-2)
    moved = float((exact - smooth).abs().mean())
    assert moved > 0.01
    for step in (2, 4):
        fast = guided_filter(
            smooth, smooth, radius=8, eps=1e-2, subsample=step)
        # A window of n positions, s apart, has the variance s^2 (n^2 - 1) /
        # 12, and smoothing moves a smooth image in proportion to it.
        wide = step**2 * ((2 * 8 / step + 1)**2 - 1) / (17**2 - 1) - 1
        assert float((fast - exact).abs().mean()) < wide * moved


@pytest.mark.parametrize('size', [(1, 1), (3, 5), (13, 22)])
def test_subsampling_of_any_size_keeps_a_flat_image(size):
    flat = torch.full((1, 1, *size), 0.6)
    out = guided_filter(flat, flat, radius=8, eps=1e-2, subsample=4)
    torch.testing.assert_close(out, flat)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
@pytest.mark.parametrize('autocast', [False, True])
def test_half_images_are_computed_in_float32(dtype, autocast, generator):
    image = photograph((40, 40), generator).to(dtype)
    with torch.autocast('cpu', dtype=torch.bfloat16, enabled=autocast):
        out = guided_filter(image, image, radius=8, eps=1e-2)
    assert out.dtype == dtype
    wide = guided_filter(image.float(), image.float(), radius=8, eps=1e-2)
    assert torch.equal(out, wide.to(dtype))


@pytest.mark.parametrize(
    'wrong', [dict(radius=0), dict(eps=0.), dict(subsample=0)])
def test_numbers_out_of_range(wrong):
    kwargs = dict(radius=1, eps=0.1)
    kwargs.update(wrong)
    image = torch.zeros(1, 1, 4, 4)
    with pytest.raises(
            ValueError,
            match=r'radius >= 1, eps > 0 and subsample >= 1, got'):
        guided_filter(image, image, **kwargs)


@pytest.mark.parametrize('guide', [(1, 3, 4, 4), (1, 1, 4, 5)])
def test_a_guide_that_does_not_fit(guide):
    with pytest.raises(
            ValueError, match=r'guide must be \(N, 1, H, W\) of the size'):
        guided_filter(
            torch.zeros(guide), torch.zeros(1, 2, 4, 4), radius=1, eps=.1)


# --- luminance --------------------------------------------------------------


@pytest.mark.parametrize('order', ['rgb', 'bgr'])
def test_luminance_undoes_the_normalisation(order, generator):
    pixels = torch.randint(0, 256, (1, 3, 5, 6), generator=generator).float()
    weights = torch.tensor([.299, .587, .114]).view(3, 1, 1)
    expected = (pixels * weights).sum(1, keepdim=True) / 255
    mean = torch.tensor([123.675, 116.28, 103.53])
    std = torch.tensor([58.395, 57.12, 57.375])
    if order == 'bgr':
        pixels = pixels.flip(1)
    image = (pixels - mean.view(3, 1, 1)) / std.view(3, 1, 1)
    got = luminance(image, mean=mean, std=std, channel_order=order)
    torch.testing.assert_close(got, expected, atol=1e-6, rtol=0)


def test_luminance_of_grey_images():
    image = torch.tensor([0., 1.]).view(1, 1, 1, 2)
    got = luminance(
        image,
        mean=torch.tensor([51.]),
        std=torch.tensor([102.]),
        channel_order='rgb')
    torch.testing.assert_close(got.flatten(), torch.tensor([0.2, 0.6]))
