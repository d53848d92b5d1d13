"""Classes of width, such as below 0.1, to 0.2, to 0.3 mm, above.

Not in the papers.
"""

import bisect
import math
from collections.abc import Sequence


def check_limits(limits: Sequence[float]) -> tuple[float, ...]:
    """Check limits of classes.

    Args:
        limits (Sequence[float]): In millimetres.

    Returns:
        tuple[float, ...]: The same.

    Raises:
        ValueError: Unless they are positive and rise.
    """
    limits = tuple(float(limit) for limit in limits)
    rising = all(a < b for a, b in zip(limits, limits[1:], strict=False))
    if not rising or not all(0 < v < math.inf for v in limits):
        raise ValueError(
            'width limits must be positive and rise, such as 0.1 0.2 0.3 '
            f'(in mm), got {limits}.')
    return limits


def class_names(limits: Sequence[float]) -> list[str]:
    """Name the classes: ``['<= 0.1 mm', '0.1-0.2 mm', ..., '> 0.3 mm']``.

    Args:
        limits (Sequence[float]): Rising, in millimetres.

    Returns:
        list[str]: One name more than there are limits.
    """
    if not limits:
        return ['all']
    text = [f'{limit:g}' for limit in limits]
    return [f'<= {text[0]} mm',
            *(f'{a}-{b} mm' for a, b in zip(text, text[1:], strict=False)),
            f'> {text[-1]} mm']


def class_index(width: float, limits: Sequence[float]) -> int:
    """Number of the class of a width; a limit belongs to the class below.

    Args:
        width (float): In millimetres.
        limits (Sequence[float]): Rising, in millimetres.

    Returns:
        int: 0 to len(limits).
    """
    return bisect.bisect_left(limits, width)
