# CBPRN, Table 3: PointRend on the coarse mask of PSPNet.
# Paper (mIoU / mBA / Dice): coarse 80.65 / 81.79 / 82.88, refined
# 83.37 / 87.26 / 85.31, 4.21 images per second.
_base_ = [
    '../_base_/models/pointrend_on_pspnet_r50.py',
    '../_base_/datasets/crack_hr.py', '../_base_/schedules/cbprn_finetune.py',
    '../_base_/default_runtime.py'
]
model = dict(data_preprocessor=dict(size=(512, 512)))
val_evaluator = {{_base_.before_and_after}}
test_evaluator = {{_base_.before_and_after}}
tta_model = dict(type='mmcrack.CoarseToFineTTAModel')
sync_bn = 'torch'
first_stage = dict(
    checkpoint='work_dirs/pointrend_pspnet_r50_lr/*.pth',
    command='python tools/train.py '
    'configs/baselines/pointrend_pspnet_r50_lr.py')
