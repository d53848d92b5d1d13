# CBPRN (Chu, Chen, Deng). The paper fixes ResNet-50, the branches and the
# points; widths are not in the paper unless a comment names a source.
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
    size=(256, 256),  # "Dataset": all images are resized to 256 x 256
    test_cfg=dict(size_divisor=32))
model = dict(
    type='EncoderDecoder',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='mmcrack.EdgeGuidedBackbone',
        image_mean=image_mean,
        image_std=image_std,
        channel_order='rgb',
        channels=64,
        stride=4,
        num_modules=3,  # b1, b2, b3 of Figure 2
        guide_radius=4,
        guide_eps=1e-2,
        # ImageNet weights are an option: docs/pretrained.md
        backbone=dict(
            type='ResNet',
            depth=50,  # "Methodology"
            num_stages=4,
            out_indices=(0, 1, 2, 3),
            strides=(1, 2, 2, 2),
            dilations=(1, 1, 1, 1),
            norm_cfg=norm_cfg,
            norm_eval=False,
            style='pytorch')),
    decode_head=dict(
        type='mmcrack.CBPRNHead',
        in_channels=[64, 256, 512, 1024, 2048],
        channels=128,
        context_channels=128,
        detail_channels=64,
        heat_channels=64,  # "two convolutional modules"
        point_channels=256,  # PointRend
        num_fcs=3,  # PointRend
        num_classes=2,
        out_channels=2,
        norm_cfg=norm_cfg,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
        train_sampler=dict(
            type='mmcrack.BoundaryPointSampler',
            ratios=(0.3, 0.4, 0.3),  # "For the training phase"
            dilation=2,  # Table 1, Set 4
            area_divisor=20,  # N = H W / 20
            body_mode='fallback'),
        test_sampler=dict(
            type='mmcrack.UncertainPointSampler',
            prob_range=(0.3, 0.7),  # Table 2, Set 5
            max_points=None)),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
