# The U-Net of CPU size with RCF's balanced cross entropy on DeepCrack537.
# The loss of CrackFormer-II's code; this row is not in the papers.
_base_ = '../unet_deepcrack_mini.py'
model = dict(
    decode_head=dict(
        loss_decode=dict(
            _delete_=True,
            type='mmcrack.BalancedBCELoss',
            neg_scale=1.1)))
