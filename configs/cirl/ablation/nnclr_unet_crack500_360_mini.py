# NNCLR in place of CI (Table 5).
_base_ = '../cirl_unet_crack500_360_mini.py'
model = dict(
    decode_head=dict(
        loss_ci=dict(_delete_=True, type='mmcrack.PixelNNCLRLoss')))
