"""Registered backbones."""

from mmcrack.models.backbones.edge_guided_backbone import EdgeGuidedBackbone

__all__ = ['EdgeGuidedBackbone']
