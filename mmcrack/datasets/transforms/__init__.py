"""Registered transforms that MMSegmentation lacks."""

from mmcrack.datasets.transforms.field_of_view import (
    IgnoreOutsideFieldOfView,
)
from mmcrack.datasets.transforms.geometry import (
    CrackCrop,
    CrackResize,
    RandomRotate90,
)
from mmcrack.datasets.transforms.loading import (
    LoadCrackAnnotations,
    LoadCrackImage,
)
from mmcrack.datasets.transforms.photometric import (
    RandomGaussianBlur,
    RandomGaussianNoise,
)

__all__ = [
    'CrackCrop',
    'CrackResize',
    'IgnoreOutsideFieldOfView',
    'LoadCrackAnnotations',
    'LoadCrackImage',
    'RandomGaussianBlur',
    'RandomGaussianNoise',
    'RandomRotate90',
]
