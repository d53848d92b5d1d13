# TopoNet on CrackSeg5k, by the recipe of all rows.
# CIRL, Table 2 (TopoNet): P 61.39, R 56.25, F1 57.72.
_base_ = [
    '../_base_/models/toponet.py', '../_base_/recipes/cirl_crackseg5k.py'
]
