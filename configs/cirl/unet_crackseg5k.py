# U-Net with cross entropy on CrackSeg5k: the twin of cirl_unet_crackseg5k.
# CIRL, Table 2 (UNet): P 61.49, R 57.19, F1 56.28.
_base_ = [
    '../_base_/models/unet.py', '../_base_/datasets/crackseg5k.py',
    '../_base_/schedules/cirl_2000e.py', '../_base_/default_runtime.py'
]
