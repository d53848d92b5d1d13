# VGG-UNet on CrackSeg5k, by the recipe of all rows.
# CIRL, Table 2 (VGG-UNet): P 63.21, R 56.83, F1 55.92.
_base_ = [
    '../_base_/models/vgg_unet.py', '../_base_/recipes/cirl_crackseg5k.py'
]
