# CIRL, "Implementation details".
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=1e-3, weight_decay=5e-4))
# not in the paper, which names an "initial" rate only: JTFN's steps
param_scheduler = [
    dict(type='StepLR', step_size=10000, gamma=0.95, by_epoch=False)
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=2000, val_interval=20)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
