# A short schedule for CPU-sized runs of CIRL: the same 1600 iterations on
# every data set. Not in the papers.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=1e-3, weight_decay=5e-4))
param_scheduler = [
    dict(
        type='PolyLR',
        power=0.9,
        eta_min=0.,
        begin=0,
        end=1600,
        by_epoch=False)
]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=1600, val_interval=1600)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
