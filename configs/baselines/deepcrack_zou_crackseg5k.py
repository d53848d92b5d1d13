# DeepCrack (Zou et al.) on CrackSeg5k, by the recipe of all rows.
# Not in the papers.
_base_ = [
    '../_base_/models/deepcrack_zou.py', '../_base_/recipes/cirl_crackseg5k.py'
]
