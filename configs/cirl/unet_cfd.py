# U-Net with cross entropy on CFD: the twin of cirl_unet_cfd.
# Not in the papers.
_base_ = [
    '../_base_/models/unet.py', '../_base_/datasets/cfd.py',
    '../_base_/datasets/cirl_crops.py', '../_base_/schedules/cirl_2000e.py',
    '../_base_/default_runtime.py'
]
train_dataloader = dict(
    batch_size=2,  # CIRL 4.1
    dataset=dict(pipeline={{_base_.crops_256}}))
