# VGG-UNet on DRIVE, by the recipe of all rows.
# CIRL, Table 2 (VGG-UNet, figures of JTFN's paper): P 81.17, R 82.05,
# F1 81.25.
_base_ = [
    '../_base_/models/vgg_unet.py', '../_base_/recipes/cirl_drive.py'
]
