# CBPRN, "Training Hyperparameters".
optim_wrapper = dict(
    type='OptimWrapper',
    # "momentum of 0.9" of Adam is its first beta
    optimizer=dict(
        type='Adam', lr=0.01, betas=(0.9, 0.999), weight_decay=1e-4))
param_scheduler = [
    # warm-up for the first 100 epochs; its start is not in the paper
    dict(
        type='LinearLR',
        start_factor=1e-3,
        begin=0,
        end=100,
        by_epoch=True,
        convert_to_iter_based=True),
    # poly decay with power 0.9; its end is not in the paper
    dict(
        type='PolyLR',
        power=0.9,
        eta_min=0.,
        begin=100,
        end=1000,
        by_epoch=True,
        convert_to_iter_based=True)
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1000, val_interval=10)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
