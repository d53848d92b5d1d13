# CrackFormer-II of CPU size on DeepCrack537. Not in the papers.
_base_ = [
    '../_base_/models/crackformer2_mini.py',
    '../_base_/recipes/mini_deepcrack.py'
]
# On a CPU, group normalisation is four times as slow in the other layout.
custom_hooks = []
