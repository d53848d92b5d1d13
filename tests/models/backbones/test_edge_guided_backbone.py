"""The edge-guided branch around any backbone."""

import pytest
import torch
from oracles import plain_guided_filter

from mmcrack.registry import MODELS

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
RESNET = dict(
    type='ResNet',
    depth=18,
    base_channels=8,
    stem_channels=8,
    out_indices=(0, 1, 2, 3),
    strides=(1, 2, 2, 2),
    dilations=(1, 1, 1, 1),
    norm_cfg=dict(type='BN'),
    norm_eval=False)
CONVNEXT = dict(
    type='mmpretrain.ConvNeXt',
    arch=dict(depths=[1, 1, 1, 1], channels=[8, 16, 24, 32]),
    out_indices=(0, 1, 2, 3),
    gap_before_final_norm=False)


def build(backbone=RESNET, **kwargs):
    cfg = dict(channels=8, num_heads=2, window_size=4, num_modules=1)
    cfg.update(kwargs)
    return MODELS.build(
        dict(type='mmcrack.EdgeGuidedBackbone', backbone=backbone, **cfg))


def pixels(generator, size=(32, 48), batch=1):
    """An RGB image in whole grey levels 1 ... 254."""
    return torch.randint(
        1, 255, (batch, 3, *size), generator=generator).float()


def normalise(image, mean=MEAN, std=STD):
    mean, std = (torch.tensor(v).view(-1, 1, 1) for v in (mean, std))
    return (image - mean) / std


def brightness(image):
    """ITU-R BT.601 luminance of RGB grey levels, as a float64 array."""
    red, green, blue = image.double()
    return ((.299 * red + .587 * green + .114 * blue) / 255).numpy()


# --- what comes out ---------------------------------------------------------


