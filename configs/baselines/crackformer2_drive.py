# CrackFormer-II on DRIVE, by the recipe of all rows.
# CIRL, Table 2 (Crackformer): P 83.05, R 81.19, F1 83.25.
_base_ = [
    '../_base_/models/crackformer2.py', '../_base_/recipes/cirl_drive.py'
]
