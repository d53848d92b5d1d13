"""DRU: sizes of the released network, its order of operations, its laws."""

import pytest
import torch
import torch.nn.functional as F
from learning import (
    CASES,
    cross_entropy,
    segmentor,
    standing_still,
    train_step,
)
from network_sizes import gigaflops, megaparams

from mmcrack.models.backbones.dru import DRU

SMALL = dict(feature_scale=8, steps=3)


@pytest.mark.parametrize(('scale', 'millions', 'billions'), [
    (1, 12.49, 79.9), (4, .78, 5.1)])
def test_size_of_the_released_network(scale, millions, billions):
    with torch.device('meta'):
        network = DRU(out_channels=1, feature_scale=scale)
        image = torch.zeros(1, 3, 256, 256)
        assert megaparams(network) == pytest.approx(millions, rel=.01)
        assert gigaflops(lambda: network(image), network) == pytest.approx(
            billions, rel=.03)


def plain_pair(x, pair):
    for layer in pair:
        x = F.conv2d(x, layer.conv.weight, layer.conv.bias, padding=1)
        if layer.with_norm:
            x = F.group_norm(x, min(8, x.shape[1]), layer.gn.weight,
                             layer.gn.bias)
        x = x.relu()
    return x


def plain_steps(net, image, squash):
    """The recurrence, written out once more."""
    n, _, height, width = image.shape
    s = torch.ones(n, net.classifier.out_channels, height, width)
    h = torch.ones(n, 64, height // 16, width // 16)
    found = []
    for _ in range(net.steps):
        x = torch.cat([image, squash(s)], 1)
        skips = []
        for pair in net.encoder:
            x = plain_pair(x, pair)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        unit = net.unit
        r = plain_pair(x, unit.reset).sigmoid()
        u = plain_pair(x, unit.update).sigmoid()
        h = h * (1 - u) + plain_pair(x * r, unit.candidate).tanh() * u
        x = h
        for block, skip in zip(net.decoder, reversed(skips), strict=True):
            up = F.conv_transpose2d(x, block.up.weight, block.up.bias,
                                    stride=2)
            x = plain_pair(torch.cat([skip, up], 1), block.conv)
        s = F.conv2d(x, net.classifier.weight, net.classifier.bias)
        found.append(s)
    return [x, *found]


@pytest.mark.parametrize(('channels', 'feedback', 'squash'), [
    (2, 'logits', lambda s: s),
    (2, 'probability', lambda s: s.softmax(1)),
    (1, 'probability', torch.sigmoid),
])
def test_the_order_of_operations(generator, channels, feedback, squash):
    net = DRU(out_channels=channels, feedback=feedback, **SMALL)
    image = torch.randn(2, 3, 32, 48, generator=generator)
    expected = plain_steps(net, image, squash)
    for one, other in zip(net(image), expected, strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_the_first_step_does_not_know_how_many_follow(generator):
    one, three = DRU(feature_scale=8, steps=1), DRU(**SMALL)
    three.load_state_dict(one.state_dict())
    image = torch.randn(1, 3, 32, 32, generator=generator)
    features, logits = one(image)
    _, first, second, third = three(image)
    assert torch.equal(logits, first)
    assert torch.allclose(one.classifier(features), logits, atol=1e-6)
    assert (second - first).abs().max() > 1e-4
    assert (third - second).abs().max() > 1e-5


def test_an_odd_size_is_the_repeated_edge_cut_off(generator):
    net = DRU(**SMALL)
    image = torch.randn(1, 3, 37, 50, generator=generator)
    padded = F.pad(image, (0, 14, 0, 11), mode='replicate')
    for one, other in zip(net(image), net(padded), strict=True):
        assert one.shape[-2:] == (37, 50)
        assert torch.equal(one, other[..., :37, :50])


def test_bilinear_enlargement_and_a_normalised_decoder(generator):
    net = DRU(upsample='bilinear', feature_scale=8, steps=2,
              decoder_norm_cfg=dict(type='GN', num_groups=8))
    assert not any(isinstance(m, torch.nn.ConvTranspose2d)
                   for m in net.modules())
    # Normalised: a decoder twice as strong changes nothing.
    image = torch.randn(1, 3, 32, 32, generator=generator)
    before = net(image)[-1]
    with torch.no_grad():
        for layer in net.decoder[0].conv:
            layer.conv.weight *= 2
            layer.conv.bias *= 2
    assert torch.allclose(net(image)[-1], before, atol=1e-3)


@pytest.mark.parametrize(('channels', 'phase', 'dtype'), CASES)
def test_every_parameter_learns_in_stock_encoder_decoder(
        channels, phase, dtype, generator, samples, crack_label):
    ce = cross_entropy(channels)
    model = segmentor(
        dict(type='mmcrack.DRU', out_channels=channels, **SMALL),
        dict(type='mmcrack.StepsHead', in_channels=4, loss_decode=ce,
             loss_side=dict(side=dict(
                 type='mmcrack.DeepSupervisionLoss', weights=(.16, .4),
                 loss=ce))), channels, phase)
    images = torch.randn(2, 3, 48, 64, generator=generator)
    losses = train_step(model, images, samples(crack_label()), dtype)
    assert standing_still(model) == set()
    # Nothing is learnt yet, so each pass costs about log 2.
    assert .3 * .56 < losses['decode.side_loss_side'] < 3 * .56
    found = model.eval().predict(images[:, :, :37, :50])
    assert found[0].pred_sem_seg.shape == (37, 50)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match='steps must be at least 1'):
        DRU(steps=0)
    with pytest.raises(ValueError, match='feedback must be one of'):
        DRU(feedback='softmax')
    with pytest.raises(ValueError, match='upsample must be one of'):
        DRU(upsample='nearest')
