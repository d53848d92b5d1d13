"""How a mask is stored: values, channels, palette, grey levels (1 to 5)."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from mmcrack.datasets.masks import IGNORED, LOSSY_FORMATS, mask_levels

# Levels below and above are as good as black and white; the same bounds as
# in mmcrack.datasets.masks.binarise_mask.
_DARK, _LIGHT, _MAX_GREY = 31, 224, 0.05
_FEW = 4

CLASSES, ZERO_255, STRAY, LOSSY = 'classes', 'zero_255', 'stray', 'lossy'


@dataclass(frozen=True)
class Encoding:
    """How a mask is stored.

    Attributes:
        kind: CLASSES ({0, 1} and ignored pixels), ZERO_255, STRAY or LOSSY.
        channels: 'one', 'three' (equal), 'palette' or 'colours'.
        text: Its values, for the report.
        grey_share: Part of the pixels at levels 32 to 223, 0 to 1.
        clear: Whether the crack is beyond doubt, so that it can be mended.
    """

    kind: str
    channels: str
    text: str
    grey_share: float
    clear: bool


def read_encoding(
    picture: Image.Image, file_format: str, *, ignore_value: int | None,
    name: str,
) -> tuple[Encoding, np.ndarray | None]:
    """Tells how a mask is stored, and reads it as well as one can.

    Args:
        picture: Decoded mask of any mode.
        file_format: Pillow's name of its file format.
        ignore_value: Value without a label, or None.
        name: Name of the mask, for messages.

    Returns:
        The encoding, and the label, uint8 (H, W) of 0, 1 and 255; None
        where nobody can tell what is crack.

    Raises:
        ValueError: If a part is transparent, or pixels are floats.
    """
    levels = mask_levels(picture, name=name)
    channels = 'palette' if picture.mode in ('P', 'PA') else 'one'
    coloured = False
    if levels.ndim == 3:
        channels = 'three'
        spread = levels.max(axis=2).astype(int) - levels.min(axis=2)
        if file_format in LOSSY_FORMATS and spread.max(initial=0) <= 64:
            levels = levels[..., 1]
        elif spread.any():
            channels, coloured = 'colours', True
        else:
            levels = levels[..., 0]
    if coloured:
        return _colours(levels)
    lossy = file_format in LOSSY_FORMATS
    kind, label, clear, grey = _one_channel(levels, ignore_value, lossy)
    text = _text(np.unique(levels))
    return Encoding(kind, channels, text, grey, clear), label


def _colours(levels: np.ndarray) -> tuple[Encoding, np.ndarray | None]:
    """Black and one colour is clear: the colour is crack."""
    flat = levels.reshape(-1, 3).astype(np.int64)
    codes = flat[:, 0] * 65536 + flat[:, 1] * 256 + flat[:, 2]
    used = np.unique(codes)
    clear = used.size <= 2 and used[0] == 0
    shown = ', '.join(f'#{int(c):06x}' for c in used[:4])
    text = f'{used.size} colours: {shown}'
    label = (codes != 0).reshape(levels.shape[:2]).astype(np.uint8)
    return (Encoding(CLASSES if clear else STRAY, 'colours', text, 0.0,
                     bool(clear)), label if clear else None)


def _one_channel(
    levels: np.ndarray, ignore_value: int | None, lossy: bool
) -> tuple[str, np.ndarray | None, bool, float]:
    """Kind, label, whether that is clear, and share of grey levels."""
    values = {int(v) for v in np.unique(levels)}
    if values <= {0, 1}:
        return CLASSES, (levels == 1).astype(np.uint8), True, 0.0
    if values <= {0, 255} and not lossy:
        return ZERO_255, (levels == 255).astype(np.uint8), True, 0.0
    if ignore_value is not None and not lossy:
        for crack, kind in ((1, CLASSES), (255, ZERO_255)):
            if crack != ignore_value and values <= {0, crack, ignore_value}:
                label = (levels == crack).astype(np.uint8)
                label[levels == ignore_value] = IGNORED
                return kind, label, True, 0.0
    grey = float(((levels > _DARK) & (levels < _LIGHT)).mean())
    two_levels = min(values) <= _DARK and max(values) >= _LIGHT
    smooth = len(values) > _FEW or not any(
        _DARK < v < _LIGHT for v in values)
    if max(values) <= 255 and (lossy or (
            two_levels and smooth and values != {0, 1, 255})):
        # A JPEG of a mask without any crack is black all over.
        clear = grey <= _MAX_GREY and (two_levels or max(values) <= 127)
        return LOSSY, (levels > 127).astype(np.uint8), clear, grey
    label = (levels == 1).astype(np.uint8) if 1 in values else None
    return STRAY, label, False, grey


def _text(values: np.ndarray) -> str:
    shown = ', '.join(str(int(v)) for v in values[:6])
    return f'{{{shown}}}' if values.size <= 6 else (
        f'{values.size} values from {int(values[0])} to {int(values[-1])}')
