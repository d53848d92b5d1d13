# TopoNet on CrackTree200, by the recipe of all rows.
# CIRL, Table 2 (TopoNet, figures of JTFN's paper): P 81.85, R 77.80,
# F1 79.03.
_base_ = [
    '../_base_/models/toponet.py', '../_base_/recipes/cirl_cracktree200.py'
]
