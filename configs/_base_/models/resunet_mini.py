# resunet that trains on a CPU in minutes. Not in the papers.
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
        type='mmcrack.ResUNet',
        in_channels=3,
        channels=(16, 32, 64, 128, 128),
        num_blocks=(1, 1, 2, 2, 2),
        num_convs=1,
        norm_cfg=dict(type='IN', affine=True),
        act_cfg=dict(type='LeakyReLU', negative_slope=0.01)),
    decode_head=dict(
        type='mmcrack.DeepSupervisionHead',
        in_channels=[16, 32, 64],
        in_index=[3, 2, 1],
        num_classes=2,
        out_channels=2,
        # Half the weight for each scale down, 7 in all; no prediction at
        # the lowest scale. nnU-Net's Dice has a linear denominator; this one
        # is V-Net's.
        loss_decode=[
            dict(
                type='CrossEntropyLoss',
                avg_non_ignore=True,
                loss_weight=4 / 7),
            dict(
                type='mmcrack.NoiseRobustDiceLoss',
                gamma=2.,
                loss_name='loss_dice',
                loss_weight=4 / 7),
        ],
        loss_side=dict(
            side=dict(
                type='mmcrack.DeepSupervisionLoss',
                weights=(2 / 7, 1 / 7),
                resize='label',
                loss=[
                    dict(type='CrossEntropyLoss', avg_non_ignore=True),
                    dict(type='mmcrack.NoiseRobustDiceLoss', gamma=2.),
                ]))),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
