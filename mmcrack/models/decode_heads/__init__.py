"""Registered decode heads."""

from mmcrack.models.decode_heads.cbprn_head import CBPRNHead
from mmcrack.models.decode_heads.cirl_head import CIRLHead
from mmcrack.models.decode_heads.crackformer_head import CrackFormerHead
from mmcrack.models.decode_heads.deep_supervision_head import (
    DeepSupervisionHead,
)
from mmcrack.models.decode_heads.deepcrack_head import DeepCrackHead
from mmcrack.models.decode_heads.hed_head import HEDHead
from mmcrack.models.decode_heads.jtfn_head import JTFNHead
from mmcrack.models.decode_heads.point_refinement_head import (
    PointRefinementHead,
)
from mmcrack.models.decode_heads.point_rend_head import PointRendHead
from mmcrack.models.decode_heads.refinenet_head import RefineNetHead
from mmcrack.models.decode_heads.steps_head import StepsHead

__all__ = [
    'CBPRNHead', 'CIRLHead', 'CrackFormerHead', 'DeepCrackHead',
    'DeepSupervisionHead', 'HEDHead', 'JTFNHead', 'PointRefinementHead',
    'PointRendHead', 'RefineNetHead', 'StepsHead'
]
