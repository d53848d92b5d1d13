# PointRend that refines the mask of FCN-18: CBPRN, Table 3.
_base_ = ['./fcn_r18.py', './pointrend_refinement.py']
model = dict(
    _delete_=True,
    type='mmcrack.CoarseToFineSegmentor',
    coarse={{_base_.model}},
    coarse_checkpoint='work_dirs/coarse_fcn_r18_lr/*.pth',
    coarse_long_edge=900,  # "scaled down to have a long edge of 900 pixels"
    coarse_train_scale='photograph',  # not in the papers
    data_preprocessor={{_base_.refinement.data_preprocessor}},
    backbone={{_base_.refinement.backbone}},
    decode_head={{_base_.refinement.decode_head}},
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
