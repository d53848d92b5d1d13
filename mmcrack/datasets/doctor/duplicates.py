"""The same picture twice: exact, or stored again, turned, mirrored (13, 14).

Not in the papers. A hash finds candidates: the signs of the 63 lowest
frequencies of the cosine transform at 32 x 32 pixels, whose values under the
8 flips and transposes follow from each other. Two pictures of similar
concrete share many signs; so each candidate is checked by the correlation of
the fine detail at 128 x 128 pixels, which only one and the same picture has.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

THUMB = 128
# Seen: the same picture 0.76 and above (JPEG quality 20, a third of the size,
# noise, other brightness), others 0.64 and below (retinas; concrete 0.2).
_MAX_DIFFERENT_SIGNS = 12
MIN_CORRELATION = 0.72
_BLOCK = 2048
# Transpose, upside down, mirrored: done in this order.
TURNS = tuple(
    (t, v, h) for t in (False, True) for v in (False, True)
    for h in (False, True))


class Copy(NamedTuple):
    """Two pictures that are one.

    Attributes:
        first: Index.
        second: Index.
        correlation: Of their fine detail, at most 1.
        turned: Whether one is turned or mirrored.
    """

    first: int
    second: int
    correlation: float
    turned: bool


def thumbnail(grey: np.ndarray) -> np.ndarray:
    """Reduces an image for :func:`find_copies`.

    Args:
        grey: uint8 (H, W).

    Returns:
        uint8 (128, 128); the aspect is lost.
    """
    return cv2.resize(grey, (THUMB, THUMB), interpolation=cv2.INTER_AREA)


def turned(picture: np.ndarray, turn: tuple[bool, bool, bool]) -> np.ndarray:
    """Applies one of :data:`TURNS`.

    Args:
        picture: (H, W).
        turn: Of :data:`TURNS`.

    Returns:
        The picture, transposed, then flipped.
    """
    transpose, upside_down, mirrored = turn
    picture = picture.T if transpose else picture
    picture = picture[::-1] if upside_down else picture
    return picture[:, ::-1] if mirrored else picture


def signs(thumb: np.ndarray) -> np.ndarray:
    """Hash of a thumbnail for each of :data:`TURNS`.

    A flip changes the sign of the odd frequencies along its axis.

    Args:
        thumb: uint8 (128, 128).

    Returns:
        int8 (8, 63) of -1 and 1.
    """
    small = cv2.resize(thumb, (32, 32), interpolation=cv2.INTER_AREA)
    low = cv2.dct(small.astype(np.float32))[:8, :8]
    alternate = np.where(np.arange(8) % 2, -1.0, 1.0)
    rows = []
    for transpose, upside_down, mirrored in TURNS:
        values = low.T if transpose else low
        values = values * alternate[:, None] if upside_down else values
        values = values * alternate if mirrored else values
        rows.append(np.where(values.ravel()[1:] > 0, 1, -1))
    return np.array(rows, np.int8)


def find_copies(
    thumbs: Sequence[np.ndarray],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Copy]:
    """Finds pictures that are one.

    Args:
        thumbs: Of :func:`thumbnail`.
        progress: Called with steps done and all steps.

    Returns:
        The pairs, each once, first < second.
    """
    if len(thumbs) < 2:
        return []
    codes = np.array([signs(t) for t in thumbs])
    fine = [_fine(t) for t in thumbs]
    limit = codes.shape[2] - 2 * _MAX_DIFFERENT_SIGNS
    plain = codes[:, 0].astype(np.float32)
    best: dict[tuple[int, int], tuple[float, bool]] = {}
    starts = range(0, len(thumbs), _BLOCK)
    for step, start in enumerate(starts):
        progress(step, len(starts))
        rows = codes[start:start + _BLOCK]
        for number, turn in enumerate(TURNS):
            alike = rows[:, number].astype(np.float32) @ plain.T
            for i, j in np.argwhere(alike >= limit):
                i = int(i) + start
                if i >= j:
                    continue
                value = _correlation(turned(fine[i], turn), fine[j])
                if value > best.get((i, int(j)), (MIN_CORRELATION, 0))[0]:
                    best[i, int(j)] = value, any(turn)
    progress(len(starts), len(starts))
    return [Copy(i, j, *found) for (i, j), found in sorted(best.items())]


def groups_of(pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Joins pairs that share a member.

    Args:
        pairs: Of indices.

    Returns:
        Groups of at least two, each sorted.
    """
    leader: dict[int, int] = {}

    def find(i: int) -> int:
        while leader.setdefault(i, i) != i:
            leader[i] = leader[leader[i]]
            i = leader[i]
        return i

    for i, j in pairs:
        leader[find(i)] = find(j)
    members: dict[int, list[int]] = {}
    for i in leader:
        members.setdefault(find(i), []).append(i)
    return sorted(sorted(m) for m in members.values() if len(m) > 1)


def even_detail(values: np.ndarray) -> np.ndarray:
    """Cuts detail to its usual strength, and gives it length 1.

    One strong outline that many pictures share (a joint in the wall, the
    rim of a camera's field of view) must not decide for the whole.

    Args:
        values: Detail of mean about 0, any shape.

    Returns:
        The same shape; zero for a picture that is flat.
    """
    # Below a quarter of a grey level there is only rounding.
    usual = 1.5 * max(float(np.median(np.abs(values))), 0.25)
    cut = np.clip(values / usual, -1, 1)
    cut = cut - cut.mean()
    length = float(np.linalg.norm(cut))
    return cut / length if length > 0.1 * cut.size ** 0.5 else cut * 0


def _fine(thumb: np.ndarray) -> np.ndarray:
    grey = thumb.astype(np.float32)
    return cv2.GaussianBlur(grey, (0, 0), 0.8) - cv2.GaussianBlur(
        grey, (0, 0), 4)


def _blocks(fine: np.ndarray) -> np.ndarray:
    """Detail of 16 blocks, each by itself; (16, 1024)."""
    side = THUMB // 4
    blocks = fine.reshape(4, side, 4, side).transpose(0, 2, 1, 3)
    return np.stack([even_detail(b) for b in blocks.reshape(16, -1)])


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Lower quartile over the blocks that have detail: all must agree."""
    first, second = _blocks(first), _blocks(second)
    known = first.any(axis=1) | second.any(axis=1)
    if not known.any():
        return 0.0
    return float(np.quantile((first * second).sum(axis=1)[known], 0.25))
