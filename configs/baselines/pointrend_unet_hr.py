# CBPRN, Table 3: PointRend on the coarse mask of UNet.
# Paper (mIoU / mBA / Dice): coarse 79.47 / 80.09 / 82.46, refined
# 83.30 / 87.11 / 85.24, 5.77 images per second.
_base_ = [
    '../_base_/models/pointrend_on_unet.py',
    '../_base_/datasets/crack_hr.py', '../_base_/schedules/cbprn_finetune.py',
    '../_base_/default_runtime.py'
]
model = dict(data_preprocessor=dict(size=(512, 512)))
val_evaluator = {{_base_.before_and_after}}
test_evaluator = {{_base_.before_and_after}}
tta_model = dict(type='mmcrack.CoarseToFineTTAModel')
sync_bn = 'torch'
first_stage = dict(
    checkpoint='work_dirs/pointrend_unet_lr/*.pth',
    command='python tools/train.py '
    'configs/baselines/pointrend_unet_lr.py')
