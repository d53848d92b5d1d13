# Table 2, Set 5, on the low-resolution test split. No training: test
# it with a checkpoint of cbprn_r50_lr.py.
# Paper (one figure for both): IoU 87.23, mBA 93.56, Dice 89.59.
_base_ = '../cbprn_r50_lr.py'
model = dict(
    decode_head=dict(test_sampler=dict(prob_range=(0.3, 0.7))))
