# U-Net with cross entropy on DRIVE: the twin of cirl_unet_drive.
# CIRL, Table 2 (UNet, figures of JTFN's paper): P 82.74, R 80.59, F1 81.41.
_base_ = [
    '../_base_/models/unet.py', '../_base_/datasets/drive.py',
    '../_base_/schedules/cirl_2000e.py', '../_base_/default_runtime.py'
]
