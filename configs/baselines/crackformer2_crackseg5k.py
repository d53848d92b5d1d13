# CrackFormer-II on CrackSeg5k, by the recipe of all rows.
# CIRL, Table 2 (Crackformer): P 66.29, R 59.19, F1 58.83.
_base_ = [
    '../_base_/models/crackformer2.py', '../_base_/recipes/cirl_crackseg5k.py'
]
