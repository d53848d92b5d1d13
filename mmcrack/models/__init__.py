"""Registered networks of mmcrack."""

from mmcrack.models.backbones import EdgeGuidedBackbone
from mmcrack.models.decode_heads import CBPRNHead, CIRLHead, PointRendHead
from mmcrack.models.losses import (
    AsegLoss,
    CILoss,
    KLVarianceLoss,
    PixelNNCLRLoss,
)

__all__ = [
    'AsegLoss', 'CBPRNHead', 'CILoss', 'CIRLHead', 'EdgeGuidedBackbone',
    'KLVarianceLoss', 'PixelNNCLRLoss', 'PointRendHead'
]
