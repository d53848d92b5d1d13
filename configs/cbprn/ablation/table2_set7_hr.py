# Table 2, Set 7, on the whole high-resolution photographs. No training: test
# it with a checkpoint of cbprn_r50_hr.py.
# Paper (one figure for both): IoU 86.51, mBA 90.58, Dice 88.49.
_base_ = '../cbprn_r50_hr.py'
model = dict(
    decode_head=dict(test_sampler=dict(prob_range=(0.4, 0.6))))
