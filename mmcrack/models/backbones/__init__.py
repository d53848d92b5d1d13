"""Registered backbones."""

from mmcrack.models.backbones.crackformer import CrackFormer
from mmcrack.models.backbones.dru import DRU
from mmcrack.models.backbones.edge_guided_backbone import EdgeGuidedBackbone
from mmcrack.models.backbones.iterative_backbone import IterativeBackbone
from mmcrack.models.backbones.jtfn_encoder import JTFNEncoder
from mmcrack.models.backbones.res_unet import ResUNet
from mmcrack.models.backbones.segnet import SegNet

__all__ = [
    'CrackFormer', 'DRU', 'EdgeGuidedBackbone', 'IterativeBackbone',
    'JTFNEncoder', 'ResUNet', 'SegNet'
]
