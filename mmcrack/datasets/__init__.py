"""Crack datasets, their masks, and the generator of synthetic ones.

The registered data sets are imported when they are first asked for:
``images``, ``masks``, ``pairing``, ``synthetic`` and ``conversion`` are pure
and load fast, also where MMSegmentation is not installed.
"""

from importlib import import_module
from typing import Any

__all__ = [
    'CFDDataset',
    'Crack500Dataset',
    'CrackDataset',
    'CrackTree200Dataset',
    'DeepCrackDataset',
    'HighResolutionCrackDataset',
]


def __getattr__(name: str) -> Any:
    """Import the registered data sets on demand (PEP 562)."""
    if name in __all__:
        module = import_module('mmcrack.datasets.crack_dataset')
        return getattr(module, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    """List what :func:`__getattr__` offers too."""
    return sorted({*globals(), *__all__})
