"""Binary masks with 64 pixels in a machine word.

Not in the papers: a dilation is an OR of shifted masks, and on packed words
one instruction does 64 pixels, so that exact morphology with large kernels
costs a few milliseconds on a photograph, whatever the mask looks like.
Bit ``i`` of word ``j`` is column ``64 j + i``; bits past the width are 0.
"""

import numpy as np

WORD = 64
_DTYPE = np.dtype('<u8')
# Set bits of each 16-bit number.
_POPULATION = np.unpackbits(
    np.arange(1 << 16, dtype='<u2').view(np.uint8)).reshape(-1, 16).sum(
        axis=1, dtype=np.uint8)


def pack(mask: np.ndarray) -> np.ndarray:
    """Pack the columns of a mask.

    Args:
        mask (np.ndarray): Bool, (H, W).

    Returns:
        np.ndarray: Little-endian uint64, (H, ceil(W / 64)).
    """
    height, width = mask.shape
    words = -(-width // WORD)
    if width % WORD == 0:
        packed = np.packbits(mask, axis=1, bitorder='little')
    else:
        packed = np.zeros((height, words * WORD // 8), np.uint8)
        packed[:, :-(-width // 8)] = np.packbits(
            mask, axis=1, bitorder='little')
    return packed.view(_DTYPE)


def count(bits: np.ndarray) -> int:
    """Count the set bits.

    Args:
        bits (np.ndarray): Packed words of any shape.

    Returns:
        int: Number of pixels that are 1.
    """
    if hasattr(np, 'bitwise_count'):
        return int(np.bitwise_count(bits).sum(dtype=np.int64))
    return count_by_table(bits)


def count_by_table(bits: np.ndarray) -> int:
    """Count the set bits with numpy 1, which has no function for it.

    Args:
        bits (np.ndarray): Packed words of any shape.

    Returns:
        int: Number of pixels that are 1.
    """
    halves = np.ascontiguousarray(bits).view('<u2')
    return int(_POPULATION[halves].sum(dtype=np.int64))


def widen(bits: np.ndarray) -> np.ndarray:
    """Dilate by one pixel to the left and to the right.

    Args:
        bits (np.ndarray): Packed words, (..., words).

    Returns:
        np.ndarray: Same shape. Bits past the width may be set.
    """
    out = bits << 1
    out |= bits
    out |= bits >> 1
    out[..., 1:] |= bits[..., :-1] >> (WORD - 1)
    out[..., :-1] |= bits[..., 1:] << (WORD - 1)
    return out


def dilate(bits: np.ndarray, *, half_widths: list) -> list:
    """Dilate with several kernels that are mirrored rows of pixels.

    A kernel of radius r is given by the half-widths of its rows at vertical
    distance 0, 1, ..., r, none larger than the one before: the pixels with
    ``|dy| <= r`` and ``|dx| <= half_width[|dy|]``. What lies outside the
    image adds nothing.

    Args:
        bits (np.ndarray): Packed words, (..., H, words).
        half_widths (list[list[int]]): One list for each kernel.

    Returns:
        list[np.ndarray]: The dilations, each of the shape of ``bits``. Bits
        past the width may be set.
    """
    height = bits.shape[-2]
    rows = {}
    for kernel, widths in enumerate(half_widths):
        for dy, width in enumerate(widths):
            if dy < height:
                rows.setdefault(width, []).append((kernel, dy))
    out = [np.zeros_like(bits) for _ in half_widths]
    for width in range(max(rows) + 1):
        if width:
            bits = widen(bits)
        for kernel, dy in rows.get(width, ()):
            target = out[kernel]
            if dy == 0:
                target |= bits
            else:
                target[..., dy:, :] |= bits[..., :-dy, :]
                target[..., :-dy, :] |= bits[..., dy:, :]
    return out
