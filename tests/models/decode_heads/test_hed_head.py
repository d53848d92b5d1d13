import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmcrack.models.decode_heads import HEDHead

GUIDED = dict(radius=3, eps=1e-2, threshold=.31)


def head(**kwargs):
    kwargs = {'out_channels': 2, 'align_corners': True, **kwargs}
    return HEDHead((3, 4, 5), **kwargs).eval()


def maps():
    return [torch.randn(2, c, 17 // s, 24 // s)
            for c, s in ((3, 1), (4, 2), (5, 4))]


def test_the_prediction_is_a_weighing_of_enlarged_sides():
    module, inputs = head(), maps()
    stacked, logits, sides = module.outputs(inputs)
    expected = [
        F.interpolate(
            torch.einsum('nchw,kc->nkhw', x, conv.weight[..., 0, 0]),
            (17, 24), mode='bilinear', align_corners=True)
        for x, conv in zip(inputs, module.side_convs, strict=True)]
    for side, other in zip(sides['side'], expected, strict=True):
        assert torch.allclose(side, other, atol=1e-6)
    assert torch.equal(stacked, torch.cat(sides['side'], 1))
    assert module.feature_channels == stacked.shape[1] == 6
    assert module.conv_seg.bias is None
    weights = module.conv_seg.weight[..., 0, 0].view(2, 3, 2)
    fused = torch.einsum('snkhw,osk->nohw', torch.stack(expected), weights)
    assert torch.allclose(logits, fused, atol=1e-6)


@pytest.mark.parametrize('channels', [1, 2])
def test_the_guided_filter_smooths_the_binary_prediction(channels):
    options = dict(out_channels=channels,
                   threshold=.5 if channels == 1 else None)
    plain, guided = head(**options), head(guided=GUIDED, **options)
    guided.load_state_dict(plain.state_dict())
    with torch.no_grad():
        for module in (plain, guided):
            module.conv_seg.weight.normal_(
                generator=torch.Generator().manual_seed(3)).sub_(1)
    inputs, meta = maps(), [dict(img_shape=(17, 24))] * 2
    with torch.no_grad():
        _, logits, sides = plain.outputs(inputs)
        result = guided.predict(inputs, meta, {})
        prob, guide, smooth = (
            x.softmax(1)[:, 1] if channels == 2 else x.sigmoid()[:, 0]
            for x in (logits, sides['side'][0], result))
    binary = (prob > .31).float()
    assert 0 < binary.mean() < 1
    for one, two, three in zip(guide, binary, smooth, strict=True):
        expected = box_guided_filter(one.numpy(), two.numpy())
        np.testing.assert_allclose(
            three.numpy(), expected.clip(1e-6, 1 - 1e-6), atol=1e-5)


def box_guided_filter(guide, source):
    """He et al. by OpenCV's box filter, clipped at the border."""
    size = (2 * GUIDED['radius'] + 1, ) * 2

    def mean(x):
        total, count = (
            cv2.boxFilter(y.astype(np.float64), -1, size, normalize=False,
                          borderType=cv2.BORDER_CONSTANT)
            for y in (x, np.ones_like(x)))
        return total / count

    covariance = mean(guide * source) - mean(guide) * mean(source)
    variance = mean(guide * guide) - mean(guide)**2
    slope = covariance / (variance + GUIDED['eps'])
    offset = mean(source) - slope * mean(guide)
    return mean(slope) * guide + mean(offset)


def test_without_it_predictions_are_the_logits():
    module, inputs = head(), maps()
    with torch.no_grad():
        result = module.predict(inputs, [dict(img_shape=(17, 24))] * 2, {})
        assert torch.equal(result, module(inputs))


def test_arguments_of_the_guided_filter():
    with pytest.raises(ValueError, match='guided must have the keys'):
        head(guided=dict(radius=5))
    with pytest.raises(ValueError, match='works with two classes'):
        head(guided=GUIDED, num_classes=3, out_channels=3)
