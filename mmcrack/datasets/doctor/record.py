"""Everything that is measured on one pair, in a worker process."""

import hashlib
from dataclasses import dataclass

import cv2
import numpy as np

from mmcrack.datasets.doctor.alignment import Alignment, align
from mmcrack.datasets.doctor.crops import Keypoints, find_keypoints
from mmcrack.datasets.doctor.duplicates import thumbnail
from mmcrack.datasets.doctor.encoding import Encoding
from mmcrack.datasets.doctor.reading import Reading, grey_of, read_pair
from mmcrack.datasets.doctor.sources import Item
from mmcrack.datasets.doctor.widths import (
    Visible,
    Widths,
    label_widths,
    visible_width,
)

MOST = 0.6
# A dozen float maps of the image are held to see the line below a label.
_MOST_PIXELS = 60_000_000
# Standard deviations; a label on a crack has 1 to 2, elsewhere 0.
_DARK_ENOUGH = 0.3


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is known about one pair.

    Attributes:
        item: The pair.
        errors: What cannot be read.
        size: (height, width) of the upright image, or None.
        mask_size: (height, width) of the mask, or None.
        orientation: EXIF orientation of the image.
        as_stored: Whether the mask was drawn before EXIF turned the image.
        encoding: How the mask is stored, or None.
        share: Part of the labelled pixels that is crack, 0 to 1, or None.
        ignored: Part of all pixels without a label.
        inverted: Whether 0 is the crack; ``share`` and all that follows are
            then those of the turned label.
        widths: Of the label, or None.
        alignment: Of the label, or None.
        visible: The dark line below the label, or None.
        pixels_hash: SHA-256 of the upright pixels with their shape, or ''.
        mask_hash: The same of the label, or ''.
        thumb: uint8 (128, 128), or None.
        keypoints: Of the image, or None.
    """

    item: Item
    errors: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    mask_size: tuple[int, int] | None = None
    orientation: int = 1
    as_stored: bool = False
    encoding: Encoding | None = None
    share: float | None = None
    ignored: float = 0.0
    inverted: bool = False
    widths: Widths | None = None
    alignment: Alignment | None = None
    visible: Visible | None = None
    pixels_hash: str = ''
    mask_hash: str = ''
    thumb: np.ndarray | None = None
    keypoints: Keypoints | None = None

    @property
    def name(self) -> str:
        """Split and stem."""
        return self.item.name

    @property
    def fits(self) -> bool:
        """Whether image and mask can be laid on each other."""
        return self.size is not None and self.size == self.mask_size


def measure(item: Item, keypoints: int) -> Record:
    """Measures one pair.

    Args:
        item: The pair.
        keypoints: How many to find in its image; 0 for none.

    Returns:
        The record.
    """
    cv2.setNumThreads(1)
    reading = read_pair(item)
    found: dict = {}
    grey = None
    if reading.pixels is not None:
        grey = grey_of(reading.pixels)
        found |= {
            'size': grey.shape,
            'pixels_hash': _hash(reading.pixels),
            'thumb': thumbnail(grey),
        }
        if keypoints:
            found['keypoints'] = find_keypoints(grey, keypoints)
    if reading.label is not None:
        found |= _label_figures(reading, grey)
    return Record(
        item=item, errors=reading.errors, orientation=reading.orientation,
        as_stored=reading.as_stored, encoding=reading.encoding, **found)


def is_inverted(label: np.ndarray, grey: np.ndarray | None) -> bool:
    """Tells whether 0 is the crack.

    "Crack" covers more than half of the image, and what is left lies on dark,
    thin places as a crack does.

    Args:
        label: uint8 (H, W) of 0, 1 and 255.
        grey: uint8 (H, W), or None.

    Returns:
        Whether to exchange 0 and 1.
    """
    crack, rest = label == 1, label == 0
    total = max(int(crack.sum() + rest.sum()), 1)
    if crack.sum() <= 0.5 * total or rest.sum() < 1e-4 * total:
        return False
    if grey is None or grey.shape != label.shape:
        return crack.sum() > 0.9 * total
    turned = align(grey, rest)
    return turned is not None and turned.here > _DARK_ENOUGH


def _label_figures(reading: Reading, grey: np.ndarray | None) -> dict:
    label = reading.label
    figures: dict = {'mask_size': label.shape, 'mask_hash': _hash(label)}
    if is_inverted(label, grey):
        figures['inverted'] = True
        label = np.where(label == 255, label, 1 - label)
    crack = label == 1
    labelled = int((label != 255).sum())
    figures['share'] = float(crack.sum()) / max(labelled, 1)
    figures['ignored'] = 1 - labelled / max(label.size, 1)
    figures['widths'] = label_widths(crack)
    fits = grey is not None and grey.shape == label.shape
    if fits and figures['widths'] is not None and figures['share'] < MOST:
        figures['alignment'] = align(grey, crack)
        if label.size <= _MOST_PIXELS:
            figures['visible'] = visible_width(
                grey, crack, width=figures['widths'].median)
    return figures


def _hash(pixels: np.ndarray) -> str:
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).tobytes())
    return digest.hexdigest()
