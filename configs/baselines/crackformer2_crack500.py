# CrackFormer-II on Crack500, by the recipe of all rows.
# CIRL, Table 2 (Crackformer): P 69.13, R 66.24, F1 64.75.
_base_ = [
    '../_base_/models/crackformer2.py', '../_base_/recipes/cirl_crack500.py'
]
