# Pipelines in nnU-Net's manner, which the leaves of resunet put into a data
# set. Sizes and probabilities are nnU-Net v2's (Isensee et al. 2021,
# supplement; nnUNetTrainer) where a comment does not say otherwise.
# Zooms by 0.7 to 1.4, here in five steps.
nnunet_scaling = dict(
    type='RandomApply',
    prob=0.2,
    transforms=[
        dict(
            type='RandomChoice',
            transforms=[
                [dict(type='mmcrack.CrackResize', scale_factor=0.7)],
                [dict(type='mmcrack.CrackResize', scale_factor=0.85)],
                [dict(type='mmcrack.CrackResize', scale_factor=1.2)],
                [dict(type='mmcrack.CrackResize', scale_factor=1.4)],
            ]),
    ])
nnunet_look = [
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='RandomFlip', prob=0.5, direction='vertical'),
    # nnU-Net turns by any angle; quarter turns keep thin cracks as they are.
    dict(type='mmcrack.RandomRotate90', prob=0.75),
    dict(type='mmcrack.RandomGaussianNoise', prob=0.1, std=(0., 18.)),
    dict(type='mmcrack.RandomGaussianBlur', prob=0.2, sigma=(0.5, 1.)),
    # Brightness and contrast, and for photographs saturation and hue too,
    # each for half of the crops: not nnU-Net's numbers.
    dict(
        type='PhotoMetricDistortion',
        brightness_delta=32,
        contrast_range=(0.75, 1.25),
        saturation_range=(0.75, 1.25),
        hue_delta=9),
    # Powers 0.7 to 1.5 of the brightness (this transform takes the inverse).
    dict(
        type='RandomApply',
        prob=0.3,
        transforms=[
            dict(
                type='RandomChoice',
                transforms=[
                    [dict(type='AdjustGamma', gamma=0.67)],
                    [dict(type='AdjustGamma', gamma=0.83)],
                    [dict(type='AdjustGamma', gamma=1.18)],
                    [dict(type='AdjustGamma', gamma=1.43)],
                ]),
        ]),
]
# A third of the crops on a crack.
nnunet_crops_256 = [
    dict(type='mmcrack.LoadCrackImage'),
    dict(type='mmcrack.LoadCrackAnnotations'),
    nnunet_scaling,
    dict(type='mmcrack.CrackCrop', crop_size=(256, 256), crack_prob=0.33),
    *nnunet_look,
    dict(type='PackSegInputs'),
]
nnunet_crops_128 = [
    dict(type='mmcrack.LoadCrackImage'),
    dict(type='mmcrack.LoadCrackAnnotations'),
    nnunet_scaling,
    dict(type='mmcrack.CrackCrop', crop_size=(128, 128), crack_prob=0.33),
    *nnunet_look,
    dict(type='PackSegInputs'),
]
# The same with labels outside a field of view ignored.
nnunet_fov_crops_256 = [
    dict(type='mmcrack.LoadCrackImage'),
    dict(type='mmcrack.LoadCrackAnnotations'),
    dict(type='mmcrack.IgnoreOutsideFieldOfView'),
    nnunet_scaling,
    dict(type='mmcrack.CrackCrop', crop_size=(256, 256), crack_prob=0.33),
    *nnunet_look,
    dict(type='PackSegInputs'),
]
nnunet_fov_crops_128 = [
    dict(type='mmcrack.LoadCrackImage'),
    dict(type='mmcrack.LoadCrackAnnotations'),
    dict(type='mmcrack.IgnoreOutsideFieldOfView'),
    nnunet_scaling,
    dict(type='mmcrack.CrackCrop', crop_size=(128, 128), crack_prob=0.33),
    *nnunet_look,
    dict(type='PackSegInputs'),
]
