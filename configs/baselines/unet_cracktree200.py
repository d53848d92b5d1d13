# U-Net on CrackTree200, by the recipe of all rows.
# CIRL, Table 2 (UNet, figures of JTFN's paper): P 79.16, R 78.95,
# F1 78.42.
_base_ = [
    '../_base_/models/unet.py', '../_base_/recipes/cirl_cracktree200.py'
]
