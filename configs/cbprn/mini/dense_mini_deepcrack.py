# The same network with a plain convolutional decoder (Table 1, Set 1).
_base_ = './cbprn_mini_deepcrack.py'
model = dict(decode_head=dict(train_sampler=None))
