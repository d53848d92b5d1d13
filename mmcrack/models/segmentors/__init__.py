"""Registered segmentors: what stock ``EncoderDecoder`` cannot carry."""

from mmcrack.models.segmentors.coarse_to_fine import CoarseToFineSegmentor
from mmcrack.models.segmentors.coarse_to_fine_tta import CoarseToFineTTAModel

__all__ = ['CoarseToFineSegmentor', 'CoarseToFineTTAModel']
