# DRU on Crack500, by the recipe of all rows.
# CIRL, Table 2 (DRU, figures of JTFN's paper): P 61.94, R 71.43,
# F1 62.82.
_base_ = [
    '../_base_/models/dru.py', '../_base_/recipes/cirl_crack500.py'
]
