# The paper's Adam at 0.01 is ten times the usual rate and can diverge in the
# Swin blocks; this leaf is the safe one. Not in the paper.
_base_ = './cbprn_r50_lr.py'
optim_wrapper = dict(
    optimizer=dict(
        _delete_=True, type='AdamW', lr=1e-3, weight_decay=1e-2),
    paramwise_cfg=dict(
        norm_decay_mult=0.,
        custom_keys=dict(relative_position_bias_table=dict(decay_mult=0.))),
    clip_grad=dict(max_norm=1.))
