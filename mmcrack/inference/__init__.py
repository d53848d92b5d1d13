"""High-resolution inference: from photographs to masks and tables."""

from mmcrack.inference.backend import Backend, TorchBackend
from mmcrack.inference.inferencer import CrackInferencer, Prediction
from mmcrack.inference.opening import open_photograph
from mmcrack.inference.photographs import Photograph

__all__ = [
    'Backend', 'CrackInferencer', 'Photograph', 'Prediction', 'TorchBackend',
    'open_photograph'
]
