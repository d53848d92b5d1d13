"""Refinement passes around any backbone."""

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

from mmcrack.models.backbones.iterative_backbone import IterativeBackbone

UNET = dict(
    type='mmseg.UNet', in_channels=4, base_channels=4, num_stages=3,
    strides=(1, 1, 1), enc_num_convs=(1, 1, 1), dec_num_convs=(1, 1),
    downsamples=(True, True), enc_dilations=(1, 1, 1), dec_dilations=(1, 1),
    norm_cfg=dict(type='BN'))
RESNET = dict(
    type='mmseg.ResNet', in_channels=4, depth=18, base_channels=4,
    stem_channels=4, norm_cfg=dict(type='BN'), norm_eval=False)


def unet(**options):
    options = {'size_divisor': 4, **options}
    return IterativeBackbone(UNET, 4, **options).eval()


@pytest.fixture
def image(generator):
    return torch.randn(2, 3, 32, 40, generator=generator)


@pytest.mark.parametrize('channels', [1, 2])
def test_one_pass_is_the_backbone_on_the_image_and_zeros(image, channels):
    net = unet(steps=1, out_channels=channels)
    features, logits = net(image)
    plain = net.backbone(F.pad(image, (0, 0, 0, 0, 0, 1)))[-1]
    assert torch.equal(features, plain)
    assert torch.equal(logits, net.classifier(plain))


@pytest.mark.parametrize('channels', [1, 2])
def test_a_pass_sees_the_crack_probability_of_the_one_before(
        image, channels):
    net = unet(steps=3, out_channels=channels)
    seen, expected = torch.zeros(2, 1, 32, 40), []
    for _ in range(3):
        logits = net.classifier(net.backbone(torch.cat([image, seen], 1))[-1])
        expected.append(logits)
        seen = logits.sigmoid() if channels == 1 \
            else logits.softmax(1)[:, 1:]
    for one, other in zip(net(image)[1:], expected, strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_the_crack_class_is_what_is_seen(image):
    net, other = unet(steps=2), unet(steps=2, crack_class=0)
    other.load_state_dict(net.state_dict())
    assert torch.equal(net(image)[1], other(image)[1])
    assert (net(image)[2] - other(image)[2]).abs().max() > 1e-5


def test_an_odd_size_is_the_repeated_edge_cut_off(image):
    net = unet(steps=2)
    odd = image[..., :29, :38]
    padded = F.pad(odd, (0, 2, 0, 3), mode='replicate')
    for one, other in zip(net(odd), net(padded), strict=True):
        assert torch.equal(one, other[..., :29, :38])


def test_small_logits_are_enlarged_before_they_are_seen(image):
    net = IterativeBackbone(
        RESNET, 4, feature_index=0, steps=2, size_divisor=4).eval()
    features, first, second = net(image)
    assert features.shape == (2, 4, 8, 10)
    plain = net.classifier(net.backbone(
        torch.cat([image, torch.zeros(2, 1, 32, 40)], 1))[0])
    large = F.interpolate(plain, (32, 40), mode='bilinear')
    assert torch.allclose(first, large, atol=1e-6)
    seen = large.softmax(1)[:, 1:]
    plain = net.classifier(net.backbone(torch.cat([image, seen], 1))[0])
    assert torch.allclose(
        second, F.interpolate(plain, (32, 40), mode='bilinear'), atol=1e-5)
    # 29 x 38 pixels reach into 8 x 10 features of stride 4.
    assert net(image[..., :29, :38])[0].shape == (2, 4, 8, 10)
    assert net(image[..., :28, :36])[0].shape == (2, 4, 7, 9)


@pytest.mark.parametrize(('channels', 'phase', 'dtype'), CASES)
@pytest.mark.filterwarnings('ignore:VGGTopologyLoss')
def test_every_parameter_learns_in_stock_encoder_decoder(
        channels, phase, dtype, image, samples, crack_label):
    ce = cross_entropy(channels)
    vgg = dict(type='mmcrack.VGGTopologyLoss', layers=('relu1_2', ))
    model = segmentor(
        dict(type='mmcrack.IterativeBackbone', backbone=UNET, size_divisor=4,
             feature_channels=4, out_channels=channels),
        dict(type='mmcrack.StepsHead', in_channels=4,
             loss_decode=[dict(ce, loss_weight=1 / 2),
                          dict(vgg, loss_weight=.1 / 2)],
             loss_side=dict(side=dict(
                 type='mmcrack.DeepSupervisionLoss', weights=(1 / 6, 2 / 6),
                 loss=[ce, vgg]))), channels, phase)
    label = crack_label(size=(32, 40))
    losses = train_step(model, image, samples(label), dtype)
    assert standing_still(model) == set()
    assert phase == 1 or losses['decode.loss_vgg'] > 0
    # VGG19 is no part of the model.
    assert set(model.state_dict()) == {
        name for name in model.state_dict() if 'loss' not in name}
    found = model.eval().predict(image[..., :29, :38])
    assert found[0].pred_sem_seg.shape == (29, 38)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match='steps must be at least 1'):
        unet(steps=0)
    with pytest.raises(ValueError, match='crack_class must be one of the 2'):
        unet(crack_class=2)
