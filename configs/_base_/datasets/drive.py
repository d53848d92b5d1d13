# DRIVE (retinal vessels), 565 x 584: 20 / 20 images (CIRL 4.1), read by
# MMSegmentation's own data set; class 1 is vessel, and the metrics call it
# crack. What lies outside the field of view is ignored, in training and in
# the test (CIRL follows JTFN, whose code scores inside it alone). There is no
# val: all 20 train, and `val` looks at five of them again, so that it shows
# whether training goes on and tells nothing about new images.
data_root = '{{$MMCRACK_DATA:data}}/drive'
train_pipeline = [
    dict(type='mmcrack.LoadCrackImage'),
    dict(type='mmcrack.LoadCrackAnnotations'),
    dict(type='mmcrack.IgnoreOutsideFieldOfView'),
    # CIRL 4.1, "Implementation details": crops of 256 x 256 at random,
    # horizontal flips, turns by 90, 180 and 270 degrees; nothing else. The
    # paper gives no probabilities: flips by half, the four directions alike.
    dict(type='mmcrack.CrackCrop', crop_size=(256, 256), crack_prob=0.),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='mmcrack.RandomRotate90', prob=0.75),
    dict(type='PackSegInputs'),
]
test_pipeline = [
    dict(type='mmcrack.LoadCrackImage'),
    dict(type='mmcrack.LoadCrackAnnotations'),
    dict(type='mmcrack.IgnoreOutsideFieldOfView'),
    dict(type='PackSegInputs'),
]
# not in the papers: three passes (as it is, mirrored, upside down), averaged
tta_pipeline = [
    dict(type='mmcrack.LoadCrackImage'),
    dict(
        type='TestTimeAug',
        transforms=[
            [
                dict(type='RandomFlip', prob=0.0, direction='horizontal'),
                dict(type='RandomFlip', prob=1.0, direction='horizontal'),
                dict(type='RandomFlip', prob=1.0, direction='vertical'),
            ],
            [dict(type='mmcrack.LoadCrackAnnotations')],
            [dict(type='mmcrack.IgnoreOutsideFieldOfView')],
            [dict(type='PackSegInputs')],
        ]),
]
train_dataloader = dict(
    batch_size=2,  # CIRL 4.1, "Implementation details"
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='DRIVEDataset',
        seg_map_suffix='.png',
        data_root=data_root,
        data_prefix=dict(
            img_path='images/train', seg_map_path='masks/train'),
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='DRIVEDataset',
        seg_map_suffix='.png',
        data_root=data_root,
        data_prefix=dict(
            img_path='images/train', seg_map_path='masks/train'),
        indices=5,
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='DRIVEDataset',
        seg_map_suffix='.png',
        data_root=data_root,
        data_prefix=dict(
            img_path='images/test', seg_map_path='masks/test'),
        test_mode=True,
        pipeline=test_pipeline))
val_evaluator = [
    dict(type='mmcrack.CrackMetric'),
    dict(type='mmcrack.BoundaryAccuracyMetric'),
]
test_evaluator = val_evaluator
