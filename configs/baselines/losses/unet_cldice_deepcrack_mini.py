# The U-Net of CPU size with soft Dice and clDice on DeepCrack537.
# The loss of CIRL, Table 3; its values and this row are not in the papers.
_base_ = '../unet_deepcrack_mini.py'
model = dict(
    decode_head=dict(
        loss_decode=dict(
            _delete_=True,
            type='mmcrack.SoftClDiceLoss',
            alpha=0.5, iterations=10)))
