# DeepCrack (Zou et al.) of CPU size on DeepCrack537. Not in the papers.
_base_ = [
    '../_base_/models/deepcrack_zou_mini.py',
    '../_base_/recipes/mini_deepcrack.py'
]
