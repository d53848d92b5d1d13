# The U-Net of CPU size with Poly-1 on DeepCrack537.
# The loss of CIRL, Table 3; its values and this row are not in the papers.
_base_ = '../unet_deepcrack_mini.py'
model = dict(
    decode_head=dict(
        loss_decode=dict(
            _delete_=True,
            type='mmcrack.Poly1Loss',
            epsilon=1.)))
