# TopoNet (Hu et al., NeurIPS 2019), a row of CIRL's tables: the U-Net of
# unet.py with a topological loss beside cross entropy, as the row is
# described; the networks of Hu et al. are others. Needs gudhi.
_base_ = './unet.py'
model = dict(
    decode_head=dict(
        loss_decode=[
            dict(type='CrossEntropyLoss', avg_non_ignore=True),
            dict(
                type='mmcrack.TopologicalLoss',
                # Squares of 65 in the code of Hu et al.; they pretrain with
                # cross entropy. How long: not in the papers.
                patch_size=64,
                start=0.5,
                loss_weight=0.005),  # lambda: 0.005 to 0.01
        ]))
