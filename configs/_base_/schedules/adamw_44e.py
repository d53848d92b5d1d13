# The demo's schedule: 44 epochs of 50 iterations. Not in the papers.
_base_ = './adamw_10e.py'
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-2,
        begin=0,
        end=1,
        by_epoch=True,
        convert_to_iter_based=True),
    dict(
        type='PolyLR',
        power=0.9,
        eta_min=0.,
        begin=1,
        end=44,
        by_epoch=True,
        convert_to_iter_based=True)
]
train_cfg = dict(max_epochs=44, val_interval=11)
