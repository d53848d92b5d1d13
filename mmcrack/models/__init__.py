"""Registered networks of mmcrack."""

from mmcrack.models.backbones import EdgeGuidedBackbone
from mmcrack.models.decode_heads import CBPRNHead, PointRendHead

__all__ = ['CBPRNHead', 'EdgeGuidedBackbone', 'PointRendHead']
