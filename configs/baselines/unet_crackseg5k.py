# U-Net on CrackSeg5k, by the recipe of all rows.
# CIRL, Table 2 (UNet): P 61.49, R 57.19, F1 56.28.
_base_ = [
    '../_base_/models/unet.py', '../_base_/recipes/cirl_crackseg5k.py'
]
