# U-Net with cross entropy on DeepCrack537: the twin of cirl_unet_deepcrack.
# Not in the papers.
_base_ = [
    '../_base_/models/unet.py', '../_base_/datasets/deepcrack.py',
    '../_base_/datasets/cirl_crops.py', '../_base_/schedules/cirl_2000e.py',
    '../_base_/default_runtime.py'
]
train_dataloader = dict(
    batch_size=2,  # CIRL 4.1
    dataset=dict(pipeline={{_base_.crops_256}}))
