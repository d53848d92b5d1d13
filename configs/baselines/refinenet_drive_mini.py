# RefineNet of CPU size on DRIVE. Not in the papers.
_base_ = [
    '../_base_/models/refinenet_mini.py',
    '../_base_/recipes/mini_drive.py'
]
