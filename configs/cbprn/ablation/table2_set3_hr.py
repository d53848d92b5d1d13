# Table 2, Set 3, on the whole high-resolution photographs. No training: test
# it with a checkpoint of cbprn_r50_hr.py.
# Paper (one figure for both): IoU 86.49, mBA 90.52, Dice 88.54.
_base_ = '../cbprn_r50_hr.py'
model = dict(
    decode_head=dict(test_sampler=dict(prob_range=(0.2, 0.8))))
