import pytest
import torch
import torch.nn.functional as F

from mmcrack.models.layers.segnet import (
    ScaleFusion,
    check_size,
    max_pool_with_indices,
    max_unpool,
)


def scattered(x, indices, size):
    """Unpooling pixel by pixel."""
    out = torch.zeros(*x.shape[:2], *size)
    for n, c, i, j in torch.cartesian_prod(
            *(torch.arange(s) for s in x.shape)).tolist():
        row, column = divmod(int(indices[n, c, i, j]), size[1])
        out[n, c, row, column] = x[n, c, i, j]
    return out


@pytest.mark.parametrize('size', [(6, 8), (7, 9), (7, 8)])
@pytest.mark.parametrize(
    'layout', [torch.contiguous_format, torch.channels_last])
def test_unpooling_is_a_scatter(size, layout):
    image = torch.randn(2, 3, *size).to(memory_format=layout)
    pooled, indices = max_pool_with_indices(image)
    values = torch.randn_like(pooled)
    assert torch.equal(
        max_unpool(values, indices, size), scattered(values, indices, size))


def test_what_comes_back_are_the_maxima_at_their_place():
    image = torch.randn(2, 3, 7, 9)
    pooled, indices = max_pool_with_indices(image)
    back = max_unpool(pooled, indices, (7, 9))
    assert int((back != 0).sum()) == 2 * 3 * 3 * 4
    assert torch.equal(back[back != 0], image[back != 0])
    # The odd row and column were not pooled.
    assert not back[..., 6, :].any()
    assert not back[..., 8].any()
    assert torch.equal(max_pool_with_indices(image.clamp(min=0))[0],
                       max_pool_with_indices(back.clamp(min=0))[0])


def fusion(upsample_first):
    return ScaleFusion(
        5, 4, 2, upsample_first=upsample_first, align_corners=False,
        act_cfg=dict(type='ReLU'))


def enlarged(x, size):
    return F.interpolate(x, size, mode='bilinear')


@pytest.mark.parametrize('upsample_first', [True, False])
def test_fusion_of_a_scale(upsample_first):
    module = fusion(upsample_first)
    encoder, decoder = torch.randn(2, 3, 4, 5), torch.randn(2, 2, 4, 5)
    first, second = module.reduce.conv, module.predict
    x = torch.cat([encoder, decoder], 1)
    if upsample_first:
        x = enlarged(x, (13, 15))
    x = F.conv2d(x, first.weight, first.bias, padding=1).relu()
    y = F.conv2d(x, second.weight, second.bias, padding=1)
    if not upsample_first:
        y = enlarged(y, (13, 15))
    features, logits = module(encoder, decoder, (13, 15))
    assert torch.allclose(features, x, atol=1e-6)
    assert torch.allclose(logits, y, atol=1e-6)


def test_the_order_makes_no_difference_on_the_finest_scale():
    first, last = fusion(True), fusion(False)
    last.load_state_dict(first.state_dict())
    maps = torch.randn(2, 3, 4, 5), torch.randn(2, 2, 4, 5)
    for one, two in zip(first(*maps, (4, 5)), last(*maps, (4, 5)),
                        strict=True):
        assert torch.equal(one, two)


def test_a_mask_of_zero_leaves_the_bias():
    module = fusion(False)
    _, logits = module(torch.randn(1, 3, 4, 5), torch.randn(1, 2, 4, 5),
                       (8, 10), torch.zeros(1, 4, 4, 5))
    expected = module.predict.bias.view(1, 2, 1, 1).expand_as(logits)
    assert torch.allclose(logits, expected)


def test_too_small_an_image_is_refused():
    check_size(torch.zeros(1, 3, 32, 40), stages=5, name='It')
    with pytest.raises(ValueError, match='32 x 32 pixels, got 31 x 40'):
        check_size(torch.zeros(1, 3, 31, 40), stages=5, name='It')
