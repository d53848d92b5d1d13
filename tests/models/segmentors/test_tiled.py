"""Tiled tests equal whole ones, leave no seam, and keep checkpoints."""

import copy

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.runner.checkpoint import get_state_dict, load_state_dict
from mmseg.structures import SegDataSample
from torch import nn

from mmcrack.registry import MODELS

GN = dict(type='GN', num_groups=1)
PREPROCESSOR = dict(
    type='SegDataPreProcessor', mean=[120.] * 3, std=[60.] * 3,
    bgr_to_rgb=True, size_divisor=32, pad_val=0, seg_pad_val=255,
    test_cfg=dict(size_divisor=32))


def small_network(out_channels=2):
    """U-Net of two stages; the image and its norms reach 16 pixels far."""
    return ConfigDict(
        type='EncoderDecoder',
        data_preprocessor=PREPROCESSOR,
        backbone=dict(
            type='UNet', base_channels=4, num_stages=2, strides=(1, 1),
            enc_num_convs=(1, 1), dec_num_convs=(1, ), downsamples=(True, ),
            enc_dilations=(1, 1), dec_dilations=(1, ),
            norm_cfg=dict(type='BN')),
        decode_head=dict(
            type='FCNHead', in_channels=4, in_index=1, channels=4,
            num_convs=1, concat_input=False, dropout_ratio=0.,
            num_classes=2, out_channels=out_channels, threshold=.4,
            norm_cfg=dict(type='BN'),
            init_cfg=dict(type='Normal', std=1.,
                          override=dict(name='conv_seg')),
            loss_decode=dict(type='CrossEntropyLoss',
                             use_sigmoid=out_channels == 1)),
        test_cfg=dict(mode='whole'))


def cbprn():
    """A CBPRN that is not trained, with all parts."""
    return ConfigDict(
        type='EncoderDecoder',
        data_preprocessor=PREPROCESSOR,
        backbone=dict(
            type='mmcrack.EdgeGuidedBackbone',
            backbone=dict(
                type='ResNet', depth=18, base_channels=8, stem_channels=8,
                out_indices=(0, 1, 2, 3), strides=(1, 2, 2, 2),
                dilations=(1, 1, 1, 1), norm_cfg=dict(type='BN'),
                norm_eval=False),
            image_mean=[120.] * 3, image_std=[60.] * 3, channels=8,
            num_heads=2, num_modules=1),
        decode_head=dict(
            type='mmcrack.CBPRNHead', in_channels=[8, 8, 16, 32, 64],
            channels=8, context_channels=8, detail_channels=8,
            heat_channels=8, point_channels=16, norm_cfg=GN,
            out_channels=2),
        test_cfg=dict(mode='whole'))


def built(cfg, **options):
    """The network and itself in tiles, with the same weights."""
    torch.manual_seed(0)
    plain = MODELS.build(copy.deepcopy(cfg))
    tiles = MODELS.build(ConfigDict(
        type='mmcrack.TiledSegmentor', segmentor=cfg, **options))
    plain.init_weights()
    tiles.load_state_dict(plain.state_dict())
    return plain.eval(), tiles.eval()


def photograph(size, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (3, *size), generator=draw,
                         dtype=torch.uint8)


@torch.no_grad()
def predicted(model, image):
    size = tuple(image.shape[1:])
    sample = SegDataSample(metainfo=dict(ori_shape=size, img_shape=size))
    result, = model.test_step(dict(inputs=[image], data_samples=[sample]))
    logits = result.seg_logits.data
    return result, logits if len(logits) == 1 else logits.softmax(0)


@pytest.mark.parametrize('out_channels', [1, 2])
@pytest.mark.parametrize('batch_size', [1, 3])
def test_equals_the_whole_test(out_channels, batch_size):
    """The field reaches 16 pixels at most, the margin is 16."""
    plain, tiles = built(small_network(out_channels), tile_size=128,
                         overlap=64, margin=16, batch_size=batch_size)
    image = photograph((256, 352))
    (one, whole), (two, got) = predicted(plain, image), predicted(tiles, image)
    assert .1 < whole[-1].std()
    torch.testing.assert_close(got, whole, rtol=0, atol=1e-5)
    changed = one.pred_sem_seg.data != two.pred_sem_seg.data
    assert changed.float().mean() < 1e-4
    # A margin inside the field shows that this can fail.
    tiles.margin, tiles.overlap = 0, 0
    assert (predicted(tiles, image)[1] - whole).abs().max() > .01


