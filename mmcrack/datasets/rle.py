"""Run lengths of masks: COCO's (by column) and CVAT's (by row).

Not in the papers. Both begin with the number of pixels outside, which may be
0, and go on in turn. COCO's string packs each number into characters of six
bits and, from the fourth on, tells only the difference from the one two
before it. Pure: numpy only.
"""

from collections.abc import Sequence

import numpy as np


def decode_runs(
    runs: Sequence[int], size: tuple[int, int], *, by_column: bool
) -> np.ndarray:
    """Turns run lengths into a mask.

    Args:
        runs: Pixels outside, inside, outside, ...
        size: (height, width) of the mask.
        by_column: Whether they run down the columns (COCO) instead of along
            the rows (CVAT).

    Returns:
        bool (height, width).

    Raises:
        ValueError: If they are no run lengths of that many pixels.

    Example:
        >>> decode_runs([1, 2, 1], (2, 2), by_column=True).astype(int)
        array([[0, 1],
               [1, 0]])
    """
    lengths = np.asarray(runs, dtype=np.float64).reshape(-1)
    pixels = int(size[0]) * int(size[1])
    whole = np.isfinite(lengths).all() and (lengths % 1 == 0).all()
    if not whole or (lengths < 0).any() or lengths.sum() != pixels:
        raise ValueError(
            f'run lengths must be whole numbers >= 0 that add up to the '
            f'{pixels} pixels of {size[1]}x{size[0]}, got a sum of '
            f'{lengths.sum():g}'
        )
    inside = np.arange(len(lengths)) % 2 == 1
    flat = np.repeat(inside, lengths.astype(np.int64))
    return flat.reshape(size, order='F' if by_column else 'C')


def encode_runs(mask: np.ndarray, *, by_column: bool) -> list[int]:
    """Turns a mask into run lengths.

    Args:
        mask: (H, W), not 0 inside.
        by_column: See :func:`decode_runs`.

    Returns:
        Pixels outside, inside, outside, ...
    """
    flat = (np.asarray(mask) != 0).ravel(order='F' if by_column else 'C')
    changes = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *changes, flat.size]).tolist()
    return [0, *runs] if flat.size and flat[0] else runs


def unpack_runs(text: str) -> list[int]:
    """Reads COCO's packed string.

    Args:
        text: As in ``segmentation['counts']``.

    Returns:
        Run lengths.

    Raises:
        ValueError: If a character is none of the 64, or the end is missing.

    Example:
        >>> unpack_runs('052')
        [0, 5, 2]
    """
    runs: list[int] = []
    value, shift = 0, 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64:
            raise ValueError(
                f'packed run lengths must be characters from 0 to o, got '
                f'{character!r}'
            )
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value, shift = 0, 0
    if shift:
        raise ValueError('packed run lengths must not end within a number')
    return runs


def pack_runs(runs: Sequence[int]) -> str:
    """Writes COCO's packed string; see :func:`unpack_runs`.

    Args:
        runs: Run lengths.

    Returns:
        The string.
    """
    text = []
    for index, run in enumerate(runs):
        value = int(run) - (int(runs[index - 2]) if index > 2 else 0)
        while True:
            bits = value & 31
            value >>= 5
            last = value == (-1 if bits & 16 else 0)
            text.append(chr(48 + (bits if last else bits | 32)))
            if last:
                break
    return ''.join(text)
