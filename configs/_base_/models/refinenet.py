# RefineNet, 4-cascaded (Lin et al. 2017), as in the port pytorch_refinenet,
# but the backbone is trained and the cascade normalised. depth=101 in the
# backbone: 113.9 M parameters.
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
        type='ResNet',
        depth=50,
        # ImageNet weights are an option: docs/pretrained.md
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        strides=(1, 2, 2, 2),
        dilations=(1, 1, 1, 1),
        norm_cfg=norm_cfg,
        norm_eval=False,
        style='pytorch'),
    decode_head=dict(
        type='mmcrack.RefineNetHead',
        in_channels=(256, 512, 1024, 2048),
        channels=256,
        num_rcu=2,
        num_path_rcu=2,
        num_pools=3,
        num_output_rcu=(3, 1, 1, 1),
        num_classes=2,
        out_channels=2,
        align_corners=True,
        # The paper has none in the cascade, and ImageNet's weights below it.
        # From scratch the CPU-sized network learns five times as slowly so.
        norm_cfg=norm_cfg,
        # MMSegmentation's default, std=0.01, fails with Adam at 1e-3: in the
        # first steps background drives all weights to one sign, cracks
        # become the pixels without any feature, and those learn no more.
        init_cfg=dict(type='Xavier', override=dict(name='conv_seg')),
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True)),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
