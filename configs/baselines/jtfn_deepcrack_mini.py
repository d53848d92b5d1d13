# JTFN of CPU size on DeepCrack537: the twin of cirl_jtfn_deepcrack_mini.
# Not in the papers.
_base_ = [
    '../_base_/models/jtfn_mini.py', '../_base_/recipes/mini_deepcrack.py'
]
