# A short schedule for CPU-sized runs of CIRL: 24 epochs of DeepCrack's 264
# images in batches of 4 are 1584 iterations. Not in the papers.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=1e-3, weight_decay=5e-4))
param_scheduler = [
    dict(
        type='PolyLR',
        power=0.9,
        eta_min=0.,
        begin=0,
        end=24,
        by_epoch=True,
        convert_to_iter_based=True)
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=24, val_interval=24)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
# twice as fast on a CPU, with the same results
custom_hooks = [dict(type='mmcrack.ChannelsLastHook')]
