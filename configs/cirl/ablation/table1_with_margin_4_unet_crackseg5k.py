# Table 1, sub-set 4: BCE with the margin, on U-Net (the paper: CrackFormer).
_base_ = '../unet_crackseg5k.py'
train_dataloader = dict(dataset=dict(part=(4, 4)))
