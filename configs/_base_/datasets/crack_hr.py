# High resolution: train on crops of whole photographs, test on whole images.
# CBPRN uses 60 photographs of Changsha beyond 2K, not public. Stand-ins:
# NHA12D (1920 x 1080, Huang et al. 2022) for training and validation, and
# single concrete photographs of 14 and 20 megapixels for the test; with so few
# report each image. The figures cannot be compared with the paper's.
train_data_root = '{{$MMCRACK_DATA:data}}/nha12d'
test_data_root = '{{$MMCRACK_DATA:data}}/hr_concrete'
train_pipeline = [
    dict(type='mmcrack.LoadCrackImage'),
    dict(type='mmcrack.LoadCrackAnnotations'),
    # not in the papers: half of the crops on a crack
    dict(type='mmcrack.CrackCrop', crop_size=(512, 512), crack_prob=0.5),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    # not in the papers
    dict(type='mmcrack.RandomRotate90', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackSegInputs'),
]
test_pipeline = [
    dict(type='mmcrack.LoadCrackImage'),
    dict(type='mmcrack.LoadCrackAnnotations'),
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
            [dict(type='PackSegInputs')],
        ]),
]
train_dataloader = dict(
    batch_size=4,  # not in the papers: the pixels of 16 crops of 256 x 256
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='mmcrack.HighResolutionCrackDataset',
        data_root=train_data_root,
        data_prefix=dict(
            img_path='images/train', seg_map_path='masks/train'),
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='mmcrack.HighResolutionCrackDataset',
        data_root=train_data_root,
        data_prefix=dict(
            img_path='images/val', seg_map_path='masks/val'),
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='mmcrack.HighResolutionCrackDataset',
        data_root=test_data_root,
        data_prefix=dict(
            img_path='images/test', seg_map_path='masks/test'),
        test_mode=True,
        pipeline=test_pipeline))
val_evaluator = [
    dict(type='mmcrack.CrackMetric'),
    dict(type='mmcrack.BoundaryAccuracyMetric'),
]
test_evaluator = val_evaluator
