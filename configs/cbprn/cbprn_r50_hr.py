# Second stage of CBPRN: crops of high-resolution photographs in training,
# whole photographs in the test. The network is that of cbprn_r50_lr.py.
_base_ = [
    '../_base_/models/cbprn_r50.py', '../_base_/datasets/crack_hr.py',
    '../_base_/schedules/cbprn_finetune.py', '../_base_/default_runtime.py'
]
data_preprocessor = dict(size=(512, 512))
model = dict(data_preprocessor=data_preprocessor)
sync_bn = 'torch'
first_stage = dict(
    checkpoint='work_dirs/cbprn_r50_lr/*.pth',
    command='python tools/train.py configs/cbprn/cbprn_r50_lr.py')