@pytest.mark.parametrize('backbone', [RESNET, CONVNEXT])
@pytest.mark.parametrize('stride', [4, 2])
def test_the_edge_feature_stands_before_the_backbone_s_own(
        backbone, stride, generator):
    model = build(backbone, stride=stride).eval()
    x = normalise(pixels(generator, (64, 96), batch=2))
    with torch.no_grad():
        edge, *stages = model(x)
        alone = model.backbone(x)
    assert edge.shape == (2, 8, 64 // stride, 96 // stride)
    assert len(stages) == 4
    assert all(map(torch.equal, stages, alone))


@pytest.mark.parametrize(('stride', 'size'), [(4, (9, 6)), (2, (17, 12))])
def test_sizes_that_the_stride_does_not_divide(stride, size, generator):
    model = build(stride=stride)
    edge = model(normalise(pixels(generator, (33, 23), batch=2)))[0]
    assert edge.shape[-2:] == size


def test_the_branch_sees_the_image_and_its_detail(generator):
    model = build().eval()
    x = normalise(pixels(generator))
    with torch.no_grad():
        four = torch.cat([x, model.edge_map(x)], dim=1)
        assert torch.equal(model(x)[0], model.edge_encoder(four))


# --- the edge map -----------------------------------------------------------


def test_detail_equals_the_plain_definition(generator):
    model = build(guide_radius=3, guide_eps=4e-2)
    image = pixels(generator, (24, 20))
    bright = brightness(image[0])
    smooth = plain_guided_filter(bright, bright, 3, 4e-2)
    edge = model.edge_map(normalise(image))[0, 0]
    assert edge.dtype == torch.float32
    expected = torch.from_numpy((bright - smooth) / .2).float()
    torch.testing.assert_close(edge, expected, atol=5e-5, rtol=0)
    model.guide_out = 'filtered'
    torch.testing.assert_close(
        model.edge_map(normalise(image))[0, 0],
        torch.from_numpy(smooth).float(),
        atol=1e-5,
        rtol=0)


def test_two_normalisations_of_one_image_give_one_edge_map(generator):
    image = pixels(generator)
    ours = build().edge_map(normalise(image))
    other = dict(image_mean=(0., 0., 0.), image_std=(255., 255., 255.))
    torch.testing.assert_close(
        build(**other).edge_map(image / 255), ours, atol=5e-5, rtol=0)
    bgr = build(
        image_mean=MEAN[::-1], image_std=STD[::-1], channel_order='bgr')
    torch.testing.assert_close(
        bgr.edge_map(normalise(image).flip(1)), ours, atol=5e-5, rtol=0)


def test_a_grey_image_has_the_edges_of_its_rgb_copy(generator):
    grey = pixels(generator)[:, :1]
    model = build(
        dict(RESNET, in_channels=1), image_mean=(127.5, ),
        image_std=(60., ))
    edge = model.edge_map((grey - 127.5) / 60)
    colour = build().edge_map(normalise(grey.expand(-1, 3, -1, -1)))
    torch.testing.assert_close(edge, colour, atol=5e-5, rtol=0)


def test_a_flat_wall_has_no_edge():
    wall = torch.full((1, 3, 40, 40), 180.)
    assert float(build().edge_map(normalise(wall)).abs().max()) < 2e-5


def test_a_crack_is_darker_than_its_surroundings(generator):
    wall = torch.full((1, 3, 40, 40), 180.)
    wall[..., 19:21] = 40.
    edge = build().edge_map(normalise(wall))[0, 0]
    assert (edge[:, 19:21] < -0.2).all()
    assert (edge[:, :10].abs() < 1e-3).all()


@pytest.mark.parametrize('pad_value', [0., -1.5])
def test_padding_makes_no_edge(pad_value, generator):
    model = build(pad_value=pad_value)
    images = [
        normalise(pixels(generator, size))
        for size in ((32, 48), (20, 20), (32, 31))
    ]
    batch = torch.full((3, 3, 32, 48), pad_value)
    for place, image in zip(batch, images, strict=True):
        place[:, :image.shape[-2], :image.shape[-1]] = image[0]
    together = model.edge_map(batch)
    for edge, image in zip(together, images, strict=True):
        height, width = image.shape[-2:]
        torch.testing.assert_close(
            edge[:, :height, :width], model.edge_map(image)[0],
            atol=2e-5, rtol=0)
        assert not edge[:, height:].any()
        assert not edge[:, :, width:].any()


def test_padding_alone_has_no_edge_and_breaks_nothing():
    model = build()
    out = model(torch.zeros(2, 3, 32, 32))
    assert not model.edge_map(torch.zeros(2, 3, 32, 32)).any()
    assert all(feature.isfinite().all() for feature in out)


def test_a_black_corner_is_no_padding(generator):
    image = normalise(pixels(generator))
    image[:, :, -4:, -4:] = 0.
    model = build()
    assert model._valid(image) is None
    assert model.edge_map(image)[0, 0, -4:, -4:].any()


# --- training ---------------------------------------------------------------


def test_gradients_reach_the_encoder_and_skip_the_filter(generator):
    model = build()
    x = normalise(pixels(generator, (64, 64), batch=2)).requires_grad_()
    assert not model.edge_map(x).requires_grad
    edge, *stages = model(x)
    sum(feature.square().sum() for feature in (edge, *stages)).backward()
    silent = [
        name for name, p in model.named_parameters()
        if p.grad is None or not p.grad.any()
    ]
    assert silent == []
    assert x.grad.any()


def test_under_autocast_the_edge_map_stays_exact(generator):
    model = build().eval()
    x = normalise(pixels(generator, (64, 64)))
    with torch.no_grad():
        exact_map, exact = model.edge_map(x), model(x)[0]
        with torch.autocast('cpu', dtype=torch.bfloat16):
            edge_map, edge = model.edge_map(x), model(x)[0]
    assert torch.equal(edge_map, exact_map)
    assert edge.dtype == torch.bfloat16
    # bfloat16 keeps 8 bits: 2 ** -8 a rounding, a few roundings deep.
    error = (edge.float() - exact).norm() / exact.norm()
    assert float(error) < 2e-2


def test_normalisation_is_no_part_of_a_checkpoint():
    state = build().state_dict()
    assert not [key for key in state if 'image_' in key]
    build(image_mean=(0., 0., 0.)).load_state_dict(state)


# --- bad input --------------------------------------------------------------


@pytest.mark.parametrize(('wrong', 'message'), [
    (dict(channel_order='gbr'), "'rgb' or 'bgr', got 'gbr'"),
    (dict(guide_out='edges'), "'detail' or 'filtered', got 'edges'"),
    (dict(image_mean=(0., 0.)), 'must both hold 3'),
    (dict(image_mean=(0., 0.), image_std=(1., 1.)), 'must both hold 3'),
    (dict(image_std=(58., 0., 57.)), 'image_std must be positive'),
    (dict(stride=8), 'stride must be 2 or 4, got 8'),
    (dict(num_heads=3), 'num_heads must divide channels=8, got 3'),
    (dict(guide_radius=0), 'guide_radius >= 1, guide_eps > 0 and .* got 0'),
    (dict(guide_eps=0.), 'and guide_subsample >= 1, got 4, 0.0 and 1'),
    (dict(guide_subsample=0), 'guide_subsample >= 1, got 4, 0.01 and 0'),
])
def test_wrong_arguments(wrong, message):
    with pytest.raises(ValueError, match=message):
        build(**wrong)
