# Table 2, Set 9, on the low-resolution test split. No training: test
# it with a checkpoint of cbprn_r50_lr.py.
# Paper (one figure for both): IoU 85.89, mBA 89.76, Dice 87.87.
_base_ = '../cbprn_r50_lr.py'
model = dict(
    decode_head=dict(test_sampler=dict(prob_range=(0.4, 0.8))))
