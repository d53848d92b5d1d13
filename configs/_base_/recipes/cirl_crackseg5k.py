# All but the network of a row of CIRL's protocol on CrackSeg5k.
_base_ = [
    '../datasets/crackseg5k.py', '../schedules/cirl_2000e.py',
    '../default_runtime.py'
]
