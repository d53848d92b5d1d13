# CBPRN at a size that trains on a CPU in minutes: every part is there, all
# widths are small. Not in the papers.
norm_cfg = dict(type='BN', requires_grad=True)
image_mean = [123.675, 116.28, 103.53]
image_std = [58.395, 57.12, 57.375]
data_preprocessor = dict(
    type='SegDataPreProcessor',
    mean=image_mean,
    std=image_std,
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
    size=(256, 256),
    test_cfg=dict(size_divisor=32))
model = dict(
    type='EncoderDecoder',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='mmcrack.EdgeGuidedBackbone',
        image_mean=image_mean,
        image_std=image_std,
        channel_order='rgb',
        channels=16,
        stride=4,
        num_modules=3,
        num_heads=2,
        guide_radius=4,
        guide_eps=1e-2,
        backbone=dict(
            type='ResNet',
            depth=18,
            base_channels=32,
            stem_channels=32,
            num_stages=4,
            out_indices=(0, 1, 2, 3),
            strides=(1, 2, 2, 2),
            dilations=(1, 1, 1, 1),
            norm_cfg=norm_cfg,
            norm_eval=False,
            style='pytorch')),
    decode_head=dict(
        type='mmcrack.CBPRNHead',
        in_channels=[16, 32, 64, 128, 256],
        channels=64,
        context_channels=64,
        detail_channels=32,
        heat_channels=32,
        point_channels=64,
        num_fcs=3,
        num_classes=2,
        out_channels=2,
        norm_cfg=norm_cfg,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
        train_sampler=dict(
            type='mmcrack.BoundaryPointSampler',
            ratios=(0.3, 0.4, 0.3),
            dilation=2,
            area_divisor=20,
            body_mode='fallback'),
        test_sampler=dict(
            type='mmcrack.UncertainPointSampler',
            prob_range=(0.3, 0.7),
            max_points=None)),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
