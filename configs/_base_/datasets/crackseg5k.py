# CrackSeg5k of CIRL 4.1: tiles of 512 x 512 from photographs of 7360 x 4912,
# 90 / 5 / 5 %. The set is not public: this reads what
# tools/dataset_converters/slice.py makes of photographs of one's own, and its
# figures cannot be compared with the paper's.
data_root = '{{$MMCRACK_DATA:data}}/crackseg5k'
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
        type='mmcrack.CrackDataset',
        data_root=data_root,
        # what --border pad adds has no label
        ignore_value=255,
        prepare='python tools/dataset_converters/slice.py PHOTOGRAPHS MASKS '
        'OUT',
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
        # what --border pad adds has no label
        ignore_value=255,
        prepare='python tools/dataset_converters/slice.py PHOTOGRAPHS MASKS '
        'OUT',
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
        # what --border pad adds has no label
        ignore_value=255,
        prepare='python tools/dataset_converters/slice.py PHOTOGRAPHS MASKS '
        'OUT',
        data_prefix=dict(
            img_path='images/test', seg_map_path='masks/test'),
        test_mode=True,
        pipeline=test_pipeline))
val_evaluator = [
    dict(type='mmcrack.CrackMetric'),
    dict(type='mmcrack.BoundaryAccuracyMetric'),
]
test_evaluator = val_evaluator
