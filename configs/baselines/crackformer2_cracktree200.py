# CrackFormer-II on CrackTree200, by the recipe of all rows.
# CIRL, Table 2 (Crackformer): P 84.13, R 81.93, F1 83.42.
_base_ = [
    '../_base_/models/crackformer2.py',
    '../_base_/recipes/cirl_cracktree200.py'
]
