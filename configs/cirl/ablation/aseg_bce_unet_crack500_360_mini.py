# Aseg, then BCE on every label: neither exclusion nor CI. Not in the paper.
_base_ = '../cirl_unet_crack500_360_mini.py'
model = dict(decode_head=dict(exclude_ambiguous=False, loss_ci=None))
