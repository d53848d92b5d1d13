# TopoNet on Crack500, by the recipe of all rows.
# CIRL, Table 2 (TopoNet, figures of JTFN's paper): P 66.81, R 62.68,
# F1 60.06.
_base_ = [
    '../_base_/models/toponet.py', '../_base_/recipes/cirl_crack500.py'
]
