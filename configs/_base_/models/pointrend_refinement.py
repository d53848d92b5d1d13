# The refinement of CBPRN's Table 3, "PointRend" guided by a coarse mask: its
# own ResNet-50 at full resolution, the widths of cbprn_r50.py, PointRend's
# points (Kirillov et al. 2020). A pointrend_on_*.py puts a coarse network in
# front. What CBPRN says of these rows is: a trained coarse network on images
# of long edge 900.
refinement = dict(
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size=(256, 256),  # CBPRN, "Dataset"
        test_cfg=dict(size_divisor=32)),
    backbone=dict(
        type='ResNet',
        depth=50,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        strides=(1, 2, 2, 2),
        dilations=(1, 1, 1, 1),
        norm_cfg=dict(type='BN', requires_grad=True),
        norm_eval=False,
        style='pytorch'),
    decode_head=dict(
        type='mmcrack.PointRefinementHead',
        in_channels=[256, 512, 1024, 2048],
        channels=128,
        context_channels=128,
        detail_channels=64,
        point_channels=256,  # PointRend
        num_fcs=3,  # PointRend
        num_classes=2,
        out_channels=2,
        norm_cfg=dict(type='BN', requires_grad=True),
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
        train_sampler=dict(
            type='mmcrack.ImportancePointSampler',
            oversample_ratio=3,  # PointRend
            importance_ratio=0.75,  # PointRend
            area_divisor=20),  # as many points as CBPRN: N = H W / 20
        # PointRend takes two doublings, from a quarter of the image. Of a
        # photograph shorter than 3600 pixels a quarter is coarser than the
        # mask of long edge 900: one doubling, with the points of both.
        subdivision_steps=1,  # not in the papers
        subdivision_num_points=16392))  # 2 x 8196, MMSegmentation's PointRend
# Both results of one run, before refinement under coarse/, after it under
# crack/.
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
