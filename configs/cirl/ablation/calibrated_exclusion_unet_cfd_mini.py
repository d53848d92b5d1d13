# Our setting without CI. Not in the paper.
_base_ = '../cirl_unet_cfd_mini.py'
model = dict(
    decode_head=dict(
        variance_region='margin',
        std_source='tracked',
        loss_aseg=dict(variance_offset=0.1),
        loss_ci=None))
