# Table 2, Set 2, on the low-resolution test split. No training: test
# it with a checkpoint of cbprn_r50_lr.py.
# Paper (one figure for both): IoU 86.98, mBA 92.47, Dice 89.12.
_base_ = '../cbprn_r50_lr.py'
model = dict(
    decode_head=dict(test_sampler=dict(prob_range=(0.2, 0.7))))
