"""Drawing on arrays: reductions that keep thin cracks, overlays, points.

Pictures are uint8 (H, W, 3) in RGB order, masks bool (H, W), probabilities
float (H, W) in [0, 1]. Nothing here changes its inputs. Not in the papers:
colours and layout; what is drawn follows CBPRN's Figures 3, 4 and 6.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Color = tuple[int, int, int]

# Okabe and Ito's palette: told apart by colour-blind readers too.
CRACK: Color = (240, 228, 66)
HIT: Color = (0, 200, 140)
FALSE_ALARM: Color = (230, 85, 0)
MISS: Color = (70, 150, 255)
IGNORED: Color = (128, 128, 128)
RENDERED: Color = (0, 255, 255)
# Crack body, boundary band, background.
REGION_COLORS: tuple[Color, Color, Color] = ((255, 95, 20), (240, 228, 66),
                                             (86, 180, 233))


def to_picture(image: ArrayLike) -> Picture:
    """Turn any photograph into an 8-bit RGB picture.

    Args:
        image (array): (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), RGB or
            RGBA order; uint8, uint16 (divided by 257), bool or float in
            [0, 1].

    Returns:
        array: uint8, (H, W, 3). Transparency is dropped.

    Raises:
        ValueError: For another shape.
        TypeError: For another data type.
    """
    image = np.asarray(image)
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[2] not in (1, 3, 4):
        raise ValueError('image must be (H, W) or (H, W, C) with C of 1, 3 '
                         f'or 4, got {image.shape}.')
    if image.dtype == np.uint16:
        image = np.round(image / 257).astype(np.uint8)
    elif image.dtype == np.bool_:
        image = image.astype(np.uint8) * 255
    elif np.issubdtype(image.dtype, np.floating):
        image = np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
    elif image.dtype != np.uint8:
        raise TypeError('image must be uint8, uint16, bool or float, got '
                        f'{image.dtype}.')
    if image.shape[2] == 1:
        return np.repeat(image, 3, axis=2)
    return np.ascontiguousarray(image[..., :3])


def reduction_factor(size: Sequence[int], max_long_edge: int | None) -> int:
    """Return by which whole number to divide a size.

    Args:
        size (Sequence[int]): (H, W).
        max_long_edge (int, optional): Longest edge wanted, in pixels; None
            for no reduction.

    Returns:
        int: At least 1.

    Raises:
        ValueError: If ``max_long_edge`` is not positive.
    """
    if max_long_edge is None:
        return 1
    if max_long_edge < 1:
        raise ValueError('max_long_edge must be positive or None, got '
                         f'{max_long_edge}.')
    return max(1, -(-max(size) // max_long_edge))


def reduce_max(values: ArrayLike, factor: int) -> NDArray:
    """Keep the greatest value of each block, so that thin cracks stay.

    Args:
        values (array): (H, W), bool or number.
        factor (int): Edge of the blocks; the last ones may be cut.

    Returns:
        array: (ceil(H / factor), ceil(W / factor)), the same data type.
    """
    values = np.asarray(values)
    if factor == 1:
        return values.copy()
    rows = np.arange(0, values.shape[0], factor)
    columns = np.arange(0, values.shape[1], factor)
    return np.maximum.reduceat(
        np.maximum.reduceat(values, rows, axis=0), columns, axis=1)


def reduce_picture(picture: Picture, factor: int) -> Picture:
    """Average each block of a picture.

    Args:
        picture (array): uint8, (H, W, 3).
        factor (int): Edge of the blocks; the last ones may be cut.

    Returns:
        array: uint8, (ceil(H / factor), ceil(W / factor), 3).
    """
    if factor == 1:
        return picture.copy()
    height, width = picture.shape[:2]
    size = (-(-width // factor), -(-height // factor))
    padded = cv2.copyMakeBorder(
        picture, 0, size[1] * factor - height, 0, size[0] * factor - width,
        cv2.BORDER_REPLICATE)
    return cv2.resize(padded, size, interpolation=cv2.INTER_AREA)


def enlarge(values: NDArray, factor: int) -> NDArray:
    """Repeat each pixel ``factor`` times along both axes.

    Args:
        values (array): (H, W) or (H, W, C).
        factor (int): At least 1.

    Returns:
        array: (H * factor, W * factor, ...).
    """
    return values.repeat(factor, axis=0).repeat(factor, axis=1)


def paint(picture: Picture, mask: Mask, color: Color, *,
          opacity: float) -> Picture:
    """Colour the pixels of a mask.

    Args:
        picture (array): uint8, (H, W, 3).
        mask (array): bool, (H, W).
        color (tuple): RGB, 0-255.
        opacity (float): 0 leaves the picture, 1 covers it.

    Returns:
        array: uint8, (H, W, 3).

    Raises:
        ValueError: If the sizes differ.
    """
    if picture.shape[:2] != mask.shape:
        raise ValueError(f'picture is {picture.shape[:2]} and mask is '
                         f'{mask.shape}: they must have one size.')
    painted = picture.copy()
    mixed = (1 - opacity) * picture[mask] + opacity * np.array(color)
    painted[mask] = np.round(mixed).astype(np.uint8)
    return painted


def fade(picture: Picture, *, strength: float) -> Picture:
    """Return the picture in grey and darker, as a ground for colours.

    Args:
        picture (array): uint8, (H, W, 3).
        strength (float): 0 is grey at full brightness, 1 is black.

    Returns:
        array: uint8, (H, W, 3).
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey = np.round(grey * (1 - strength)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def paint_errors(picture: Picture, pred: Mask, target: Mask, *,
                 ignored: Mask | None = None, factor: int = 1) -> Picture:
    """Colour hits, false alarms and misses on a faded picture.

    Args:
        picture (array): uint8, (h, w, 3), already reduced by ``factor``.
        pred (array): bool, (H, W), predicted crack.
        target (array): bool, (H, W), true crack.
        ignored (array, optional): bool, (H, W), left out of both.
        factor (int): By which ``picture`` was reduced. In a block a hit
            covers a miss, and a miss covers a false alarm: at this scale a
            crack that was found is found.

    Returns:
        array: uint8, (h, w, 3).
    """
    valid = np.ones_like(target) if ignored is None else ~ignored
    layers = ((pred & ~target & valid, FALSE_ALARM),
              (target & ~pred & valid, MISS), (pred & target & valid, HIT))
    painted = fade(picture, strength=0.4)
    if ignored is not None:
        painted = paint(painted, reduce_max(ignored, factor), IGNORED,
                        opacity=0.7)
    for mask, color in layers:
        painted = paint(painted, reduce_max(mask, factor), color, opacity=1)
    return painted


def heat_picture(probability: NDArray[np.floating]) -> Picture:
    """Colour a probability map: black 0, purple, orange, pale yellow 1.

    Args:
        probability (array): float, (H, W), in [0, 1]; NaN counts as 0.

    Returns:
        array: uint8, (H, W, 3).
    """
    level = np.nan_to_num(np.asarray(probability, dtype=np.float32))
    level = np.round(np.clip(level, 0, 1) * 255).astype(np.uint8)
    colored = cv2.applyColorMap(level, cv2.COLORMAP_INFERNO)
    return cv2.cvtColor(colored, cv2.COLOR_BGR2RGB)


def draw_points(picture: Picture, points: NDArray[np.floating],
                color: Color, *, radius: int) -> Picture:
    """Draw points as dots.

    Args:
        picture (array): uint8, (H, W, 3).
        points (array): float, (P, 2), (x, y) in [0, 1].
        color (tuple): RGB, 0-255.
        radius (int): 0 colours one pixel, otherwise a disc of this radius.

    Returns:
        array: uint8, (H, W, 3).

    Raises:
        ValueError: If ``points`` is not (P, 2).
    """
    points = np.asarray(points)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f'points must be (P, 2), got {points.shape}.')
    height, width = picture.shape[:2]
    x = np.clip((points[:, 0] * width).astype(int), 0, width - 1)
    y = np.clip((points[:, 1] * height).astype(int), 0, height - 1)
    dots = np.zeros((height, width), np.uint8)
    dots[y, x] = 1
    if radius > 0:
        kernel = cv2.getStructuringElement(
            cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
        dots = cv2.dilate(dots, kernel)
    return paint(picture, dots.astype(bool), color, opacity=1)
