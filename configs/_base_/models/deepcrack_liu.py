# DeepCrack of Liu et al. (2019), as in its released code (DeepSegmentor), but
# with plain cross entropy; there, crack weighs 1 and background 0.03, or the
# loss is focal. That code: SGD, momentum 0.9, weight decay 2e-4.
norm_cfg = dict(type='SyncBN', requires_grad=True)
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
        type='mmcrack.SegNet',
        base_channels=64,
        num_convs=(2, 2, 3, 3, 3),
        with_decoder=False,
        norm_cfg=norm_cfg),
    decode_head=dict(
        type='mmcrack.HEDHead',
        in_channels=(64, 128, 256, 512, 512),
        num_classes=2,
        # With out_channels=1 the released code makes masks at threshold=0.31.
        out_channels=2,
        align_corners=True,  # released code
        # The released guided filter, for testing (0.065 / 255^2 = 1e-6):
        # guided=dict(radius=5, eps=1e-6, threshold=0.31),
        # MMSegmentation's default, std=0.01, fails with Adam at 1e-3: in the
        # first steps background drives all weights to one sign, cracks
        # become the pixels without any feature, and those learn no more.
        init_cfg=dict(type='Xavier', override=dict(name='conv_seg')),
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
        loss_side=dict(
            side=dict(
                type='mmcrack.DeepSupervisionLoss',
                # released code; the fused prediction weighs 1
                weights=(0.5, 0.75, 1., 0.75, 0.5),
                loss=dict(type='CrossEntropyLoss'),
                align_corners=True))),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
