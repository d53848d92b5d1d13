# CBPRN of CPU size on CFD: see ../README.md for its figures. 60 training
# images: as many iterations as on DeepCrack take 33 epochs.
_base_ = [
    '../../_base_/models/cbprn_mini.py', '../../_base_/datasets/cfd.py',
    '../../_base_/schedules/adamw_10e.py', '../../_base_/default_runtime.py'
]
train_dataloader = dict(batch_size=4, num_workers=0, persistent_workers=False)
val_dataloader = dict(num_workers=0, persistent_workers=False)
test_dataloader = dict(num_workers=0, persistent_workers=False)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-2,
        begin=0,
        end=4,
        by_epoch=True,
        convert_to_iter_based=True),
    dict(
        type='PolyLR',
        power=0.9,
        eta_min=0.,
        begin=4,
        end=33,
        by_epoch=True,
        convert_to_iter_based=True)
]
train_cfg = dict(max_epochs=33, val_interval=33)
default_hooks = dict(checkpoint=dict(interval=33))
