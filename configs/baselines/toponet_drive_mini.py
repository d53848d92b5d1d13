# TopoNet of CPU size on DRIVE. Not in the papers.
_base_ = [
    '../_base_/models/toponet_mini.py',
    '../_base_/recipes/mini_drive.py',
]
