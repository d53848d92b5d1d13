# U-Net of CPU size on DRIVE: a row of CIRL too. Not in the papers.
_base_ = ['../cirl/unet_drive_mini.py']
