# CBPRN with narrow branches, for photographs in numbers: see README.md for
# its time and accuracy beside the default. Not in the paper.
_base_ = './cbprn_r50_hr.py'
model = dict(
    backbone=dict(channels=16, num_heads=2, num_modules=3),
    decode_head=dict(
        in_channels=[16, 256, 512, 1024, 2048],
        channels=64,
        context_channels=64,
        detail_channels=32,
        heat_channels=32,
        point_channels=128))
