# CIRL, Table 3 (Robust Dice Loss, on JTFN): P 64.23, R 57.83, F1 59.06.
# The loss takes the place of cross entropy on every mask: the last of full
# size, the other scales and the earlier steps. Boundaries, which are no
# masks, keep cross entropy. The paper says neither; nor the loss's values.
_base_ = '../jtfn_crackseg5k.py'
model = dict(
    decode_head=dict(
        loss_decode=dict(
            _delete_=True,
            type='mmcrack.NoiseRobustDiceLoss',
            gamma=1.5),
        loss_side=dict(
            side=dict(
                loss=dict(
                    _delete_=True,
                    type='mmcrack.NoiseRobustDiceLoss',
                    gamma=1.5),
                loss_name='loss_nr_dice'))))
