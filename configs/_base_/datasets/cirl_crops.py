# Pipelines that CIRL's leaves put into a data set.
# CIRL 4.1, "Implementation details": crops of 256 x 256 at random, horizontal
# flips, turns by 90, 180 and 270 degrees; nothing else. The paper gives no
# probabilities: flips by half, the four directions alike.
crops_256 = [
    dict(type='mmcrack.LoadCrackImage'),
    dict(type='mmcrack.LoadCrackAnnotations'),
    dict(type='mmcrack.CrackCrop', crop_size=(256, 256), crack_prob=0.),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='mmcrack.RandomRotate90', prob=0.75),
    dict(type='PackSegInputs'),
]
# The same on smaller crops, for a CPU. Not in the papers.
crops_128 = [
    dict(type='mmcrack.LoadCrackImage'),
    dict(type='mmcrack.LoadCrackAnnotations'),
    dict(type='mmcrack.CrackCrop', crop_size=(128, 128), crack_prob=0.),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='mmcrack.RandomRotate90', prob=0.75),
    dict(type='PackSegInputs'),
]
# The same with labels outside a field of view ignored.
fov_crops_128 = [
    dict(type='mmcrack.LoadCrackImage'),
    dict(type='mmcrack.LoadCrackAnnotations'),
    dict(type='mmcrack.IgnoreOutsideFieldOfView'),
    dict(type='mmcrack.CrackCrop', crop_size=(128, 128), crack_prob=0.),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='mmcrack.RandomRotate90', prob=0.75),
    dict(type='PackSegInputs'),
]
