# VGG-UNet that trains on a CPU in minutes. Not in the papers.
norm_cfg = dict(type='BN', requires_grad=True)
data_preprocessor = dict(
    type='SegDataPreProcessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
    size=(128, 128))
model = dict(
    type='EncoderDecoder',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='mmcrack.IterativeBackbone',
        steps=3,  # the paper's K
        feature_channels=14,
        feature_index=-1,
        out_channels=2,
        backbone=dict(
            type='UNet',
            in_channels=4,  # the image and the crack probability
            base_channels=14,
            num_stages=4,
            strides=(1, 1, 1, 1),
            enc_num_convs=(2, 2, 2, 2),
            dec_num_convs=(2, 2, 2),
            downsamples=(True, True, True),
            enc_dilations=(1, 1, 1, 1),
            dec_dilations=(1, 1, 1),
            norm_cfg=norm_cfg)),
    decode_head=dict(
        type='mmcrack.StepsHead',
        in_channels=14,
        num_classes=2,
        out_channels=2,
        # Pass k counts k / (1 + 2 + 3), in the paper. The distance in VGG19 is
        # taken after the last pass and on two maps only: for a CPU.
        loss_decode=[
            dict(
                type='CrossEntropyLoss',
                avg_non_ignore=True,
                loss_weight=1 / 2),
            dict(
                type='mmcrack.VGGTopologyLoss',
                weights=None,  # or a file: see vgg_unet.py
                layers=('relu1_2', 'relu2_2'),
                loss_weight=0.1 / 2),
        ],
        loss_side=dict(
            side=dict(
                type='mmcrack.DeepSupervisionLoss',
                weights=(1 / 6, 2 / 6),
                loss=dict(type='CrossEntropyLoss', avg_non_ignore=True)))),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
