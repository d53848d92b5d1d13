# VGG-UNet on Crack500, by the recipe of all rows.
# CIRL, Table 2 (VGG-UNet, figures of JTFN's paper): P 58.18, R 60.26,
# F1 51.79.
_base_ = [
    '../_base_/models/vgg_unet.py', '../_base_/recipes/cirl_crack500.py'
]
