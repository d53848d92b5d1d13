# CBPRN on an MMPretrain backbone. Not in the paper.
_base_ = './cbprn_r50_hr.py'
first_stage = None  # there is none with this backbone
model = dict(
    backbone=dict(
        backbone=dict(
            _delete_=True,
            type='mmpretrain.ConvNeXt',
            arch='tiny',
            out_indices=(0, 1, 2, 3),
            drop_path_rate=0.1,
            gap_before_final_norm=False)),
    decode_head=dict(in_channels=[64, 96, 192, 384, 768]))
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-4, weight_decay=5e-2),
    clip_grad=dict(max_norm=1.))
