# First stage of CBPRN: 1200 public images at 256 x 256, 1000 epochs.
_base_ = [
    '../_base_/models/cbprn_r50.py', '../_base_/datasets/mixed1200.py',
    '../_base_/schedules/cbprn_1000e.py', '../_base_/default_runtime.py'
]
sync_bn = 'torch'  # statistics over all GPUs; nothing changes on one
