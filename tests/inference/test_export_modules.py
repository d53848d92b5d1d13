"""What takes the place of a layer for export computes what it did."""

import copy

import pytest
import torch
from export_networks import blobs, cbprn_config, spread
from mmseg.models.utils.wrappers import Upsample
from torch import nn

from mmcrack.inference.backend import TorchBackend
from mmcrack.inference.export_modules import (
    average_pool,
    make_exportable,
    scaled_upsample,
    valid_region,
)
from mmcrack.models.backbones import EdgeGuidedBackbone
from mmcrack.models.layers.sr_encoder import WindowAttention


@pytest.fixture(scope='module')
def cbprn():
    torch.manual_seed(0)
    backend = TorchBackend(cbprn_config(1), None, device='cpu')
    spread(backend, torch.from_numpy(blobs((96, 128))))
    return backend.model


@pytest.mark.parametrize('cells', [1, 2, 3, 6, (2, 5), (None, 4)])
@pytest.mark.parametrize('size', [(1, 1), (5, 7), (17, 33), (3, 100)])
def test_average_pooling_is_exact_for_every_size(cells, size, generator):
    layer = nn.AdaptiveAvgPool2d(cells)
    x = torch.randn(2, 3, *size, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(
        average_pool(layer, x), layer(x), rtol=0, atol=1e-14)


@pytest.mark.parametrize('settings', [
    dict(scale_factor=2), dict(scale_factor=1.5), dict(size=(9, 4)),
    dict(scale_factor=(3, 2), align_corners=True)])
def test_upsampling_is_mmsegs(settings, generator):
    layer = Upsample(mode='bilinear', **settings)
    if isinstance(settings.get('scale_factor'), tuple):
        x = torch.randn(1, 2, 4, 6, generator=generator)
        torch.testing.assert_close(
            scaled_upsample(layer, x), nn.functional.interpolate(
                x, (12, 12), mode='bilinear', align_corners=True))
        return
    x = torch.randn(1, 2, 4, 6, generator=generator)
    torch.testing.assert_close(
        scaled_upsample(layer, x), layer(x), rtol=0, atol=0)


@pytest.mark.parametrize('shifted', [False, True])
@pytest.mark.parametrize('size', [(4, 4), (4, 8), (12, 8), (8, 20)])
def test_window_attention_is_the_layers_own(shifted, size, generator):
    """Also where one window has no neighbour and must not shift."""
    layer = WindowAttention(6, num_heads=3, window_size=4, shifted=shifted)
    nn.init.normal_(layer.relative_position_bias_table)
    x = torch.randn(2, *size, 6, generator=generator)
    wanted = layer(x)
    make_exportable(layer)
    torch.testing.assert_close(layer(x), wanted, rtol=0, atol=2e-6)


def test_padding_is_what_lies_below_and_right_of_the_last_pixel(generator):
    x = torch.rand(2, 3, 9, 12, generator=generator) + 1
    x[0, :, 6:], x[0, :, :, 10:], x[0, :, 2] = 0, 0, 0
    module = next(m for m in TorchBackend(
        cbprn_config(), None, device='cpu').model.modules()
        if isinstance(m, EdgeGuidedBackbone))
    found = valid_region(module, x)
    assert found[0, 0].sum() == 6 * 10
    assert found[0, 0, :6, :10].all()
    assert found[1].all()
    torch.testing.assert_close(found, module._valid(x))
    assert module._valid(x[1:]) is None


@pytest.mark.parametrize('max_points', [None, 50, 10**6])
def test_rendering_at_once_is_rendering_image_by_image(cbprn, max_points,
                                                       generator):
    """One channel, a batch of two maps whose edges touch in the tall map."""
    head = copy.deepcopy(cbprn.decode_head)
    head.test_sampler.max_points = max_points
    features = torch.randn(2, 8, 6, 9, generator=generator)
    coarse = torch.randn(2, 1, 6, 9, generator=generator)
    coarse[1] -= 1
    with torch.no_grad():
        wanted = head.render(features, coarse, (23, 35))
        head.keep_rendering = True
        head.render(features, coarse, (23, 35))
        counts = head.rendering['rendered'].flatten(1).sum(1)
        got = make_exportable(head).render(features, coarse, (23, 35))
    if max_points == 50:
        assert counts.tolist() == [50, 50]
    else:
        assert counts.min() > 50
    # Float32 coordinates are coarser, the taller the map: 3e-6 for one image.
    torch.testing.assert_close(got, wanted, rtol=0, atol=4e-5)


def test_nothing_uncertain_keeps_the_heat_map(cbprn):
    head = make_exportable(copy.deepcopy(cbprn.decode_head))
    features, coarse = torch.ones(1, 8, 4, 4), torch.full((1, 1, 4, 4), 9.)
    with torch.no_grad():
        assert (head.render(features, coarse, (8, 8)) == 9).all()
