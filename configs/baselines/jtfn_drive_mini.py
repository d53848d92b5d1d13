# JTFN of CPU size on DRIVE: the twin of cirl_jtfn_drive_mini.
# Not in the papers.
_base_ = [
    '../_base_/models/jtfn_mini.py', '../_base_/recipes/mini_drive.py'
]
