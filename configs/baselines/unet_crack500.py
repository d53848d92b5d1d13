# U-Net on Crack500, by the recipe of all rows.
# CIRL, Table 2 (UNet, figures of JTFN's paper): P 62.22, R 68.85,
# F1 61.83.
_base_ = [
    '../_base_/models/unet.py', '../_base_/recipes/cirl_crack500.py'
]
