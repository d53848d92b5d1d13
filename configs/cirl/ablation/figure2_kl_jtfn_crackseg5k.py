# Figure 2, left: the variance that the KL loss learns, on JTFN.
_base_ = '../cirl_jtfn_crackseg5k.py'
model = dict(
    decode_head=dict(
        loss_aseg=dict(_delete_=True, type='mmcrack.KLVarianceLoss')))
