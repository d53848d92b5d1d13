# CBPRN, Table 3: PointRend on the coarse mask of FCN-18.
# Paper (mIoU / mBA / Dice): coarse 78.36 / 79.25 / 81.37, refined
# 83.21 / 86.98 / 85.21, 7.83 images per second.
_base_ = [
    '../_base_/models/pointrend_on_fcn_r18.py',
    '../_base_/datasets/crack_hr.py', '../_base_/schedules/cbprn_finetune.py',
    '../_base_/default_runtime.py'
]
model = dict(data_preprocessor=dict(size=(512, 512)))
val_evaluator = {{_base_.before_and_after}}
test_evaluator = {{_base_.before_and_after}}
tta_model = dict(type='mmcrack.CoarseToFineTTAModel')
sync_bn = 'torch'
first_stage = dict(
    checkpoint='work_dirs/pointrend_fcn_r18_lr/*.pth',
    command='python tools/train.py '
    'configs/baselines/pointrend_fcn_r18_lr.py')
