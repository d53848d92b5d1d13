# Table 1, sub-set 3: BCE with the margin, on CrackFormer-II (the paper names
# CrackFormer, whose code is not public).
_base_ = [
    '../../_base_/models/crackformer2.py',
    '../../_base_/recipes/cirl_crackseg5k.py'
]
train_dataloader = dict(dataset=dict(part=(3, 4)))
# Nothing is masked here; the twin without the margin, which inherits this,
# takes it from the side outputs too.
model = dict(decode_head=dict(mask_sides=True))