def test_an_image_that_is_no_multiple_is_mirrored():
    plain, tiles = built(small_network(), tile_size=128, overlap=64,
                         margin=16)
    image = photograph((150, 201))
    got = predicted(tiles, image)[1]
    wide = torch.cat([image, image[:, 139:149].flip(1)], 1)
    wide = torch.cat([wide, wide[..., 177:200].flip(2)], 2)
    assert wide.shape[1:] == (160, 224)
    whole = predicted(plain, wide)[1][:, :150, :201]
    torch.testing.assert_close(got, whole, rtol=0, atol=1e-5)


def largest_steps(prob, lines):
    """Largest change from row to row at some rows, and at all others."""
    step = (prob[1:] - prob[:-1]).abs().amax(1)
    near = torch.zeros(len(step), dtype=torch.bool)
    for line in lines:
        near[line - 1] = True
    return step[near].max().item(), step[~near].max().item()


def test_no_seam_with_a_random_cbprn():
    """Where tiles begin, end or take over, nothing is seen."""
    plain, tiles = built(cbprn(), tile_size=128, overlap=64)
    for head in (plain, tiles):
        for layer in (head.decode_head.conv_seg,
                      head.decode_head.point_mlp.fc_seg):
            nn.init.normal_(layer.weight, std=1.)
    tiles.load_state_dict(plain.state_dict())
    # Softer than noise, so that a seam would stand out.
    image = nn.functional.interpolate(
        photograph((10, 14))[None].float(), (224, 320), mode='bicubic')
    image = image[0].clamp(0, 255).byte()
    got = predicted(tiles, image)[1][1]
    assert got.std() > .02
    rows, columns = (32 * k for k in range(1, 7)), (
        32 * k for k in range(1, 10))
    # Tiles start and end at multiples of 32, and count from 16 on.
    for prob, lines in ((got, rows), (got.T, columns)):
        lines = [*lines]
        lines += [x + 16 for x in lines if x + 16 < len(prob)]
        at_seams, elsewhere = largest_steps(prob, lines)
        assert at_seams <= elsewhere
    # Without overlap the same network has seams: the test can see them.
    tiles.margin = tiles.overlap = 0
    worse = predicted(tiles, image)[1][1]
    assert (worse[127:129].diff(dim=0).abs().max()
            > got[127:129].diff(dim=0).abs().max())


def test_checkpoints_are_those_of_the_network_inside():
    plain, tiles = built(small_network())
    assert plain.state_dict().keys() == tiles.state_dict().keys()
    assert set(get_state_dict(tiles)) == set(plain.state_dict())
    for parameter in plain.parameters():
        nn.init.normal_(parameter)
    load_state_dict(tiles, plain.state_dict(), strict=True)
    for own, other in zip(tiles.segmentor.parameters(), plain.parameters(),
                          strict=True):
        assert torch.equal(own, other)
    again = MODELS.build(small_network())
    again.load_state_dict(tiles.state_dict())
    assert torch.equal(again.decode_head.conv_seg.weight,
                       plain.decode_head.conv_seg.weight)


def test_it_trains_as_the_network_inside(samples, crack_label):
    plain, tiles = built(small_network())
    data = dict(inputs=[photograph((64, 64), n) for n in range(2)],
                data_samples=samples(crack_label(2, (64, 64))))
    losses = [
        m.train()(**m.data_preprocessor(copy.deepcopy(data), True),
                  mode='loss') for m in (plain, tiles)
    ]
    assert losses[0].keys() == losses[1].keys()
    torch.testing.assert_close(losses[0]['decode.loss_ce'],
                               losses[1]['decode.loss_ce'])


@pytest.mark.parametrize(('options', 'words'), [
    (dict(tile_size=100), 'multiple of 32'),
    (dict(tile_size=128, overlap=96), 'twice the overlap'),
    (dict(margin=100), 'half the overlap'),
    (dict(batch_size=0), 'batch_size'),
])
def test_what_does_not_fit_is_said_when_built(options, words):
    with pytest.raises(ValueError, match=words):
        built(small_network(), **options)


def test_a_backbone_is_no_segmentor():
    with pytest.raises(TypeError, match='config of a segmentor'):
        MODELS.build(ConfigDict(type='mmcrack.TiledSegmentor',
                                segmentor=small_network().backbone))
