# TopoNet that trains on a CPU in minutes: the U-Net of unet_mini.py with the
# losses of toponet.py. Needs gudhi. Not in the papers.
_base_ = './unet_mini.py'
model = dict(
    decode_head=dict(
        loss_decode=[
            dict(type='CrossEntropyLoss', avg_non_ignore=True),
            dict(
                type='mmcrack.TopologicalLoss',
                patch_size=64,
                start=0.5,
                loss_weight=0.005),
        ]))
