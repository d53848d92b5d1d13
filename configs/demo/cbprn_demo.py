# What `make demo` trains: a CBPRN of CPU size on generated photographs.
_base_ = [
    '../_base_/models/cbprn_mini.py', '../_base_/datasets/synthetic_small.py',
    '../_base_/schedules/adamw_44e.py', '../_base_/default_runtime.py'
]
data_root = 'data/demo'
crop_size = (192, 192)
data_preprocessor = dict(size=crop_size)
model = dict(data_preprocessor=data_preprocessor)
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
randomness = dict(seed=0)
default_hooks = dict(checkpoint=dict(interval=11))
