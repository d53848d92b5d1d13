"""The residual U-Net in nnU-Net's manner."""

import pytest
import torch
from learning import (
    CASES,
    cross_entropy,
    segmentor,
    standing_still,
    train_step,
)
from network_sizes import megaparams

from mmcrack.models.backbones.res_unet import ResUNet

SMALL = dict(channels=(4, 8, 8, 12), num_blocks=(1, 2, 1, 1))


def expected_parameters(widths, blocks):
    """Count by hand: a 3 x 3 convolution and its normalisation, ..."""
    conv = lambda a, b, k=9: k * a * b + 2 * b  # noqa: E731
    total, before = conv(3, widths[0]), widths[0]
    for width, number in zip(widths, blocks, strict=True):
        for i in range(number):
            total += conv(width if i else before, width) + conv(width, width)
            if not i and before != width:
                total += conv(before, width, 1)
        before = width
    for below, skip in zip(widths[:0:-1], widths[-2::-1], strict=True):
        total += 4 * below * skip + skip + conv(2 * skip, skip)
    return total


def test_size_of_the_default():
    with torch.device('meta'):
        network = ResUNet()
    counted = expected_parameters(
        (32, 64, 128, 256, 512, 512), (1, 3, 4, 6, 6, 6)) / 1e6
    assert megaparams(network) == pytest.approx(counted, abs=1e-6)
    assert counted == pytest.approx(71.80, abs=.01)


@pytest.mark.parametrize('size', [(64, 48), (37, 50), (9, 3)])
def test_maps_of_all_scales_for_any_size(size, generator):
    network = ResUNet(**SMALL)
    maps = network(torch.randn(1, 3, *size, generator=generator))
    scales = [[-(-edge // 2**i) for edge in size] for i in (2, 1, 0)]
    assert [list(x.shape[-2:]) for x in maps] == scales
    assert [x.shape[1] for x in maps] == [8, 8, 4]


def test_light_and_contrast_of_the_whole_image_change_nothing(generator):
    # Each channel is normalised by itself behind a convolution without bias;
    # the border of zeros is what is not.
    network = ResUNet(**SMALL).eval()
    image = torch.randn(1, 3, 48, 48, generator=generator)
    before = network(image)[-1]
    assert torch.allclose(network(3 * image)[-1], before, atol=1e-3)


@pytest.mark.parametrize(('channels', 'phase', 'dtype'), CASES)
def test_every_parameter_learns_in_stock_encoder_decoder(
        channels, phase, dtype, generator, samples, crack_label):
    ce = cross_entropy(channels)
    dice = dict(type='mmcrack.NoiseRobustDiceLoss', gamma=2.)
    model = segmentor(
        dict(type='mmcrack.ResUNet', **SMALL),
        dict(type='mmcrack.DeepSupervisionHead', in_channels=[4, 8],
             in_index=[2, 1],
             loss_decode=[dict(ce, loss_weight=2 / 3),
                          dict(dice, loss_weight=2 / 3)],
             loss_side=dict(side=dict(
                 type='mmcrack.DeepSupervisionLoss', weights=(1 / 3, ),
                 resize='label', loss=[ce, dice]))), channels, phase)
    for name, parameter in model.backbone.named_parameters():
        # A block starts as its shortcut: nothing behind would move.
        if name.endswith('conv2.in.weight') and not parameter.any():
            torch.nn.init.ones_(parameter)
    images = torch.randn(2, 3, 48, 64, generator=generator)
    losses = train_step(model, images, samples(crack_label()), dtype)
    assert standing_still(model) == set()
    # Log 2 and a Dice loss near 1 - 2 p q / (p^2 + q^2), a third of it.
    assert .1 < losses['decode.side_loss_side'] < 1
    found = model.eval().predict(images[:, :, :37, :50])
    assert found[0].pred_sem_seg.shape == (37, 50)


def test_a_single_pixel_at_the_last_stage_is_refused():
    with pytest.raises(ValueError, match='more than 8 pixels along one side'):
        ResUNet(**SMALL)(torch.zeros(1, 3, 8, 8))


def test_stages_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match='one positive number for'):
        ResUNet(channels=(4, 8), num_blocks=(1, 1, 1))
