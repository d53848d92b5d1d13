"""Crack datasets, their masks, and the generator of synthetic ones.

``images``, ``masks``, ``pairing``, ``synthetic`` and ``conversion`` are pure:
they also import where MMSegmentation is not installed.
"""

from importlib.util import find_spec

__all__ = []

if find_spec('mmseg') is not None:
    from mmcrack.datasets.crack_dataset import (
        CFDDataset,
        Crack500Dataset,
        CrackDataset,
        DeepCrackDataset,
        HighResolutionCrackDataset,
    )

    __all__ += [
        'CFDDataset',
        'Crack500Dataset',
        'CrackDataset',
        'DeepCrackDataset',
        'HighResolutionCrackDataset',
    ]
