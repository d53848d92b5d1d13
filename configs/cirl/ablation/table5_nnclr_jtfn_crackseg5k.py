# Table 5, NNCLR in place of CI, on JTFN as in the paper: P 65.45, R 58.91, F1
# 58.95.
_base_ = '../cirl_jtfn_crackseg5k.py'
model = dict(
    decode_head=dict(
        loss_ci=dict(_delete_=True, type='mmcrack.PixelNNCLRLoss')))
