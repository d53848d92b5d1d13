# CrackFormer-II that trains on a CPU in minutes. Not in the papers.
data_preprocessor = dict(
    type='SegDataPreProcessor',
    mean=[127.5, 127.5, 127.5],
    std=[127.5, 127.5, 127.5],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
    size=(128, 128))
model = dict(
    type='EncoderDecoder',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='mmcrack.CrackFormer',
        base_channels=16,
        num_blocks=(2, 2, 3, 3, 3),
        num_heads=4,
        key_channels=8,
        window=7,
        dropout_ratio=0.3),
    decode_head=dict(
        type='mmcrack.CrackFormerHead',
        in_channels=(16, 32, 64, 128, 128,
                     16, 16, 32, 64, 128,
                     16, 32, 64, 128, 128),
        channels=16,
        num_classes=2,
        out_channels=2,
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
