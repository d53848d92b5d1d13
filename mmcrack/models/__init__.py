"""Registered networks of mmcrack."""

from mmcrack.models.backbones import EdgeGuidedBackbone
from mmcrack.models.decode_heads import CBPRNHead, CIRLHead, PointRendHead
from mmcrack.models.losses import (
    AsegLoss,
    CILoss,
    KLVarianceLoss,
    PixelNNCLRLoss,
)
from mmcrack.models.segmentors import CoarseToFineSegmentor

__all__ = [
    'AsegLoss', 'CBPRNHead', 'CILoss', 'CIRLHead', 'CoarseToFineSegmentor',
    'EdgeGuidedBackbone', 'KLVarianceLoss', 'PixelNNCLRLoss', 'PointRendHead'
]
