# The U-Net of CPU size with cross entropy on DeepCrack537: the baseline of
# CIRL, Table 3. This row is not in the papers.
_base_ = '../unet_deepcrack_mini.py'
