# The U-Net of CPU size with BCE alone: the twin of cirl_unet_deepcrack_mini.
_base_ = [
    '../_base_/models/unet_mini.py', '../_base_/datasets/deepcrack.py',
    '../_base_/schedules/cirl_mini.py', '../_base_/default_runtime.py'
]
train_pipeline = [
    dict(type='mmcrack.LoadCrackImage'),
    dict(type='mmcrack.LoadCrackAnnotations'),
    dict(type='mmcrack.CrackCrop', crop_size=(128, 128), crack_prob=0.),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='mmcrack.RandomRotate90', prob=0.75),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(num_workers=0, persistent_workers=False)
test_dataloader = dict(num_workers=0, persistent_workers=False)
default_hooks = dict(checkpoint=dict(interval=12))
