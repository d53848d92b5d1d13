"""Masks of thin lines: read them, widen them, follow a bigger image.

Not in the papers, but for the widening (JTFN, whose protocol CIRL follows).
CrackTree200 and 260, CRKWH100, CrackLS315, Stone331 and UAV75 label a crack
of any width by a line of one pixel.
"""

from pathlib import Path

import cv2
import numpy as np

from mmcrack.datasets.images import open_upright
from mmcrack.datasets.masks import mask_levels

# Thin lines cover 1 % of a photograph or less.
_MAX_SHARE = 0.1


def dilate(lines: np.ndarray, *, radius: int) -> np.ndarray:
    """Widens lines to all pixels within a distance.

    "By 4 pixels" is read as the radius of a disc: a straight line of one
    pixel gets 2 * radius + 1 wide, in any direction.

    Args:
        lines: uint8 (H, W) of 0 and 1.
        radius: Euclidean distance in pixels, >= 0.

    Returns:
        uint8 (H, W), 1 where a line is at most ``radius`` away.
    """
    along = np.arange(-radius, radius + 1)
    disc = along[:, None] ** 2 + along**2 <= radius**2
    return cv2.dilate(lines, disc.astype(np.uint8))


def check_radius(radius: int) -> None:
    """Refuses a ``--dilate`` that is no radius.

    Args:
        radius: As given by the user.

    Raises:
        ValueError: If it is negative.
    """
    if radius < 0:
        raise ValueError(
            f'--dilate must be a radius >= 0 in pixels, got {radius}; '
            '0 keeps the lines'
        )


def enlarge(
    mask: np.ndarray, image_size: tuple[int, int], *, name: object
) -> np.ndarray:
    """Repeats the pixels of a mask until it is as large as its image.

    Stone331 has images of 1024 x 1024 pixels and labels of 512 x 512.

    Args:
        mask: (h, w) of any dtype.
        image_size: (height, width) of the image in pixels: (h, w) times
            one whole number.
        name: File of the mask, for messages.

    Returns:
        (height, width), each value as a square.

    Raises:
        ValueError: If the image is not larger by a whole number.
    """
    factor = max(1, image_size[0] // mask.shape[0])
    if (mask.shape[0] * factor, mask.shape[1] * factor) != tuple(image_size):
        raise ValueError(
            f'the mask {name} is {mask.shape[1]}x{mask.shape[0]} but its '
            f'image is {image_size[1]}x{image_size[0]}, wanted the same size '
            'or a whole multiple of it; pair the right files'
        )
    return mask.repeat(factor, axis=0).repeat(factor, axis=1)


def read_levels(path: Path) -> np.ndarray:
    """Reads the highest level of each pixel of a mask.

    Args:
        path: Mask file, greyscale or colour.

    Returns:
        (H, W), integers or booleans.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it cannot be decoded.
    """
    picture, _ = open_upright(path, data=None, kind='mask')
    levels = mask_levels(picture, name=str(path))
    return levels.reshape(*levels.shape[:2], -1).max(axis=2)


def read_lines(
    path: Path,
    image_size: tuple[int, int],
    *,
    radius: int,
    threshold: int = 0,
    multiple: bool = False,
) -> np.ndarray:
    """Reads a mask of lines; whatever is above a level is crack.

    Args:
        path: Mask file, greyscale or colour.
        image_size: (height, width) of the image in pixels.
        radius: See :func:`dilate`.
        threshold: Highest level of background.
        multiple: Whether the image may be a whole multiple of the mask in
            size; see :func:`enlarge`.

    Returns:
        Mask, uint8 (H, W), 0 background and 1 crack.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it cannot be decoded, differs from the image in size,
            or holds no thin lines.
    """
    lines = read_levels(path) > threshold
    if lines.shape != tuple(image_size) and not multiple:
        raise ValueError(
            f'the mask {path} is {lines.shape[1]}x{lines.shape[0]} but its '
            f'image is {image_size[1]}x{image_size[0]}; pair the right files'
        )
    share = lines.mean()
    if share > _MAX_SHARE:
        raise ValueError(
            f'the mask {path} must hold thin lines above {threshold} on at '
            f'most {_MAX_SHARE:.0%} of its pixels, got {share:.1%}; is it '
            'inverted, or was it saved as JPEG once?'
        )
    lines = lines.astype(np.uint8)
    square = np.ones((3, 3), np.uint8)
    wide = cv2.dilate(cv2.erode(lines, square), square)
    if radius and wide.sum() > 0.5 * lines.sum():
        raise ValueError(
            f'the lines in the mask {path} must be one pixel wide to be '
            f'dilated by {radius}, got wide ones; if this copy was dilated '
            'before, keep its masks with --dilate 0'
        )
    return dilate(enlarge(lines, image_size, name=path), radius=radius)
