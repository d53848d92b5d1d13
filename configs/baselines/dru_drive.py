# DRU on DRIVE, by the recipe of all rows.
# CIRL, Table 2 (DRU, figures of JTFN's paper): P 84.36, R 80.82,
# F1 82.30.
_base_ = [
    '../_base_/models/dru.py', '../_base_/recipes/cirl_drive.py'
]
