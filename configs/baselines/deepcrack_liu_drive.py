# DeepCrack (Liu et al.) on DRIVE, by the recipe of all rows.
# Not in the papers.
_base_ = [
    '../_base_/models/deepcrack_liu.py', '../_base_/recipes/cirl_drive.py'
]
