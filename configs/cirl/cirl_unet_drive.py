# CIRL around U-Net on DRIVE with the paper's values (4.1, 4.2). The
# paper prints no row of this pair: its CIRL rows are on JTFN.
_base_ = './unet_drive.py'
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
custom_hooks = [dict(type='mmcrack.TwoPhaseHook', switch_at=1000)]
