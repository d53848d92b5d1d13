# All but the network of a row of CIRL's protocol on CrackTree200.
_base_ = [
    '../datasets/cracktree200.py', '../schedules/cirl_2000e.py',
    '../default_runtime.py'
]
