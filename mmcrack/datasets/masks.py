"""One rule that turns a crack mask of any encoding into {0, 1}.

Not in the papers. Pure: numpy, Pillow and OpenCV only. No mask is guessed:
whatever the rule does not cover is an error that names file, values and
cure, because a mask read wrongly trains a network without complaint.
"""

import os

import cv2
import numpy as np
from PIL import Image

from mmcrack.datasets.images import open_upright

IGNORED = 255
LOSSY_FORMATS = ('JPEG', 'MPO', 'WEBP', 'JPEG2000', 'AVIF')
MASK_MODES = ('area', 'nearest', 'majority')
_GREY_RANGE = (32, 223)
_MAX_GREY_SHARE = 0.05


def binarise_mask(
    mask: np.ndarray,
    *,
    ignore_value: int | None = None,
    lossy: bool = False,
    source: str | os.PathLike = 'mask',
) -> np.ndarray:
    """Turn a mask into {0 background, 1 crack, 255 ignored}.

    The rule, in this order: {0, 1} and booleans are taken as they are; in
    {0, 255} 255 is crack, unless ``ignore_value=255``, when {0, 1, 255} is
    legal and 255 is ignored; a lossy mask (JPEG, or resized with
    interpolation) is crack where > 127 and refused when more than 5 % of its
    pixels lie in 32...223; all zero is legal; everything else is an error.
    Another ``ignore_value`` v makes {0, 1, v} and {0, 255, v} legal.

    Args:
        mask (np.ndarray): (H, W), or (H, W, C) with equal channels; bool or
            integers.
        ignore_value (int | None): Value in 2...255 that marks pixels without
            a label.
        lossy (bool): Whether grey levels between the two classes are to be
            expected.
        source (str | os.PathLike): Name of the mask, for messages.

    Returns:
        np.ndarray: (H, W) uint8 of {0, 1}, 255 where ignored.

    Raises:
        TypeError: If ``mask`` is no array of booleans or integers.
        ValueError: If the rule does not cover the mask.

    Example:
        >>> binarise_mask(np.array([[0, 255]], np.uint8))
        array([[0, 1]], dtype=uint8)
    """
    name = f'The mask {os.fspath(source)!r}'
    if not isinstance(mask, np.ndarray) or mask.dtype.kind not in 'bui':
        got = getattr(mask, 'dtype', type(mask).__name__)
        raise TypeError(
            f'{name} must be an array of booleans or integers, got {got}: '
            'convert it to uint8.')
    if ignore_value is not None and not 2 <= ignore_value <= 255:
        raise ValueError(
            f'ignore_value must lie in 2...255 or be None, got '
            f'{ignore_value}: 0 and 1 are the two classes.')
    mask = _eight_bit(_one_channel(mask, lossy=lossy, name=name), name=name)
    counts = cv2.calcHist([mask], [0], None, [256], [0, 256]).ravel()
    values = {int(v) for v in np.flatnonzero(counts)}
    if values <= {0, 1}:
        return mask
    if lossy:
        return _threshold(
            mask, counts=counts, ignore_value=ignore_value, name=name)
    if ignore_value is None:
        if values <= {0, 255}:
            return (mask == 255).astype(np.uint8)
    else:
        crack = next((c for c in (1, 255) if c != ignore_value
                      and values <= {0, c, ignore_value}), None)
        if crack is not None:
            out = (mask == crack).astype(np.uint8)
            out[mask == ignore_value] = IGNORED
            return out
    raise ValueError(_illegal_values(
        values, ignore_value=ignore_value, name=name))


def _eight_bit(mask: np.ndarray, *, name: str) -> np.ndarray:
    """Returns a mask of booleans or integers as uint8."""
    if mask.dtype.kind != 'b' and mask.size and (
            mask.min() < 0 or mask.max() > 255):
        raise ValueError(
            f'{name} holds values from {mask.min()} to {mask.max()}, '
            'wanted {0, 1} or {0, 255}: save it as 8 bit with one of '
            'these encodings.')
    return mask.astype(np.uint8)


def _one_channel(mask: np.ndarray, *, lossy: bool, name: str) -> np.ndarray:
    """(H, W) or (H, W, C) to (H, W); refuses channels that disagree."""
    if mask.ndim == 3 and mask.shape[2] == 1:
        return mask[:, :, 0]
    if mask.ndim == 3 and mask.shape[2] == 3:
        first = mask[:, :, 0]
        if all(np.array_equal(first, mask[:, :, c]) for c in (1, 2)):
            return first
        if lossy and mask.dtype == np.uint8:
            # JPEG may tint grey: every channel must still vote the same.
            votes = mask > 127
            if (votes == votes[:, :, :1]).all():
                return first
        raise ValueError(
            f'{name} is coloured (its three channels differ): convert its '
            'crack colour to one channel of {0, 1} or {0, 255} first.')
    if mask.ndim != 2:
        raise ValueError(
            f'{name} has shape {mask.shape}, wanted (H, W) or (H, W, 3) with '
            'equal channels: save it as a greyscale picture.')
    return mask


