# Table 2, Set 9, on the whole high-resolution photographs. No training: test
# it with a checkpoint of cbprn_r50_hr.py.
# Paper (one figure for both): IoU 85.89, mBA 89.76, Dice 87.87.
_base_ = '../cbprn_r50_hr.py'
model = dict(
    decode_head=dict(test_sampler=dict(prob_range=(0.4, 0.8))))
