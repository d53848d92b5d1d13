# KL variance in place of Aseg (Figure 2).
_base_ = '../cirl_unet_deepcrack_mini.py'
model = dict(
    decode_head=dict(
        loss_aseg=dict(_delete_=True, type='mmcrack.KLVarianceLoss')))
