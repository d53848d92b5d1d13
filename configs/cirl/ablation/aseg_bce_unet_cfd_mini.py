# Aseg, then BCE on every label: neither exclusion nor CI. Not in the paper.
_base_ = '../cirl_unet_cfd_mini.py'
model = dict(decode_head=dict(exclude_ambiguous=False, loss_ci=None))
