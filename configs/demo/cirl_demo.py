# CIRL in our setting around the U-Net of CPU size, on the photographs that
# `make demo` generates. Not in the papers.
_base_ = [
    '../_base_/models/unet_mini.py', '../_base_/datasets/synthetic_small.py',
    '../_base_/schedules/cirl_mini.py', '../_base_/default_runtime.py'
]
data_root = 'data/demo'
model = dict(
    decode_head=dict(
        _delete_=True,
        type='mmcrack.CIRLHead',
        seg_head={{_base_.model.decode_head}},
        variance_region='margin',
        std_source='tracked',
        loss_aseg=dict(type='mmcrack.AsegLoss', variance_offset=0.1),
        ci_warmup=0.5,
        loss_ci=dict(
            type='mmcrack.CILoss', loss_weight=0.05,
            average_neighbors=True, detach_neighbors=True)))
data_preprocessor = dict(size=(192, 192))
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
default_hooks = dict(
    logger=dict(log_metric_by_epoch=False),
    checkpoint=dict(by_epoch=False, interval=400))
log_processor = dict(
    by_epoch=False, mean_pattern='.*(loss|time|grad_norm|ambiguous).*')
custom_hooks = [
    dict(type='mmcrack.ChannelsLastHook'),
    dict(type='mmcrack.TwoPhaseHook', switch_at=800, by_epoch=False)
]
