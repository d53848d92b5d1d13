# nnU-Net's optimiser (Isensee et al., Nature Methods 2021; nnUNetTrainer of
# nnU-Net v2), which the leaves of resunet put into a schedule. nnU-Net trains
# 1000 epochs of 250 iterations; the length here is that of the rows beside it.
nnunet_optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(
        type='SGD', lr=1e-2, momentum=0.99, nesterov=True, weight_decay=3e-5),
    clip_grad=dict(max_norm=12.))
# For schedules of 2000 epochs; the rate changes once an epoch.
nnunet_param_scheduler = [
    dict(
        type='PolyLR',
        power=0.9,
        eta_min=0.,
        begin=0,
        end=2000,
        by_epoch=True)
]
