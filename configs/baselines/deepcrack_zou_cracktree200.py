# DeepCrack (Zou et al.) on CrackTree200, by the recipe of all rows.
# Not in the papers.
_base_ = [
    '../_base_/models/deepcrack_zou.py',
    '../_base_/recipes/cirl_cracktree200.py'
]
