# U-Net of CPU size on DeepCrack537: a row of CIRL too. Not in the papers.
_base_ = ['../cirl/unet_deepcrack_mini.py']
