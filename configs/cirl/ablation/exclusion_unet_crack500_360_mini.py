# Ambiguous pixels are left out and nothing replaces them. Not in the paper.
_base_ = '../cirl_unet_crack500_360_mini.py'
model = dict(decode_head=dict(loss_ci=None))
