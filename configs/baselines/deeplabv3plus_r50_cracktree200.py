# DeepLabV3+ on CrackTree200, by the recipe of all rows.
# Not in the papers.
_base_ = [
    '../_base_/models/deeplabv3plus_r50.py',
    '../_base_/recipes/cirl_cracktree200.py'
]
