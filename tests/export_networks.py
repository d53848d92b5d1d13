"""Small networks of each kind, whose probabilities are spread out."""

import numpy as np
import torch
from mmengine.config import Config
from torch import nn

NORM = dict(type='BN', requires_grad=True)
MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


def preprocessor(divisor=None):
    test = dict(test_cfg=dict(size_divisor=divisor)) if divisor else {}
    return dict(type='SegDataPreProcessor', mean=MEAN, std=STD, pad_val=0,
                seg_pad_val=255, bgr_to_rgb=True, size=(64, 64), **test)


def config(backbone, head, divisor=None, **more):
    return Config(dict(
        default_scope='mmseg',
        model=dict(
            type='EncoderDecoder',
            data_preprocessor=preprocessor(divisor),
            backbone=backbone,
            decode_head=head,
            test_cfg=dict(mode='whole')),
        **more))


def unet_config(out_channels=2):
    return config(
        dict(type='UNet', base_channels=4, num_stages=3, strides=(1, 1, 1),
             enc_num_convs=(1, 1, 1), dec_num_convs=(1, 1),
             downsamples=(True, True), enc_dilations=(1, 1, 1),
             dec_dilations=(1, 1), norm_cfg=NORM),
        dict(type='FCNHead', in_channels=4, in_index=2, channels=4,
             num_convs=1, concat_input=False, num_classes=2,
             out_channels=out_channels, threshold=0.4, norm_cfg=NORM),
        divisor=8)


def cirl_config():
    cfg = unet_config()
    head = cfg.model.decode_head
    head.pop('threshold')
    cfg.model.decode_head = dict(type='mmcrack.CIRLHead', seg_head=head)
    return cfg


def resnet(stages, **more):
    return dict(type='ResNet', depth=18, base_channels=8, stem_channels=8,
                num_stages=stages, out_indices=tuple(range(stages)),
                strides=(1, 2, 2, 2)[:stages], dilations=(1, ) * stages,
                norm_cfg=NORM, **more)


def pspnet_config():
    """No padding: PSPNet takes any size as it is."""
    return config(
        resnet(2),
        dict(type='PSPHead', in_channels=16, in_index=1, channels=8,
             pool_scales=(1, 2, 3, 6), num_classes=2, norm_cfg=NORM))


def cbprn_config(out_channels=2):
    return config(
        dict(type='mmcrack.EdgeGuidedBackbone', channels=8, num_modules=1,
             num_heads=2, image_mean=MEAN, image_std=STD,
             backbone=resnet(2)),
        dict(type='mmcrack.CBPRNHead', in_channels=[8, 8, 16], channels=8,
             context_channels=8, detail_channels=8, heat_channels=8,
             point_channels=8, num_fcs=2, num_classes=2,
             out_channels=out_channels, norm_cfg=NORM),
        divisor=32)


CONFIGS = dict(unet=lambda: unet_config(1), pspnet=pspnet_config,
               cirl=cirl_config, cbprn=cbprn_config)


def spread(backend, images):
    """Set normalisation and classifiers so that probabilities spread.

    The statistics of batch normalisation become those of real images, and
    logits get a standard deviation of 2 around 0: masks and CBPRN's interval
    then cut through the middle of the values.
    """
    model = backend.model
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None
            module.train()
    backend.probabilities(images)
    model.eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    for head in model.modules():
        if hasattr(head, 'conv_seg'):
            widen(backend, head.conv_seg, images)
    for head in model.modules():
        if hasattr(head, 'point_mlp'):
            widen(backend, head.point_mlp.fc_seg, images)


def widen(backend, layer, images):
    """Give what a layer puts out a deviation of 2 around 0."""
    seen = []
    hook = layer.register_forward_hook(
        lambda module, inputs, out: seen.append(out.detach()))
    with torch.no_grad():
        backend.probabilities(images)
        out = seen[0].transpose(0, 1).flatten(1)
        layer.weight.mul_(2 / out.std().clamp(min=1e-6))
        seen.clear()
        backend.probabilities(images)
        out = seen[0].transpose(0, 1).flatten(1)
        layer.bias.sub_(out.mean(1))
    hook.remove()


def blobs(size, batch=1, seed=0):
    """Smooth pictures with dark lines, uint8 (N, 3, H, W), RGB."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size[0], :size[1]]
    pictures = []
    for _ in range(batch):
        a, b, c = rng.uniform(0.05, 0.4, 3)
        wave = np.sin(a * x + b * y) + np.sin(c * x - a * y)
        base = 130 + 40 * wave + rng.normal(0, 12, size)
        base[np.abs(y - size[0] / 2 - 5 * np.sin(0.1 * x)) < 2] -= 80
        shifts = rng.uniform(-20, 20, 3)
        pictures.append(np.stack([base + s for s in shifts]))
    return np.clip(np.stack(pictures), 0, 255).astype(np.uint8)
