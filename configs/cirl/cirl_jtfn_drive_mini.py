# CIRL around JTFN of CPU size, with the paper's values.
_base_ = [
    '../_base_/models/jtfn_mini.py', '../_base_/recipes/mini_drive.py'
]
model = dict(
    decode_head=dict(
        _delete_=True,
        type='mmcrack.CIRLHead',
        seg_head={{_base_.model.decode_head}},
        loss_aseg=dict(type='mmcrack.AsegLoss', variance_offset=0.3),
        loss_ci=dict(
            type='mmcrack.CILoss', num_neighbors=20, loss_weight=0.2),
        marginal_kernel=5,
        variance_threshold=0.4))
custom_hooks = [
    dict(type='mmcrack.ChannelsLastHook'),
    dict(type='mmcrack.TwoPhaseHook', switch_at=800, by_epoch=False)
]
