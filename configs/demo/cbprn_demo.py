# What `make demo` trains: a CBPRN of CPU size on generated photographs.
_base_ = [
    '../_base_/models/cbprn_mini.py', '../_base_/datasets/synthetic.py',
    '../_base_/schedules/adamw_10e.py', '../_base_/default_runtime.py'
]
data_root = 'data/demo'
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(data_root=data_root))
val_dataloader = dict(
    num_workers=0, persistent_workers=False, dataset=dict(data_root=data_root))
test_dataloader = dict(
    num_workers=0, persistent_workers=False, dataset=dict(data_root=data_root))
