"""Do masks lie on the dark, thin places of their images? (4, 7 and 16).

Not in the papers. A label that lies right has darker pixels below it than
around it. Moved by a few pixels it has not; so the shift under which it has
most darkness below tells where the label belongs.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

SEARCH = 20
# Bigger images are reduced: the search is in pixels of the reduced image.
_LONG_EDGE = 1100
_MIN_CRACK = 20


class Alignment(NamedTuple):
    """How much darker a label's pixels are, for each shift of it.

    Attributes:
        curve: float32 (41, 41), in standard deviations of the image's
            detail; [20 + y, 20 + x] for a shift by (x, y).
        factor: Pixels of the image per step of the shift.
    """

    curve: np.ndarray
    factor: int

    @property
    def best(self) -> tuple[int, int]:
        """Shift (x, y) in steps that suits the label best."""
        y, x = np.unravel_index(self.curve.argmax(), self.curve.shape)
        return int(x) - SEARCH, int(y) - SEARCH

    @property
    def here(self) -> float:
        """Darkness below the label where it lies."""
        return float(self.curve[SEARCH, SEARCH])


class Shift(NamedTuple):
    """A displaced label.

    Attributes:
        x: Shift in pixels to the right that would mend it.
        y: The same, downwards.
        best: Darkness below the label after this shift.
        here: Darkness where it lies.
    """

    x: int
    y: int
    best: float
    here: float


def align(grey: np.ndarray, crack: np.ndarray) -> Alignment | None:
    """Measures the darkness below a label for shifts of up to 20 pixels.

    Args:
        grey: uint8 (H, W).
        crack: bool (H, W).

    Returns:
        The curve, or None without enough crack, or without background.
    """
    factor = max(1, round(max(grey.shape) / _LONG_EDGE))
    mask = crack.astype(np.uint8)
    if factor > 1:
        size = grey.shape[1] // factor, grey.shape[0] // factor
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        share = cv2.resize(
            mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        mask = (share > 0.3).astype(np.uint8)
    area = int(mask.sum())
    if area < _MIN_CRACK or 2 * area > mask.size:
        return None
    width = _typical_width(mask)
    reach = int(3 + width)
    ring = _widened(mask, reach) - mask
    if not ring.any():
        return None
    dark = _darkness(grey, max(6.0, 1.5 * width))
    template = mask / area - ring / float(ring.sum())
    padded = cv2.copyMakeBorder(
        dark, *[SEARCH] * 4, cv2.BORDER_CONSTANT, value=0)
    curve = cv2.matchTemplate(
        padded, template.astype(np.float32), cv2.TM_CCORR)
    return Alignment(curve.astype(np.float32), factor)


def find_shift(alignment: Alignment) -> Shift | None:
    """Judges one image alone, with care.

    A shift counts when it is at least 4 steps, lies inside the range of the
    search, has clear darkness below, and at least twice as much as anywhere
    within 2 steps of the label.

    Args:
        alignment: Of this image.

    Returns:
        The shift, or None.
    """
    x, y = alignment.best
    best = float(alignment.curve.max())
    near = float(alignment.curve[
        SEARCH - 2:SEARCH + 3, SEARCH - 2:SEARCH + 3].max())
    inner = max(abs(x), abs(y)) < SEARCH
    if max(abs(x), abs(y)) < 4 or not inner or best < 0.8 or (
            near > 0.5 * best):
        return None
    return Shift(x * alignment.factor, y * alignment.factor, best,
                 alignment.here)


def find_common_shift(alignments: Sequence[Alignment]) -> Shift | None:
    """Judges the set: do its labels miss the cracks all the same way?

    Args:
        alignments: Of the images that have one; at least 3.

    Returns:
        The shift that all share (of 2 steps or more, which half of the
        images alone come within 1 step of), or None.
    """
    if len(alignments) < 3:
        return None
    mean = Alignment(
        np.mean([a.curve for a in alignments], axis=0), 1)
    x, y = mean.best
    best = float(mean.curve.max())
    if max(abs(x), abs(y)) < 2 or best < 0.3 or mean.here > 0.9 * best:
        return None
    agree = np.mean([
        max(abs(a.best[0] - x), abs(a.best[1] - y)) <= 1
        for a in alignments])
    if agree < 0.5:
        return None
    factor = round(float(np.median([a.factor for a in alignments])))
    return Shift(x * factor, y * factor, best, mean.here)


def _typical_width(mask: np.ndarray) -> float:
    """Width of a label in pixels: twice the area over its outline."""
    outline = mask - cv2.erode(mask, np.ones((3, 3), np.uint8))
    return 2.0 * float(mask.sum()) / max(float(outline.sum()), 1.0)


def _widened(mask: np.ndarray, radius: int) -> np.ndarray:
    kernel = cv2.getStructuringElement(
        cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate(mask, kernel)


def _darkness(grey: np.ndarray, scale: float) -> np.ndarray:
    """Darkness against the neighbourhood, in standard deviations.

    Cut at two of them: one black hole must not outvote a crack.
    """
    grey = grey.astype(np.float32)
    dark = cv2.GaussianBlur(grey, (0, 0), scale) - cv2.GaussianBlur(
        grey, (0, 0), 0.8)
    spread = max(float(dark.std()), 1e-6)
    return np.clip(dark / spread, -2, 2)
