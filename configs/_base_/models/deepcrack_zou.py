# DeepCrack of Zou et al. (2018), as in its released PyTorch code: no
# normalisation (the Caffe original has some: norm_cfg=dict(type='SyncBN') in
# backbone and head; the CPU-sized network learns crops by heart four times as
# fast without). That code: Adam 1e-3.
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
        norm_cfg=None),
    decode_head=dict(
        type='mmcrack.DeepCrackHead',
        in_channels=(64, 128, 256, 512, 512,
                     64, 64, 128, 256, 512),
        channels=64,
        # The released order, 273.6 GFLOP at 256 x 256; False enlarges logits
        # in place of maps.
        upsample_first=True,
        num_classes=2,
        out_channels=2,
        norm_cfg=None,
        # MMSegmentation's default, std=0.01, fails with Adam at 1e-3: in the
        # first steps background drives all weights to one sign, cracks
        # become the pixels without any feature, and those learn no more.
        init_cfg=dict(type='Xavier', override=dict(name='conv_seg')),
        # Zou et al.: the same loss on all six predictions, equal weights.
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
        loss_side=dict(
            side=dict(
                type='mmcrack.DeepSupervisionLoss',
                loss=dict(type='CrossEntropyLoss')))),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
