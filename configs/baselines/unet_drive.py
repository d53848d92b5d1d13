# U-Net on DRIVE, by the recipe of all rows.
# CIRL, Table 2 (UNet, figures of JTFN's paper): P 82.74, R 80.59,
# F1 81.41.
_base_ = [
    '../_base_/models/unet.py', '../_base_/recipes/cirl_drive.py'
]
