# CrackTree200, 800 x 600, in the 164 / 42 photographs of CIRL 4.1 (its list is
# not published: the converter's comes from a seed). Masks are dilated by 4
# pixels for training and test, as JTFN does and CIRL follows. There is no
# val: all 164 train, and `val` looks at twenty of them again, so that it
# shows whether training goes on and tells nothing about new photographs. For
# a val of its own convert with --val-share 0.1 and name images/val here.
data_root = '{{$MMCRACK_DATA:data}}/cracktree200'
train_pipeline = [
    dict(type='mmcrack.LoadCrackImage'),
    dict(type='mmcrack.LoadCrackAnnotations'),
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
    batch_size=2,  # CIRL 4.1, "Implementation details"
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='mmcrack.CrackTree200Dataset',
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
        type='mmcrack.CrackTree200Dataset',
        data_root=data_root,
        data_prefix=dict(
            img_path='images/train', seg_map_path='masks/train'),
        indices=20,
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='mmcrack.CrackTree200Dataset',
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
