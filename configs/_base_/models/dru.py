# DRU, the Recurrent U-Net with a dual-gated unit (Wang et al., ICCV 2019), a
# row of CIRL's tables: widths and order of the authors' released code.
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
        type='mmcrack.DRU',
        in_channels=3,
        out_channels=2,
        feature_scale=1,
        steps=3,  # the paper's T
        feedback='logits',
        norm_cfg=dict(type='GN', num_groups=8),
        decoder_norm_cfg=None),  # as released
    decode_head=dict(
        type='mmcrack.StepsHead',
        in_channels=32,
        num_classes=2,
        out_channels=2,
        # alpha^(T - t) with alpha = 0.4, their value for roads and hands;
        # the mean over the pixels, where they sum: not in the papers.
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
        loss_side=dict(
            side=dict(
                type='mmcrack.DeepSupervisionLoss',
                weights=(0.16, 0.4),
                loss=dict(type='CrossEntropyLoss', avg_non_ignore=True)))),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
