# A strong baseline in nnU-Net's manner, in neither paper's tables: residual
# encoder of nnU-Net v2 (preset M; Isensee et al., Nature Methods 2021, and
# "nnU-Net Revisited", MICCAI 2024), instance normalisation, deep supervision,
# Dice + cross entropy. By nnU-Net's rules a patch of 256 x 256 has a seventh
# stage of 4 x 4 pixels; it is left out, so that crops of 64 pixels work.
# Crops and optimiser go with it: ../datasets/nnunet_crops.py,
# ../schedules/nnunet_sgd.py.
data_preprocessor = dict(
    type='SegDataPreProcessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
    size=(256, 256))
model = dict(
    type='EncoderDecoder',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='mmcrack.ResUNet',
        in_channels=3,
        channels=(32, 64, 128, 256, 512, 512),
        num_blocks=(1, 3, 4, 6, 6, 6),
        num_convs=1,
        norm_cfg=dict(type='IN', affine=True),
        act_cfg=dict(type='LeakyReLU', negative_slope=0.01)),
    decode_head=dict(
        type='mmcrack.DeepSupervisionHead',
        in_channels=[32, 64, 128, 256],
        in_index=[4, 3, 2, 1],
        num_classes=2,
        out_channels=2,
        # Half the weight for each scale down, 15 in all; no prediction at
        # the lowest scale. nnU-Net's Dice has a linear denominator; this one
        # is V-Net's.
        loss_decode=[
            dict(
                type='CrossEntropyLoss',
                avg_non_ignore=True,
                loss_weight=8 / 15),
            dict(
                type='mmcrack.NoiseRobustDiceLoss',
                gamma=2.,
                loss_name='loss_dice',
                loss_weight=8 / 15),
        ],
        loss_side=dict(
            side=dict(
                type='mmcrack.DeepSupervisionLoss',
                weights=(4 / 15, 2 / 15, 1 / 15),
                resize='label',
                loss=[
                    dict(type='CrossEntropyLoss', avg_non_ignore=True),
                    dict(type='mmcrack.NoiseRobustDiceLoss', gamma=2.),
                ]))),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
