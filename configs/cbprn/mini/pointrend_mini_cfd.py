# PointRend with the same backbone, neck, number of points and optimiser,
# without the edge branch.
_base_ = './cbprn_mini_cfd.py'
model = dict(
    backbone=dict(
        _delete_=True,
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
        _delete_=True,
        type='mmcrack.PointRendHead',
        in_channels=[32, 64, 128, 256],
        channels=64,
        context_channels=64,
        detail_channels=32,
        heat_channels=32,
        point_channels=64,
        num_fcs=3,
        num_classes=2,
        out_channels=2,
        norm_cfg=dict(type='BN', requires_grad=True),
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
        train_sampler=dict(
            type='mmcrack.ImportancePointSampler', area_divisor=20),
        subdivision_steps=2,
        subdivision_num_points=8196))
