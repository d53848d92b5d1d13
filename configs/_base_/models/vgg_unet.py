# VGG-UNet: a U-Net with the topology loss and the refinement passes of
# Mosinska et al. (CVPR 2018), a row of CIRL's tables. The U-Net is that of
# unet.py with one input channel more: not in the papers.
#
# weights=None draws VGG19's weights, which runs everywhere but is not the
# paper's loss. With a file of torchvision's VGG19:
#   --cfg-options model.decode_head.loss_decode.1.weights=FILE
#     model.decode_head.loss_side.side.loss.1.weights=FILE
norm_cfg = dict(type='SyncBN', requires_grad=True)
data_preprocessor = dict(
    type='SegDataPreProcessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
    size=(256, 256))
model = dict(
    type='EncoderDecoder',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='mmcrack.IterativeBackbone',
        steps=3,  # the paper's K
        feature_channels=64,
        feature_index=-1,
        out_channels=2,
        backbone=dict(
            type='UNet',
            in_channels=4,  # the image and the crack probability
            base_channels=64,
            num_stages=5,
            strides=(1, 1, 1, 1, 1),
            enc_num_convs=(2, 2, 2, 2, 2),
            dec_num_convs=(2, 2, 2, 2),
            downsamples=(True, True, True, True),
            enc_dilations=(1, 1, 1, 1, 1),
            dec_dilations=(1, 1, 1, 1),
            norm_cfg=norm_cfg)),
    decode_head=dict(
        type='mmcrack.StepsHead',
        in_channels=64,
        num_classes=2,
        out_channels=2,
        # Pass k counts k / (1 + 2 + 3): section 3.2. Each pass is trained by
        # cross entropy and mu = 0.1 times the distance in VGG19: Eq. 3.
        loss_decode=[
            dict(
                type='CrossEntropyLoss',
                avg_non_ignore=True,
                loss_weight=1 / 2),
            dict(
                type='mmcrack.VGGTopologyLoss',
                weights=None,
                loss_weight=0.1 / 2),
        ],
        loss_side=dict(
            side=dict(
                type='mmcrack.DeepSupervisionLoss',
                weights=(1 / 6, 2 / 6),
                loss=[
                    dict(type='CrossEntropyLoss', avg_non_ignore=True),
                    dict(
                        type='mmcrack.VGGTopologyLoss',
                        weights=None,
                        loss_weight=0.1),
                ]))),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
