# All but the network of a row of CIRL's protocol on DRIVE.
_base_ = [
    '../datasets/drive.py', '../schedules/cirl_2000e.py',
    '../default_runtime.py'
]
