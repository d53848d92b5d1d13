# Masonry (Dais et al. 2021), 224 x 224, 240 patches of brick walls. No
# official split: the converter's goes by photograph.
_base_ = './cfd.py'
data_root = '{{$MMCRACK_DATA:data}}/masonry'
dataset = dict(
    type='mmcrack.CrackDataset',
    data_root=data_root,
    prepare='python tools/dataset_converters/masonry.py SOURCE OUT')
# not in the papers: the patches as they are; cfd.py's crops are larger
train_pipeline = [
    dict(type='mmcrack.LoadCrackImage'),
    dict(type='mmcrack.LoadCrackAnnotations'),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='mmcrack.RandomRotate90', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(dataset=dict(**dataset, pipeline=train_pipeline))
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
