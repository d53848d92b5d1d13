# RefineNet that trains on a CPU in minutes. Not in the papers.
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
        type='ResNet',
        depth=50,
        base_channels=16,
        stem_channels=16,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        strides=(1, 2, 2, 2),
        dilations=(1, 1, 1, 1),
        norm_cfg=norm_cfg,
        norm_eval=False,
        style='pytorch'),
    decode_head=dict(
        type='mmcrack.RefineNetHead',
        in_channels=(64, 128, 256, 512),
        channels=64,
        num_rcu=2,
        num_path_rcu=2,
        num_pools=3,
        num_output_rcu=(3, 1, 1, 1),
        num_classes=2,
        out_channels=2,
        align_corners=True,
        norm_cfg=norm_cfg,
        # MMSegmentation's default, std=0.01, fails with Adam at 1e-3: in the
        # first steps background drives all weights to one sign, cracks
        # become the pixels without any feature, and those learn no more.
        init_cfg=dict(type='Xavier', override=dict(name='conv_seg')),
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True)),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
