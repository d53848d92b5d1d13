# Table 1, sub-set 2: BCE without the margin, on CrackFormer-II. The paper's
# gap on CrackFormer: 3.48 F1. Phase II from the start; every margin pixel
# counts as ambiguous.
_base_ = './table1_with_margin_2_crackformer2_crackseg5k.py'
model = dict(
    decode_head=dict(
        _delete_=True,
        type='mmcrack.CIRLHead',
        seg_head={{_base_.model.decode_head}},
        variance_threshold=0.,
        loss_ci=None))
custom_hooks = [dict(type='mmcrack.TwoPhaseHook', switch_at=0)]
