# JTFN that trains on a CPU in minutes: an eighth of base64's widths. Not in
# the papers.
norm_cfg = dict(type='BN', requires_grad=True)
loss_ce = dict(type='CrossEntropyLoss', avg_non_ignore=True)
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
        type='mmcrack.JTFNEncoder',
        channels=(8, 16, 32, 64, 64),
        residual=False,
        norm_cfg=norm_cfg),
    decode_head=dict(
        type='mmcrack.JTFNHead',
        in_channels=(8, 16, 32, 64, 64),
        channels=8,
        num_steps=3,
        # released; the paper: 'ones', 'cbam', 'joint', 'double', 3
        initial='zeros',
        attention='released',
        mask_form='separate',
        refine='dilated',
        bottom_conv_index=2,
        detach_feedback=False,
        dropout_ratio=0.,
        num_classes=2,
        out_channels=2,
        norm_cfg=norm_cfg,
        align_corners=True,
        # The paper's sum over all outputs and steps, each of weight 1,
        # boundaries too. (The code: means over scales, a quarter of all.)
        loss_decode=loss_ce,
        loss_side=dict(
            side=dict(
                type='mmcrack.DeepSupervisionLoss',
                loss=loss_ce,
                align_corners=True,
                loss_weight=1.,
                loss_name='loss_ce'),
            boundary=dict(
                type='mmcrack.DeepSupervisionLoss',
                loss=loss_ce,
                align_corners=True,
                loss_weight=1.,  # the paper's weight of boundaries
                loss_name='loss_ce'))),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
