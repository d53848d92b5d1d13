# Table 2, Set 8, on the low-resolution test split. No training: test
# it with a checkpoint of cbprn_r50_lr.py.
# Paper (one figure for both): IoU 86.89, mBA 92.12, Dice 88.99.
_base_ = '../cbprn_r50_lr.py'
model = dict(
    decode_head=dict(test_sampler=dict(prob_range=(0.4, 0.7))))
