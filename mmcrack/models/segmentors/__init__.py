"""Registered segmentors: what stock ``EncoderDecoder`` cannot carry."""

from mmcrack.models.segmentors.coarse_to_fine import CoarseToFineSegmentor
from mmcrack.models.segmentors.coarse_to_fine_tta import CoarseToFineTTAModel
from mmcrack.models.segmentors.tiled import TiledSegmentor

__all__ = ['CoarseToFineSegmentor', 'CoarseToFineTTAModel', 'TiledSegmentor']
