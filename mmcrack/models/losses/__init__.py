"""Registered losses: shells over ``mmcrack.functional``."""

from mmcrack.models.losses.balanced_bce_loss import BalancedBCELoss
from mmcrack.models.losses.binary_focal_loss import BinaryFocalLoss
from mmcrack.models.losses.ci_loss import CILoss
from mmcrack.models.losses.deep_supervision_loss import DeepSupervisionLoss
from mmcrack.models.losses.noise_robust_dice_loss import NoiseRobustDiceLoss
from mmcrack.models.losses.pixel_nnclr_loss import PixelNNCLRLoss
from mmcrack.models.losses.poly1_loss import Poly1Loss
from mmcrack.models.losses.robust_t_loss import RobustTLoss
from mmcrack.models.losses.soft_cldice_loss import SoftClDiceLoss
from mmcrack.models.losses.topological_loss import TopologicalLoss
from mmcrack.models.losses.variance_loss import AsegLoss, KLVarianceLoss
from mmcrack.models.losses.vgg_topology_loss import VGGTopologyLoss

__all__ = [
    'AsegLoss', 'BalancedBCELoss', 'BinaryFocalLoss', 'CILoss',
    'DeepSupervisionLoss', 'KLVarianceLoss', 'NoiseRobustDiceLoss',
    'PixelNNCLRLoss', 'Poly1Loss', 'RobustTLoss', 'SoftClDiceLoss',
    'TopologicalLoss', 'VGGTopologyLoss'
]
