# First stage of pointrend_deeplabv3plus_r50_hr.py: data and schedule of
# cbprn/cbprn_r50_lr.py. coarse_deeplabv3plus_r50_lr.py trains the coarse
# network.
_base_ = [
    '../_base_/models/pointrend_on_deeplabv3plus_r50.py',
    '../_base_/datasets/mixed1200.py', '../_base_/schedules/cbprn_1000e.py',
    '../_base_/default_runtime.py'
]
val_evaluator = {{_base_.before_and_after}}
test_evaluator = {{_base_.before_and_after}}
tta_model = dict(type='mmcrack.CoarseToFineTTAModel')
sync_bn = 'torch'
