# CIRL, Table 3 (Robust T-Loss, on JTFN): P 65.72, R 58.14, F1 58.84.
# The loss takes the place of cross entropy on every mask: the last of full
# size, the other scales and the earlier steps. Boundaries, which are no
# masks, keep cross entropy. The paper says neither; nor the loss's values.
_base_ = '../jtfn_crackseg5k.py'
model = dict(
    decode_head=dict(
        loss_decode=dict(
            _delete_=True,
            type='mmcrack.RobustTLoss',
            log_nu=1.),
        loss_side=dict(
            side=dict(
                loss=dict(
                    _delete_=True,
                    type='mmcrack.RobustTLoss',
                    log_nu=1.),
                loss_name='loss_t'))))
# Weight decay would pull the learnt degrees of freedom to 1.
optim_wrapper = dict(
    paramwise_cfg=dict(custom_keys={'log_nu': dict(decay_mult=0.)}))
