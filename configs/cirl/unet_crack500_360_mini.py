# The U-Net of CPU size with cross entropy on crops of 360 x 360 of
# Crack500: the twin of cirl_unet_crack500_360_mini. Not in the papers.
_base_ = [
    '../_base_/models/unet_mini.py', '../_base_/datasets/crack500.py',
    '../_base_/datasets/cirl_crops.py', '../_base_/schedules/cirl_mini.py',
    '../_base_/default_runtime.py'
]
data_root = '{{$MMCRACK_DATA:data}}/crack500_360'
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(data_root=data_root, pipeline={{_base_.crops_128}}))
val_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(data_root=data_root))
test_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(data_root=data_root))
default_hooks = dict(
    logger=dict(log_metric_by_epoch=False),
    checkpoint=dict(by_epoch=False, interval=800))
log_processor = dict(
    by_epoch=False, mean_pattern='.*(loss|time|grad_norm|ambiguous).*')
custom_hooks = [dict(type='mmcrack.ChannelsLastHook')]
