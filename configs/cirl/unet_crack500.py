# U-Net with cross entropy on Crack500: the twin of cirl_unet_crack500.
# CIRL, Table 2 (UNet, figures of JTFN's paper): P 62.22, R 68.85, F1 61.83.
_base_ = [
    '../_base_/models/unet.py', '../_base_/datasets/crack500.py',
    '../_base_/datasets/cirl_crops.py', '../_base_/schedules/cirl_2000e.py',
    '../_base_/default_runtime.py'
]
train_dataloader = dict(
    batch_size=2,  # CIRL 4.1
    dataset=dict(pipeline={{_base_.crops_256}}))
