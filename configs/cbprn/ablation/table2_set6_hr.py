# Table 2, Set 6, on the whole high-resolution photographs. No training: test
# it with a checkpoint of cbprn_r50_hr.py.
# Paper (one figure for both): IoU 86.61, mBA 90.98, Dice 88.91.
_base_ = '../cbprn_r50_hr.py'
model = dict(
    decode_head=dict(test_sampler=dict(prob_range=(0.3, 0.8))))
