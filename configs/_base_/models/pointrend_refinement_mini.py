# The refinement of pointrend_refinement.py at a size that trains on a CPU in
# minutes: the network of cbprn/mini. Not in the papers.
refinement = dict(
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size=(128, 128),
        test_cfg=dict(size_divisor=32)),
    backbone=dict(
        type='ResNet',
        depth=18,
        base_channels=32,
        stem_channels=32,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        strides=(1, 2, 2, 2),
        dilations=(1, 1, 1, 1),
        norm_cfg=dict(type='BN', requires_grad=True),
        norm_eval=False,
        style='pytorch'),
    decode_head=dict(
        type='mmcrack.PointRefinementHead',
        in_channels=[32, 64, 128, 256],
        channels=64,
        context_channels=64,
        detail_channels=32,
        point_channels=64,
        num_fcs=3,
        num_classes=2,
        out_channels=2,
        norm_cfg=dict(type='BN', requires_grad=True),
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
        train_sampler=dict(
            type='mmcrack.ImportancePointSampler', area_divisor=20),
        subdivision_steps=1,
        subdivision_num_points=16392))
before_and_after = [
    dict(type='mmcrack.CrackMetric'),
    dict(type='mmcrack.BoundaryAccuracyMetric'),
    dict(
        type='mmcrack.CrackMetric',
        prediction='coarse_sem_seg',
        prefix='coarse'),
    dict(
        type='mmcrack.BoundaryAccuracyMetric',
        prediction='coarse_sem_seg',
        prefix='coarse'),
]
