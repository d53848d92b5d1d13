"""Registered networks of mmcrack."""

from mmcrack.models.backbones import (
    DRU,
    CrackFormer,
    EdgeGuidedBackbone,
    IterativeBackbone,
    JTFNEncoder,
    ResUNet,
    SegNet,
)
from mmcrack.models.decode_heads import (
    CBPRNHead,
    CIRLHead,
    CrackFormerHead,
    DeepCrackHead,
    DeepSupervisionHead,
    HEDHead,
    JTFNHead,
    PointRefinementHead,
    PointRendHead,
    RefineNetHead,
    StepsHead,
)
from mmcrack.models.losses import (
    AsegLoss,
    BalancedBCELoss,
    BinaryFocalLoss,
    CILoss,
    DeepSupervisionLoss,
    KLVarianceLoss,
    NoiseRobustDiceLoss,
    PixelNNCLRLoss,
    Poly1Loss,
    RobustTLoss,
    SoftClDiceLoss,
    TopologicalLoss,
    VGGTopologyLoss,
)
from mmcrack.models.segmentors import (
    CoarseToFineSegmentor,
    CoarseToFineTTAModel,
    TiledSegmentor,
)

__all__ = [
    'AsegLoss', 'BalancedBCELoss', 'BinaryFocalLoss', 'CBPRNHead', 'CILoss',
    'CIRLHead', 'CoarseToFineSegmentor', 'CoarseToFineTTAModel', 'CrackFormer',
    'CrackFormerHead', 'DRU', 'DeepCrackHead', 'DeepSupervisionHead',
    'DeepSupervisionLoss', 'EdgeGuidedBackbone', 'HEDHead',
    'IterativeBackbone', 'JTFNEncoder', 'JTFNHead', 'KLVarianceLoss',
    'NoiseRobustDiceLoss', 'PixelNNCLRLoss', 'PointRefinementHead',
    'PointRendHead', 'Poly1Loss', 'RefineNetHead', 'ResUNet', 'RobustTLoss',
    'SegNet', 'SoftClDiceLoss', 'StepsHead', 'TiledSegmentor',
    'TopologicalLoss', 'VGGTopologyLoss'
]
