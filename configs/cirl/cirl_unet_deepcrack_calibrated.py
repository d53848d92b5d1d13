# Our setting of CIRL: docs/cirl_regimes.md says what each value does. Not in
# the paper.
_base_ = './cirl_unet_deepcrack.py'
model = dict(
    decode_head=dict(
        variance_region='margin',
        std_source='tracked',
        loss_aseg=dict(variance_offset=0.1),
        ci_warmup=0.5,
        loss_ci=dict(
            loss_weight=0.05, average_neighbors=True, detach_neighbors=True)))
