# CIRL around JTFN on DRIVE with the paper's values (4.1, 4.2).
# CIRL, Table 2: P 84.57, R 82.95, F1 84.32.
# Aseg, then CI, replace the loss of the last full-size mask alone; all other
# masks and the boundaries keep JTFN's cross entropy in both phases.
_base_ = ['../_base_/models/jtfn.py', '../_base_/recipes/cirl_drive.py']
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
