# Residual U-Net on DeepCrack537, with crops and optimiser in nnU-Net's manner.
# Not in the papers.
_base_ = [
    '../_base_/models/resunet.py', '../_base_/recipes/cirl_deepcrack.py',
    '../_base_/datasets/nnunet_crops.py', '../_base_/schedules/nnunet_sgd.py'
]
train_dataloader = dict(dataset=dict(pipeline={{_base_.nnunet_crops_256}}))
optim_wrapper = {{_base_.nnunet_optim_wrapper}}
param_scheduler = {{_base_.nnunet_param_scheduler}}
