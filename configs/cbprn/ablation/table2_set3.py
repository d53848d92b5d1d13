# Table 2, Set 3, on the low-resolution test split. No training: test
# it with a checkpoint of cbprn_r50_lr.py.
# Paper (one figure for both): IoU 86.49, mBA 90.52, Dice 88.54.
_base_ = '../cbprn_r50_lr.py'
model = dict(
    decode_head=dict(test_sampler=dict(prob_range=(0.2, 0.8))))
