# CIRL, Table 3 (Focal Loss, on JTFN): P 65.71, R 58.94, F1 58.85.
# The loss takes the place of cross entropy on every mask: the last of full
# size, the other scales and the earlier steps. Boundaries, which are no
# masks, keep cross entropy. The paper says neither; nor the loss's values.
_base_ = '../jtfn_crackseg5k.py'
model = dict(
    decode_head=dict(
        loss_decode=dict(
            _delete_=True,
            type='mmcrack.BinaryFocalLoss',
            gamma=2., alpha=0.25),
        loss_side=dict(
            side=dict(
                loss=dict(
                    _delete_=True,
                    type='mmcrack.BinaryFocalLoss',
                    gamma=2., alpha=0.25),
                loss_name='loss_focal'))))
