# CBPRN, Table 3: PointRend on the coarse mask of RefineNet.
# Paper (mIoU / mBA / Dice): coarse 81.28 / 82.31 / 83.73, refined
# 83.38 / 87.29 / 85.33, 3.49 images per second.
_base_ = [
    '../_base_/models/pointrend_on_refinenet.py',
    '../_base_/datasets/crack_hr.py', '../_base_/schedules/cbprn_finetune.py',
    '../_base_/default_runtime.py'
]
model = dict(data_preprocessor=dict(size=(512, 512)))
val_evaluator = {{_base_.before_and_after}}
test_evaluator = {{_base_.before_and_after}}
tta_model = dict(type='mmcrack.CoarseToFineTTAModel')
sync_bn = 'torch'
first_stage = dict(
    checkpoint='work_dirs/pointrend_refinenet_lr/*.pth',
    command='python tools/train.py '
    'configs/baselines/pointrend_refinenet_lr.py')
