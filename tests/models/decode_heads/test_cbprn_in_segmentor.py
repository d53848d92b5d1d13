"""CBPRN in stock EncoderDecoder: any backbone, whole, slide, tensor mode."""

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.optim import OptimWrapper
from torch import nn

from mmcrack.registry import MODELS

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
GN = dict(type='GN', num_groups=2)
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
MIT = dict(
    type='MixVisionTransformer',
    embed_dims=8,
    num_stages=4,
    num_layers=[1, 1, 1, 1],
    num_heads=[1, 2, 2, 4],
    patch_sizes=[7, 3, 3, 3],
    sr_ratios=[8, 4, 2, 1])
UNET = dict(
    type='UNet',
    base_channels=4,
    num_stages=3,
    strides=(1, 1, 1),
    enc_num_convs=(1, 1, 1),
    dec_num_convs=(1, 1),
    downsamples=(True, True),
    enc_dilations=(1, 1, 1),
    dec_dilations=(1, 1),
    norm_cfg=GN)
CONVNEXT = dict(
    type='mmpretrain.ConvNeXt',
    arch=dict(depths=[1, 1, 1, 1], channels=[8, 16, 24, 32]),
    out_indices=(0, 1, 2, 3),
    gap_before_final_norm=False)
BACKBONES = {
    'mmseg ResNet': (RESNET, dict(in_channels=[8, 16, 32, 64])),
    'mmseg MixVisionTransformer': (MIT, dict(in_channels=[8, 16, 16, 32])),
    'mmseg UNet, deepest first': (
        UNET, dict(in_channels=[4, 8, 16], in_index=[2, 1, 0], stride=1)),
    'mmpretrain ConvNeXt': (CONVNEXT, dict(in_channels=[8, 16, 24, 32])),
}


def build(backbone=RESNET, edge=True, stride=4, test_cfg=None, divisor=32,
          **head):
    """Build a tiny CBPRN; without ``edge`` on the bare backbone."""
    cfg = dict(
        type='mmcrack.CBPRNHead',
        in_channels=[8, 8, 16, 32, 64] if edge else None,
        channels=8,
        with_edge=edge,
        context_channels=8,
        detail_channels=8,
        heat_channels=8,
        point_channels=16,
        stride=stride,
        out_channels=2,
        norm_cfg=GN)
    cfg.update(head)
    if edge:
        backbone = dict(
            type='mmcrack.EdgeGuidedBackbone', backbone=backbone,
            image_mean=MEAN, image_std=STD, channels=8, num_heads=2,
            window_size=4, num_modules=1, stride=stride)
    model = MODELS.build(
        dict(
            type='mmseg.EncoderDecoder',
            data_preprocessor=dict(
                type='mmseg.SegDataPreProcessor', mean=MEAN, std=STD,
                bgr_to_rgb=True, size_divisor=divisor,
                pad_val=0, seg_pad_val=255,
                test_cfg=dict(size_divisor=divisor)),
            backbone=backbone,
            decode_head=cfg,
            test_cfg=ConfigDict(test_cfg or dict(mode='whole'))))
    nn.init.normal_(model.decode_head.conv_seg.weight, std=2.)
    if model.decode_head.point_mlp is not None:
        nn.init.normal_(model.decode_head.point_mlp.fc_seg.weight, std=0.7)
    return model


def photograph(generator, size=(64, 64)):
    return torch.randint(
        0, 256, (3, *size), generator=generator, dtype=torch.uint8)


def batch(generator, samples, crack_label, num=2, size=(64, 64)):
    return dict(
        inputs=[photograph(generator, size) for _ in range(num)],
        data_samples=samples(crack_label(num, size)))


@torch.no_grad()
def predict(model, data):
    """Logits of the images of a batch, at their own size."""
    return [r.seg_logits.data for r in model.eval().test_step(data)]


# --- any backbone -----------------------------------------------------------


@pytest.mark.parametrize('name', BACKBONES)
def test_a_bare_backbone_learns_by_map_and_points(
        name, generator, samples, crack_label):
    backbone, head = BACKBONES[name]
    model = build(backbone, edge=False, **head)
    data = batch(generator, samples, crack_label)
    losses = model(
        **model.data_preprocessor(data, True), mode='loss')
    loss, log = model.parse_losses(losses)
    assert set(log) == {
        'loss', 'decode.heat_loss_ce', 'decode.point_loss_ce',
        'decode.acc_heat', 'decode.acc_point'}
    torch.testing.assert_close(
        loss, losses['decode.heat_loss_ce'] + losses['decode.point_loss_ce'])
    loss.backward()
    silent = [
        n for n, p in model.decode_head.named_parameters()
        if p.grad is None or not p.grad.any()
    ]
    assert silent == []
    for result in model.eval().test_step(data):
        chosen = result.seg_logits.data.argmax(0)
        assert torch.equal(result.pred_sem_seg.data[0], chosen)


@pytest.mark.parametrize('stride', [4, 2])
def test_tensor_mode_is_the_prediction(
        stride, generator, samples, crack_label):
    model = build(stride=stride)
    data = batch(generator, samples, crack_label, num=1, size=(64, 96))
    expected = predict(model, data)[0]
    inputs = model.data_preprocessor(data, False)['inputs']
    with torch.no_grad():
        logits = model(inputs, mode='tensor')
    assert torch.equal(logits[0], expected)