def _threshold(
    mask: np.ndarray,
    *,
    counts: np.ndarray,
    ignore_value: int | None,
    name: str,
) -> np.ndarray:
    """Crack where > 127; refuses masks that are no two-level picture."""
    if ignore_value is not None:
        raise ValueError(
            f'{name} is lossy, so its grey levels cannot tell '
            f'ignore_value={ignore_value} from the classes: save it as PNG '
            'with {0, 1, 255}, or leave ignore_value unset.')
    low, high = _GREY_RANGE
    share = float(counts[low:high + 1].sum()) / max(mask.size, 1)
    if share > _MAX_GREY_SHARE:
        raise ValueError(
            f'{name} has {share:.1%} of its pixels in {low}...{high}, wanted '
            f'at most {_MAX_GREY_SHARE:.0%} in a lossy two-level mask: is it '
            'a photograph, or compressed too hard? Export it again as PNG '
            'with {0, 255}.')
    return (mask > 127).astype(np.uint8)


def _illegal_values(
    values: set[int],
    *,
    ignore_value: int | None,
    name: str,
) -> str:
    """Sentence about a mask whose values the rule does not cover."""
    shown = sorted(values)
    text = '{' + ', '.join(str(v) for v in shown[:8]) + (
        f', ... {len(shown)} values in all}}' if len(shown) > 8 else '}')
    if ignore_value is not None:
        return (
            f'{name} holds {text}, wanted {{0, 1, {ignore_value}}} with '
            f'ignore_value={ignore_value}: map every label to one of these.')
    cure = 'map every label to one of these'
    if values <= {0, 1, 255}:
        cure = 'set ignore_value=255 if 255 means "ignore"'
    elif min(values) <= 31 and max(values) >= 224:
        cure += ', or set lossy_masks=True if it was resized or compressed'
    return f'{name} holds {text}, wanted {{0, 1}} or {{0, 255}}: {cure}.'


def mask_levels(picture: Image.Image, *, name: str) -> np.ndarray:
    """Label values of a decoded mask, before the rule is applied.

    A palette of black and white alone is only a way to store a two-level
    picture, so its colours count (DRIVE's ``2nd_manual`` GIF gives 0/255;
    an encoder that put white first does no harm); any other palette paints
    labels, so its indices count. An alpha channel must be opaque.

    Args:
        picture (PIL.Image.Image): Mask of any mode.
        name (str): Name of the mask, for messages.

    Returns:
        np.ndarray: (H, W) or (H, W, 3), bool, uint8, uint16 or int32.

    Raises:
        ValueError: If a part is transparent, or the pixels are floats.
    """
    if picture.mode == 'P':
        index = np.array(picture)
        colours = np.array(
            picture.getpalette('RGB'), dtype=np.uint8).reshape(-1, 3)
        used = np.unique(index)
        if used.size and used[-1] < len(colours):
            shown = colours[used]
            if ((shown == 0).all(1) | (shown == 255).all(1)).all():
                return colours[:, 0][index]
        return index
    if picture.mode in ('LA', 'RGBA', 'PA'):
        if np.asarray(picture.getchannel('A')).min(initial=255) < 255:
            raise ValueError(
                f'The mask {name!r} is partly transparent, wanted an opaque '
                'picture: save it without an alpha channel.')
        picture = picture.convert('L' if picture.mode == 'LA' else 'RGB')
    elif picture.mode == 'F':
        raise ValueError(
            f'The mask {name!r} has floating-point pixels, wanted integers: '
            'save it as 8-bit PNG with {0, 1} or {0, 255}.')
    elif picture.mode not in ('1', 'L', 'RGB') and not (
            picture.mode.startswith('I')):
        picture = picture.convert('RGB')
    return np.array(picture)


