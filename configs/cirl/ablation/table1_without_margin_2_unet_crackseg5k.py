# Table 1, sub-set 2: BCE without the margin. The paper's gap on CrackFormer:
# 3.48 F1. Phase II from the start; every margin pixel counts as ambiguous.
_base_ = '../cirl_unet_crackseg5k.py'
train_dataloader = dict(dataset=dict(part=(2, 4)))
model = dict(decode_head=dict(variance_threshold=0., loss_ci=None))
custom_hooks = [dict(type='mmcrack.TwoPhaseHook', switch_at=0)]
