# The U-Net of CPU size with the robust T-Loss on DeepCrack537.
# The loss of CIRL, Table 3; its values and this row are not in the papers.
_base_ = '../unet_deepcrack_mini.py'
model = dict(
    decode_head=dict(
        loss_decode=dict(
            _delete_=True, type='mmcrack.RobustTLoss')))
# The degrees of freedom are a parameter: decay would pull them to 1.
optim_wrapper = dict(
    paramwise_cfg=dict(custom_keys=dict(log_nu=dict(decay_mult=0.))))
