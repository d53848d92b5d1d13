# Phase I alone (Table 4, first row): Aseg to the end.
_base_ = '../cirl_unet_deepcrack_mini.py'
custom_hooks = [
    dict(type='mmcrack.ChannelsLastHook'),
    dict(type='mmcrack.TwoPhaseHook', switch_at=1600, by_epoch=False)
]
