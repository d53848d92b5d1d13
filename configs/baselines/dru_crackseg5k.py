# DRU on CrackSeg5k, by the recipe of all rows.
# CIRL, Table 2 (DRU): P 63.27, R 58.28, F1 58.15.
_base_ = [
    '../_base_/models/dru.py', '../_base_/recipes/cirl_crackseg5k.py'
]
