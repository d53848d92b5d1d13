# U-Net with cross entropy on CrackTree200: the twin of cirl_unet_cracktree200.
# CIRL, Table 2 (UNet, figures of JTFN's paper): P 79.16, R 78.95, F1 78.42.
_base_ = [
    '../_base_/models/unet.py', '../_base_/datasets/cracktree200.py',
    '../_base_/schedules/cirl_2000e.py', '../_base_/default_runtime.py'
]