def read_mask(
    path: str | os.PathLike,
    *,
    ignore_value: int | None = None,
    lossy: bool | None = None,
    image_size: tuple[int, int] | None = None,
    image_path: str | os.PathLike | None = None,
    data: bytes | None = None,
) -> np.ndarray:
    """Read a crack mask by the rule of :func:`binarise_mask`, upright.

    EXIF orientation is applied exactly as :func:`read_image` does.

    Args:
        path (str | os.PathLike): Mask of any format that Pillow reads.
        ignore_value (int | None): See :func:`binarise_mask`.
        lossy (bool | None): See :func:`binarise_mask`; None means that the
            file's own format decides (JPEG, WebP, JPEG 2000, AVIF are lossy).
        image_size (tuple[int, int] | None): (height, width) in pixels of the
            upright image, which the mask must have.
        image_path (str | os.PathLike | None): File of that image, for
            messages.
        data (bytes | None): Content of the file, when a storage backend
            fetched it.

    Returns:
        np.ndarray: (H, W) uint8 of {0, 1}, 255 where ignored.

    Raises:
        FileNotFoundError: If there is no such file.
        UnreadableImageError: If it cannot be decoded.
        ValueError: If its values or its size are not what is wanted.
    """
    picture, file_format = open_upright(path, data=data, kind='mask')
    if image_size is not None:
        height, width = image_size
        if picture.size != (width, height):
            image = 'its image' if image_path is None else (
                f'its image {os.fspath(image_path)!r}')
            raise ValueError(
                f'The mask {os.fspath(path)!r} is {picture.size[0]} x '
                f'{picture.size[1]} pixels (w x h) but {image} is {width} x '
                f'{height}: pair the right files, or resize the mask without '
                'interpolation.')
    if lossy is None:
        lossy = file_format in LOSSY_FORMATS
    return binarise_mask(
        mask_levels(picture, name=os.fspath(path)),
        ignore_value=ignore_value,
        lossy=lossy,
        source=path)


def resize_mask(
    mask: np.ndarray,
    *,
    size: tuple[int, int],
    mode: str,
) -> np.ndarray:
    """Resize a label map without inventing labels.

    Not in the papers: nearest sampling at 2.5 : 1 drops most of a one-pixel
    crack. With ``'area'`` a pixel of the result is crack where any part of
    the area that it covers is; else ignored where any part of that is; else
    background. So no crack vanishes, and it grows by less than one pixel of
    the result on each side. Along an axis that is enlarged every mode takes
    the nearest pixel.

    Args:
        mask (np.ndarray): (H, W) uint8; labels, 255 is ignored. With several
            foreground labels the highest wins in ``'area'``.
        size (tuple[int, int]): (height, width) of the result in pixels.
        mode (str): ``'area'``, ``'nearest'`` or ``'majority'`` (the label
            that covers most of the area; on a tie the foreground).

    Returns:
        np.ndarray: (height, width) uint8.

    Raises:
        ValueError: If ``mode`` or ``size`` is none of the above.
    """
    if mode not in MASK_MODES:
        raise ValueError(
            f'mask mode must be one of {MASK_MODES}, got {mode!r}.')
    height, width = size
    if height < 1 or width < 1:
        raise ValueError(
            f'size must be at least 1 x 1 pixel, got {height} x {width}: '
            'choose a larger scale.')
    if mask.shape == (height, width):
        return mask.copy()
    if mode == 'nearest':
        return _nearest(mask, height, width)
    # Shrink first, so that the second step only enlarges.
    inner = (min(height, mask.shape[0]), min(width, mask.shape[1]))
    if mode == 'area':
        small = _any_area(mask, *inner)
    else:
        small = _majority(mask, *inner)
    return _nearest(small, height, width)


def _nearest(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """Label of the pixel that holds each new pixel's corner, as mmseg."""
    if mask.shape == (height, width):
        return mask
    return cv2.resize(
        mask, (width, height), interpolation=cv2.INTER_NEAREST)


def _any_area(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """Highest-ranking label inside each box; exact integer boxes."""
    rank = np.arange(1, 257).astype(np.uint8)
    rank[0], rank[IGNORED] = 0, 1
    label = np.argsort(rank).astype(np.uint8)
    out = _window_maximum(rank[mask], height)
    out = _window_maximum(np.ascontiguousarray(out.T), width).T
    return np.ascontiguousarray(label[out])


def _window_maximum(rows: np.ndarray, count: int) -> np.ndarray:
    """Maximum over the rows that each of ``count`` equal boxes touches."""
    length = rows.shape[0]
    if count == length:
        return rows
    box = np.arange(count, dtype=np.int64)
    first = box * length // count
    last = -(-(box + 1) * length // count)
    out = rows[first].copy()
    for step in range(1, int((last - first).max())):
        np.maximum(out, rows[np.minimum(first + step, last - 1)], out=out)
    return out


def _majority(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """Label with the largest area inside each box."""
    labels = sorted({int(v) for v in np.unique(mask)},
                    key=lambda v: (v == 0, v == IGNORED, -v))
    area = np.stack([
        cv2.resize((mask == v).astype(np.float32), (width, height),
                   interpolation=cv2.INTER_AREA) for v in labels
    ])
    # A hair of tolerance: float noise must not decide a tie.
    best = (area >= area.max(axis=0) - 1e-5).argmax(axis=0)
    return np.asarray(labels, dtype=np.uint8)[best]
