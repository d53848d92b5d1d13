"""A tiny coarse network and a tiny refinement, for tests."""

import copy

import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmcrack.registry import MODELS

CE = dict(type='CrossEntropyLoss', avg_non_ignore=True)
PREPROCESSOR = dict(
    type='SegDataPreProcessor', mean=[120., 110., 100.], std=[60., 50., 40.],
    bgr_to_rgb=True, pad_val=0, seg_pad_val=255, size=(32, 32),
    test_cfg=dict(size_divisor=32))


def sigmoid_or_softmax(out_channels):
    """Arguments of a head with one output channel or more."""
    if out_channels == 1:
        return dict(out_channels=1, threshold=.5, loss_decode=dict(
            type='CrossEntropyLoss', use_sigmoid=True))
    return dict(out_channels=out_channels, loss_decode=CE)


def coarse_config(out_channels=2, divisor=4, **changes):
    """A U-Net of two stages; input sizes must be even."""
    cfg = dict(
        type='EncoderDecoder',
        data_preprocessor=dict(
            PREPROCESSOR, test_cfg=dict(size_divisor=divisor)),
        backbone=dict(
            type='UNet', base_channels=4, num_stages=2, strides=(1, 1),
            enc_num_convs=(1, 1), dec_num_convs=(1, ), downsamples=(True, ),
            enc_dilations=(1, 1), dec_dilations=(1, ),
            norm_cfg=dict(type='BN')),
        decode_head=dict(
            type='FCNHead', in_channels=4, in_index=1, channels=4,
            num_convs=1, concat_input=False, dropout_ratio=.3, num_classes=2,
            norm_cfg=dict(type='BN'),
            init_cfg=dict(type='Xavier', override=dict(name='conv_seg')),
            **sigmoid_or_softmax(out_channels)),
        test_cfg=dict(mode='whole'))
    cfg.update(changes)
    return cfg


def whole_config(out_channels=2, coarse=None, head=None, **changes):
    """The pair; ``head`` changes the refinement's head."""
    cfg = dict(
        type='mmcrack.CoarseToFineSegmentor',
        coarse=coarse or coarse_config(),
        random_coarse=True,
        data_preprocessor=PREPROCESSOR,
        backbone=dict(
            type='ResNet', depth=18, base_channels=4, stem_channels=4,
            num_stages=4, out_indices=(0, 1, 2, 3), strides=(1, 2, 2, 2),
            dilations=(1, 1, 1, 1), norm_cfg=dict(type='BN')),
        decode_head=dict(
            dict(
                type='mmcrack.PointRefinementHead', in_channels=[4, 8, 16, 32],
                channels=6, context_channels=6, detail_channels=4,
                point_channels=8, num_classes=2, norm_cfg=dict(type='BN'),
                subdivision_num_points=40, **sigmoid_or_softmax(out_channels)),
            **head or {}))
    cfg.update(changes)
    return copy.deepcopy(cfg)


def decide(network):
    """Give normalisation and classifiers values that tell pixels apart."""
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(std=.1)
                module.running_var.uniform_(.5, 1.5)
            if isinstance(module, torch.nn.Conv1d):
                torch.nn.init.normal_(module.weight, std=.7)


def build(*args, **kwargs):
    """The pair, in evaluation mode."""
    model = MODELS.build(whole_config(*args, **kwargs))
    decide(model)
    model.eval()
    return model


def photograph(height, width, seed=0, **meta):
    """What a data pipeline packs: noise with a dark crack."""
    draw = torch.Generator().manual_seed(seed)
    image = torch.randint(100, 256, (3, height, width), generator=draw)
    label = torch.zeros(1, height, width, dtype=torch.long)
    label[:, height // 3:height // 3 + 4, 2:] = 1
    image[:, label[0] == 1] //= 4
    size = (height, width)
    sample = SegDataSample(metainfo=dict(
        dict(img_shape=size, ori_shape=size, img_path=f'{seed}.png'),
        **meta))
    sample.gt_sem_seg = PixelData(data=label)
    return dict(inputs=image.byte(), data_samples=sample)


def collated(*items):
    """A batch as a data loader hands it over."""
    return dict(
        inputs=[item['inputs'] for item in items],
        data_samples=[copy.deepcopy(item['data_samples'])
                      for item in items])
