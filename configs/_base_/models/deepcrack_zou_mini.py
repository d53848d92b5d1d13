# DeepCrack of Zou et al. (2018) that trains on a CPU in minutes. Not in the
# papers.
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
        type='mmcrack.SegNet',
        base_channels=12,
        num_convs=(2, 2, 3, 3, 3),
        norm_cfg=None),
    decode_head=dict(
        type='mmcrack.DeepCrackHead',
        in_channels=(12, 24, 48, 96, 96,
                     12, 12, 24, 48, 96),
        channels=12,
        upsample_first=True,
        num_classes=2,
        out_channels=2,
        norm_cfg=None,
        # MMSegmentation's default, std=0.01, fails with Adam at 1e-3: in the
        # first steps background drives all weights to one sign, cracks
        # become the pixels without any feature, and those learn no more.
        init_cfg=dict(type='Xavier', override=dict(name='conv_seg')),
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
        loss_side=dict(
            side=dict(
                type='mmcrack.DeepSupervisionLoss',
                loss=dict(type='CrossEntropyLoss')))),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
