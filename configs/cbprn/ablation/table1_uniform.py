# Not in the paper: the point head with uniform training points. Table 1 names
# uniform sampling, but its only row with it has no point head.
_base_ = '../cbprn_r50_lr.py'
model = dict(
    decode_head=dict(
        train_sampler=dict(
            _delete_=True,
            type='mmcrack.ImportancePointSampler',
            importance_ratio=0.,
            area_divisor=20),
        test_sampler=dict(prob_range=(0.2, 0.8))))
