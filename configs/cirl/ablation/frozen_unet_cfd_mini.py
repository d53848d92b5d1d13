# Phase II takes the variance of the network at the switch. Not in the paper.
_base_ = '../cirl_unet_cfd_mini.py'
model = dict(decode_head=dict(std_source='frozen'))
