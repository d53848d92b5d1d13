# The first stage's network on whole high-resolution photographs: what
# fine-tuning adds. Test it with a checkpoint of cbprn_r50_lr.py.
_base_ = '../cbprn_r50_hr.py'
first_stage = None
train_cfg = None
train_dataloader = None
optim_wrapper = None
param_scheduler = None
