# resunet of CPU size on DeepCrack537, with crops and optimiser in nnU-Net's
# manner. Not in the papers.
_base_ = [
    '../_base_/models/resunet_mini.py', '../_base_/recipes/mini_deepcrack.py',
    '../_base_/datasets/nnunet_crops.py', '../_base_/schedules/nnunet_sgd.py'
]
train_dataloader = dict(dataset=dict(pipeline={{_base_.nnunet_crops_128}}))
optim_wrapper = {{_base_.nnunet_optim_wrapper}}
