"""Registered decode heads."""

from mmcrack.models.decode_heads.cbprn_head import CBPRNHead
from mmcrack.models.decode_heads.cirl_head import CIRLHead
from mmcrack.models.decode_heads.point_rend_head import PointRendHead

__all__ = ['CBPRNHead', 'CIRLHead', 'PointRendHead']
