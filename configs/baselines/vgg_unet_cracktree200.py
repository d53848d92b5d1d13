# VGG-UNet on CrackTree200, by the recipe of all rows.
# CIRL, Table 2 (VGG-UNet, figures of JTFN's paper): P 83.49, R 80.43,
# F1 81.84.
_base_ = [
    '../_base_/models/vgg_unet.py', '../_base_/recipes/cirl_cracktree200.py'
]
