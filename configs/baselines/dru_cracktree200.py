# DRU on CrackTree200, by the recipe of all rows.
# CIRL, Table 2 (DRU, figures of JTFN's paper): P 84.80, R 77.46,
# F1 80.49.
_base_ = [
    '../_base_/models/dru.py', '../_base_/recipes/cirl_cracktree200.py'
]
