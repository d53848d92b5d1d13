# DeepCrack (Liu et al.) of CPU size on DRIVE. Not in the papers.
_base_ = [
    '../_base_/models/deepcrack_liu_mini.py',
    '../_base_/recipes/mini_drive.py'
]
