# CIRL, Table 3 (clDice Loss, on JTFN): P 64.31, R 58.49, F1 59.32.
# The loss takes the place of cross entropy on every mask: the last of full
# size, the other scales and the earlier steps. Boundaries, which are no
# masks, keep cross entropy. The paper says neither; nor the loss's values.
_base_ = '../jtfn_crackseg5k.py'
model = dict(
    decode_head=dict(
        loss_decode=dict(
            _delete_=True,
            type='mmcrack.SoftClDiceLoss',
            alpha=0.5, iterations=10),
        loss_side=dict(
            side=dict(
                loss=dict(
                    _delete_=True,
                    type='mmcrack.SoftClDiceLoss',
                    alpha=0.5, iterations=10),
                loss_name='loss_cldice'))))