def test_the_class_of_a_pixel_with_one_channel(
        generator, samples, crack_label):
    bce = dict(
        type='CrossEntropyLoss', use_sigmoid=True, avg_non_ignore=True)
    model = build(out_channels=1, threshold=.5, loss_decode=bce)
    data = batch(generator, samples, crack_label)
    head = model.decode_head
    with torch.no_grad():
        inputs = model.eval().data_preprocessor(data, False)['inputs']
        logits = head.dense(model.backbone(inputs))[1]
        head.conv_seg.bias -= logits.median()
        results = model.test_step(data)
    for result in results:
        # mmseg's segmentor stores sigmoid(logits) in seg_logits.
        crack = result.seg_logits.data > .5
        assert torch.equal(result.pred_sem_seg.data.bool(), crack)
        assert 0 < crack.float().mean() < 1


def _optimiser(model, lr=1e-2):
    return OptimWrapper(torch.optim.AdamW(model.parameters(), lr=lr))


def test_it_learns_one_image_by_heart(generator, samples, crack_label):
    model = build()
    image = torch.randint(
        150, 200, (3, 64, 64), generator=generator, dtype=torch.uint8)
    label = crack_label(1, (64, 64))
    image[:, label[0] == 1] //= 3
    data = dict(inputs=[image], data_samples=samples(label))
    optimiser = _optimiser(model)
    for _ in range(60):
        log = model.train_step(data, optimiser)
    assert float(log['decode.acc_point']) > 95
    with torch.no_grad():
        guess = model.eval().test_step(data)[0].pred_sem_seg.data[0] == 1
    truth = label[0] == 1
    assert float((guess & truth).sum() / (guess | truth).sum()) > 0.9


# --- whole and slide --------------------------------------------------------


def test_slide_averages_its_windows(generator, samples, crack_label):
    slide = dict(mode='slide', crop_size=(64, 64), stride=(32, 48))
    model = build(test_cfg=slide).eval()
    data = batch(generator, samples, crack_label, num=1, size=(96, 128))
    inputs = model.data_preprocessor(data, False)['inputs']
    total, seen = torch.zeros(2, 96, 128), torch.zeros(96, 128)
    for top in (0, 32):
        for left in (0, 48, 64):
            window = (..., slice(top, top + 64), slice(left, left + 64))
            with torch.no_grad():
                features = model.backbone(inputs[window])
                logits = model.decode_head.predict(
                    features, [dict(img_shape=(64, 64))], {})
            total[window] += logits[0]
            seen[window] += 1
    torch.testing.assert_close(
        predict(model, data)[0], total / seen, atol=1e-4, rtol=1e-4)


def test_one_window_over_the_whole_image_is_whole_mode(
        generator, samples, crack_label):
    model = build()
    data = batch(generator, samples, crack_label, num=1)
    whole = predict(model, data)[0]
    model.test_cfg.update(mode='slide', crop_size=(96, 96), stride=(64, 64))
    torch.testing.assert_close(predict(model, data)[0], whole)


def test_images_of_a_batch_do_not_see_each_other(
        generator, samples, crack_label):
    model = build()
    data = batch(generator, samples, crack_label, num=2)
    together = predict(model, data)
    for n in range(2):
        one = {key: value[n:n + 1] for key, value in data.items()}
        torch.testing.assert_close(
            predict(model, one)[0], together[n], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize('size', [(20, 20), (37, 51), (5, 3)])
def test_an_image_of_any_size_trains_and_comes_back_at_it(
        size, generator, samples, crack_label):
    # Group norm: batch norm cannot train on the 1 x 1 map of a small image.
    model = build(dict(RESNET, norm_cfg=GN))
    data = batch(generator, samples, crack_label, num=1, size=size)
    log = model.train_step(data, _optimiser(model, lr=1e-4))
    assert all(value.isfinite() for value in log.values())
    logits = predict(model, data)[0]
    assert tuple(logits.shape) == (2, *size)
    assert logits.isfinite().all()


def test_padding_of_the_label_is_never_drawn(
        generator, samples, crack_label):
    model = build(dict(RESNET, norm_cfg=GN))
    drawn = []
    sampler = model.decode_head.train_sampler

    def spy(label, logits, **kwargs):
        points = sampler(label, logits, **kwargs)
        drawn.append(points)
        return points

    model.decode_head.train_sampler = spy
    data = batch(generator, samples, crack_label, num=2, size=(40, 50))
    model.train_step(data, _optimiser(model))
    # Padded to 64 x 64, of which 40 rows and 50 columns are image.
    points = drawn[0]
    assert points.shape == (2, 64 * 64 // 20, 2)
    assert float(points[..., 0].max()) < 50 / 64
    assert float(points[..., 1].max()) < 40 / 64


# --- autocast ---------------------------------------------------------------


def test_autocast_trains_and_predicts_nearly_the_same(
        generator, samples, crack_label):
    model = build()
    data = batch(generator, samples, crack_label)
    exact = predict(model, data)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        half = predict(model, data)
    for a, b in zip(exact, half, strict=True):
        assert b.isfinite().all()
        same = (a.argmax(0) == b.argmax(0)).float().mean()
        assert float(same) > 0.97
    model.train()
    ready = model.data_preprocessor(data, True)
    losses = []
    for enabled in (False, True):
        torch.manual_seed(3)
        with torch.autocast('cpu', dtype=torch.bfloat16, enabled=enabled):
            loss, _ = model.parse_losses(model(**ready, mode='loss'))
        losses.append(float(loss.detach()))
    assert losses[1] == pytest.approx(losses[0], rel=0.03)
    loss.backward()
    for name, p in model.named_parameters():
        assert p.grad is not None, name
        assert p.grad.isfinite().all(), name
