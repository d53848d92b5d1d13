# PointRend of CPU size on the mask of RefineNet, which
# refinenet_deepcrack_mini.py trains, on DeepCrack537. Not in the papers.
_base_ = [
    '../_base_/models/refinenet_mini.py',
    '../_base_/models/pointrend_refinement_mini.py',
    '../_base_/recipes/mini_deepcrack.py'
]
model = dict(
    _delete_=True,
    type='mmcrack.CoarseToFineSegmentor',
    coarse={{_base_.model}},
    coarse_checkpoint='work_dirs/refinenet_deepcrack_mini/*.pth',
    coarse_long_edge=272,  # half of an image; 900 is half of 1800
    data_preprocessor={{_base_.refinement.data_preprocessor}},
    backbone={{_base_.refinement.backbone}},
    decode_head={{_base_.refinement.decode_head}},
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
val_evaluator = {{_base_.before_and_after}}
test_evaluator = {{_base_.before_and_after}}
tta_model = dict(type='mmcrack.CoarseToFineTTAModel')
