# DeepCrack537, 544 x 384. It has no official val: `val` is 10 of the 101
# training photographs (every crop of them), kept out of training; the lists
# lie beside this file. The test leaves out the crops that leak from training
# photographs (exclude_leaks=True is the class's default, shown for clarity).
data_root = '{{$MMCRACK_DATA:data}}/deepcrack'
train_pipeline = [
    dict(type='mmcrack.LoadCrackImage'),
    dict(type='mmcrack.LoadCrackAnnotations'),
    # not in the papers: half of the crops on a crack
    dict(type='mmcrack.CrackCrop', crop_size=(256, 256), crack_prob=0.5),
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
        type='mmcrack.DeepCrackDataset',
        data_root=data_root,
        ann_file='_base_/datasets/splits/deepcrack_train.txt',
        data_prefix=dict(
            img_path='images/train', seg_map_path='masks/train'),
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='mmcrack.DeepCrackDataset',
        data_root=data_root,
        ann_file='_base_/datasets/splits/deepcrack_val.txt',
        data_prefix=dict(
            img_path='images/train', seg_map_path='masks/train'),
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='mmcrack.DeepCrackDataset',
        data_root=data_root,
        exclude_leaks=True,
        data_prefix=dict(
            img_path='images/test', seg_map_path='masks/test'),
        test_mode=True,
        pipeline=test_pipeline))
val_evaluator = [
    dict(type='mmcrack.CrackMetric'),
    dict(type='mmcrack.BoundaryAccuracyMetric'),
]
test_evaluator = val_evaluator
