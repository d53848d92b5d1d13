# DeepCrack (Zou et al.) of CPU size on DRIVE. Not in the papers.
_base_ = [
    '../_base_/models/deepcrack_zou_mini.py',
    '../_base_/recipes/mini_drive.py'
]
