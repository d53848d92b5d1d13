# Our setting with every label kept: neither exclusion nor CI. Not in the
# paper.
_base_ = '../cirl_unet_crack500_360_mini.py'
model = dict(
    decode_head=dict(
        variance_region='margin',
        std_source='tracked',
        loss_aseg=dict(variance_offset=0.1),
        exclude_ambiguous=False,
        loss_ci=None))
