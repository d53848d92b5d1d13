# FCN-18 as a coarse network of CBPRN's Table 3, trained "with the same
# configuration": data and schedule of cbprn/cbprn_r50_lr.py.
_base_ = [
    '../_base_/models/fcn_r18.py', '../_base_/datasets/mixed1200.py',
    '../_base_/schedules/cbprn_1000e.py', '../_base_/default_runtime.py'
]
