# The U-Net of CPU size with the noise-robust Dice loss on DeepCrack537.
# The loss of CIRL, Table 3; its values and this row are not in the papers.
_base_ = '../unet_deepcrack_mini.py'
model = dict(
    decode_head=dict(
        loss_decode=dict(
            _delete_=True,
            type='mmcrack.NoiseRobustDiceLoss',
            gamma=1.5)))
