# CBPRN's low-resolution set: 1200 images of CFD, DeepCrack537 and Crack500 at
# 256 x 256, 900 / 150 / 150 (CBPRN, Experimental Setup): already of the
# size of the network's input, so nothing is cropped.
data_root = '{{$MMCRACK_DATA:data}}/mixed1200'
train_pipeline = [
    dict(type='mmcrack.LoadCrackImage'),
    dict(type='mmcrack.LoadCrackAnnotations'),
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
    batch_size=16,  # CBPRN, Experimental Setup
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='mmcrack.CrackDataset',
        data_root=data_root,
        prepare='python tools/dataset_converters/mixed1200.py --cfd CFD '
        '--crack500 CRACK500 --deepcrack DEEPCRACK OUT',
        data_prefix=dict(
            img_path='images/train', seg_map_path='masks/train'),
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='mmcrack.CrackDataset',
        data_root=data_root,
        prepare='python tools/dataset_converters/mixed1200.py --cfd CFD '
        '--crack500 CRACK500 --deepcrack DEEPCRACK OUT',
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
        type='mmcrack.CrackDataset',
        data_root=data_root,
        prepare='python tools/dataset_converters/mixed1200.py --cfd CFD '
        '--crack500 CRACK500 --deepcrack DEEPCRACK OUT',
        data_prefix=dict(
            img_path='images/test', seg_map_path='masks/test'),
        test_mode=True,
        pipeline=test_pipeline))
val_evaluator = [
    dict(type='mmcrack.CrackMetric'),
    dict(type='mmcrack.BoundaryAccuracyMetric'),
]
test_evaluator = val_evaluator
