"""Registered losses: shells over ``mmcrack.functional``."""

from mmcrack.models.losses.ci_loss import CILoss
from mmcrack.models.losses.deep_supervision_loss import DeepSupervisionLoss
from mmcrack.models.losses.pixel_nnclr_loss import PixelNNCLRLoss
from mmcrack.models.losses.variance_loss import AsegLoss, KLVarianceLoss
from mmcrack.models.losses.vgg_topology_loss import VGGTopologyLoss

__all__ = [
    'AsegLoss', 'CILoss', 'DeepSupervisionLoss', 'KLVarianceLoss',
    'PixelNNCLRLoss', 'VGGTopologyLoss'
]
