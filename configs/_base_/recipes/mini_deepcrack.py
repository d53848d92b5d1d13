# All but the network of a CPU-sized row on DeepCrack537: that of
# cirl/unet_deepcrack_mini.py. Not in the papers.
_base_ = [
    '../datasets/deepcrack.py', '../datasets/cirl_crops.py',
    '../schedules/cirl_mini.py', '../default_runtime.py'
]
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(pipeline={{_base_.crops_128}}))
val_dataloader = dict(num_workers=0, persistent_workers=False)
test_dataloader = dict(num_workers=0, persistent_workers=False)
default_hooks = dict(
    logger=dict(log_metric_by_epoch=False),
    checkpoint=dict(by_epoch=False, interval=800))
log_processor = dict(
    by_epoch=False, mean_pattern='.*(loss|time|grad_norm|ambiguous).*')
custom_hooks = [dict(type='mmcrack.ChannelsLastHook')]
