# TopoNet on DRIVE, by the recipe of all rows.
# CIRL, Table 2 (TopoNet, figures of JTFN's paper): P 82.94, R 80.29,
# F1 81.36.
_base_ = [
    '../_base_/models/toponet.py', '../_base_/recipes/cirl_drive.py'
]
