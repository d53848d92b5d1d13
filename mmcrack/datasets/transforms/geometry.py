"""Turn, resize and crop without losing thin cracks."""

from collections.abc import Sequence
from numbers import Real

import cv2
import mmcv
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms import Resize as MMCVResize
from mmcv.transforms.utils import cache_randomness

from mmcrack.datasets.masks import IGNORED, MASK_MODES, resize_mask
from mmcrack.registry import TRANSFORMS

INTERPOLATIONS = ('auto', 'nearest', 'bilinear', 'bicubic', 'area', 'lanczos')


def check_probability(value: float, *, name: str) -> float:
    """A number in [0, 1]."""
    if not isinstance(value, Real) or not 0 <= value <= 1:
        raise ValueError(f'{name} must lie in [0, 1], got {value!r}.')
    return float(value)


def _label_maps(results: dict) -> list[str]:
    """Keys of the label maps that are loaded."""
    return [
        key for key in results.get('seg_fields', ())
        if results.get(key) is not None
    ]


@TRANSFORMS.register_module()
class RandomRotate90(BaseTransform):
    """Turn image and label maps by a multiple of 90 degrees, without loss.

    Not in the papers: a photograph of a surface has no up.

    Modified keys: ``img``, ``img_shape``, every key in ``seg_fields``.

    Args:
        prob (float): Probability of a turn.
        angles (Sequence[int]): Angles to draw from, evenly, in degrees
            counter-clockwise; of 90, 180 and 270.

    Raises:
        ValueError: If ``prob`` or ``angles`` are not as above.
    """

    def __init__(self,
                 *,
                 prob: float = 0.5,
                 angles: Sequence[int] = (90, 180, 270)) -> None:
        self.prob = check_probability(prob, name='prob')
        self.angles = (angles, ) if isinstance(angles, int) else tuple(angles)
        if not self.angles or not set(self.angles) <= {90, 180, 270}:
            raise ValueError(
                f'angles must be of 90, 180 and 270 degrees, got {angles!r}: '
                "for other angles use mmseg's RandomRotate.")

    @cache_randomness
    def _quarter_turns(self) -> int:
        """Number of quarter turns, 0 to 3."""
        if np.random.rand() >= self.prob:  # noqa: NPY002
            return 0
        return np.random.choice(self.angles) // 90  # noqa: NPY002

    def transform(self, results: dict) -> dict:
        """Turn, or not.

        Args:
            results (dict): With ``img``, and label maps where they are.

        Returns:
            dict: The same, turned alike.
        """
        turns = self._quarter_turns()
        if turns == 0:
            return results
        for key in ['img', *_label_maps(results)]:
            results[key] = np.ascontiguousarray(
                np.rot90(results[key], turns))
        results['img_shape'] = results['img'].shape[:2]
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(prob={self.prob}, '
                f'angles={self.angles})')


@TRANSFORMS.register_module()
class CrackResize(MMCVResize):
    """Resize image and label maps so that thin cracks stay.

    Not in the papers, which resize to 256 x 256 and do not say how; nearest
    sampling of the mask (MMSegmentation's) erases one-pixel cracks at
    2.5 : 1. See :func:`mmcrack.datasets.masks.resize_mask`.

    Modified keys: ``img``, ``img_shape``, every key in ``seg_fields``. Added
    keys: ``scale``, ``scale_factor``, ``keep_ratio``.

    Args:
        scale (int | tuple[int, int] | None): (width, height) in pixels, as
            in OpenMMLab; with ``keep_ratio`` the bounds of the long and the
            short edge.
        scale_factor (float | tuple[float, float] | None): Factor, or (width,
            height) factors, used when ``scale`` is None.
        keep_ratio (bool): Keep width : height.
        mask_mode (str): 'area', 'nearest' or 'majority'.
        interpolation (str): Of the image: 'auto' is 'area' when it shrinks
            and 'bilinear' when it grows; or one that mmcv knows.

    Raises:
        ValueError: If the size is not given in one way, or a mode is
            unknown.
    """

    def __init__(self,
                 *,
                 scale: int | tuple[int, int] | None = None,
                 scale_factor: float | tuple[float, float] | None = None,
                 keep_ratio: bool = False,
                 mask_mode: str = 'area',
                 interpolation: str = 'auto') -> None:
        if (scale is None) == (scale_factor is None):
            raise ValueError(
                'CrackResize wants either scale or scale_factor, got '
                f'scale={scale!r} and scale_factor={scale_factor!r}.')
        scale = _positive_pair(scale, name='scale')
        scale_factor = _positive_pair(scale_factor, name='scale_factor')
        if mask_mode not in MASK_MODES:
            raise ValueError(
                f'mask_mode must be one of {MASK_MODES}, got {mask_mode!r}.')
        if interpolation not in INTERPOLATIONS:
            raise ValueError(
                f'interpolation must be one of {INTERPOLATIONS}, got '
                f'{interpolation!r}.')
        super().__init__(
            scale=scale,
            scale_factor=scale_factor,
            keep_ratio=keep_ratio,
            interpolation=interpolation)
        self.mask_mode = mask_mode

    def _resize_img(self, results: dict) -> None:
        """Resize the image to ``results['scale']``."""
        image = results['img']
        height, width = image.shape[:2]
        size = results['scale']
        if self.keep_ratio:
            size = mmcv.rescale_size((width, height), size)
        size = (max(1, int(size[0])), max(1, int(size[1])))
        how = self.interpolation
        if how == 'auto':
            shrinks = size[0] * size[1] < width * height
            how = 'area' if shrinks else 'bilinear'
        results['img'] = mmcv.imresize(image, size, interpolation=how)
        results['img_shape'] = results['img'].shape[:2]
        results['scale_factor'] = (size[0] / width, size[1] / height)
        results['keep_ratio'] = self.keep_ratio

    def _resize_seg(self, results: dict) -> None:
        """Resize every label map to the size of the resized image."""
        for key in _label_maps(results):
            results[key] = resize_mask(
                results[key],
                size=tuple(results['img_shape']),
                mode=self.mask_mode)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(scale={self.scale}, '
                f'scale_factor={self.scale_factor}, '
                f'keep_ratio={self.keep_ratio}, '
                f'mask_mode={self.mask_mode!r}, '
                f'interpolation={self.interpolation!r})')


def _positive_pair(value, *, name: str) -> tuple | None:
    """One positive number or two, as a pair."""
    if value is None:
        return None
    pair = (value, value) if isinstance(value, Real) else tuple(value)
    if len(pair) != 2 or not all(
            isinstance(v, Real) and v > 0 for v in pair):
        raise ValueError(
            f'{name} must be one positive number or two (width, height), '
            f'got {value!r}.')
    return pair


@TRANSFORMS.register_module()
class CrackCrop(BaseTransform):
    """Cut a crop, more often on a crack than chance would.

    Not in the papers: CBPRN uses plain random crops, and at 1 % of crack
    pixels most of those are empty. With ``crack_prob`` a crack pixel is
    drawn evenly and the crop is laid around it, shifted by a jitter and back
    into the image; the pixel always stays inside. Otherwise, or where there
    is no crack, the crop is uniform. A smaller image is padded at the bottom
    and right.

    Modified keys: ``img``, ``img_shape``, every key in ``seg_fields``.

    Args:
        crop_size (int | tuple[int, int]): (height, width) in pixels.
        crack_prob (float): Probability of a crop on a crack; 0 is a plain
            random crop.
        jitter (float): Largest shift of the crop's centre from the crack
            pixel, as a fraction of the crop, in [0, 0.5]; 0.5 lets the pixel
            lie anywhere in the crop.
        crack_class (int): Label of the crack.
        pad_val (float | Sequence[float]): Value of padded image pixels, in
            the channel order of the image.
        seg_pad_val (int): Label of padded pixels; 255 is ignored.

    Raises:
        ValueError: If a value is out of its range.
    """

    def __init__(self,
                 *,
                 crop_size: int | tuple[int, int],
                 crack_prob: float = 0.5,
                 jitter: float = 0.25,
                 crack_class: int = 1,
                 pad_val: float | Sequence[float] = 0,
                 seg_pad_val: int = IGNORED) -> None:
        size = (crop_size, crop_size) if isinstance(
            crop_size, int) else tuple(crop_size)
        if len(size) != 2 or not all(
                isinstance(v, int) and v > 0 for v in size):
            raise ValueError(
                'crop_size must be one positive integer or two (height, '
                f'width), got {crop_size!r}.')
        if not isinstance(jitter, Real) or not 0 <= jitter <= 0.5:
            raise ValueError(
                f'jitter must lie in [0, 0.5], got {jitter!r}: it is a '
                'fraction of the crop.')
        self.crop_size = size
        self.crack_prob = check_probability(crack_prob, name='crack_prob')
        self.jitter = float(jitter)
        self.crack_class = crack_class
        self.pad_val = pad_val
        self.seg_pad_val = seg_pad_val

    @cache_randomness
    def _corner(self, size: tuple[int, int],
                labels: np.ndarray | None) -> tuple[int, int]:
        """Top and left of the crop in the padded image.

        Args:
            size (tuple[int, int]): (height, width) of the padded image.
            labels (np.ndarray | None): Label map, not padded.
        """
        room = [have - crop for have, crop in zip(size, self.crop_size,
                                                  strict=True)]
        on_crack = np.random.rand() < self.crack_prob  # noqa: NPY002
        if on_crack and labels is not None:
            cracks = np.flatnonzero(labels == self.crack_class)
            if cracks.size:
                index = cracks[np.random.randint(cracks.size)]  # noqa: NPY002
                point = divmod(int(index), labels.shape[1])
                return tuple(
                    min(max(at - self._offset(crop), 0), free)
                    for at, crop, free in zip(point, self.crop_size, room,
                                              strict=True))
        return tuple(
            int(np.random.randint(free + 1)) for free in room)  # noqa: NPY002

    def _offset(self, crop: int) -> int:
        """Place of the crack pixel inside the crop, along one axis."""
        reach = int(self.jitter * crop)
        shift = np.random.randint(-reach, reach + 1)  # noqa: NPY002
        return int(min(max(crop // 2 + shift, 0), crop - 1))

    def transform(self, results: dict) -> dict:
        """Pad where it is needed, and cut.

        Args:
            results (dict): With ``img``, and label maps where they are.

        Returns:
            dict: The same, of ``crop_size``.
        """
        height, width = results['img'].shape[:2]
        padded = (max(height, self.crop_size[0]),
                  max(width, self.crop_size[1]))
        top, left = self._corner(padded, results.get('gt_seg_map'))
        for key in ['img', *_label_maps(results)]:
            value = self.pad_val if key == 'img' else self.seg_pad_val
            results[key] = self._cut(results[key], top, left, value)
        results['img_shape'] = results['img'].shape[:2]
        return results

    def _cut(self, array: np.ndarray, top: int, left: int,
             value: float | Sequence[float]) -> np.ndarray:
        """One crop; padding only as far as the crop reaches."""
        part = array[top:top + self.crop_size[0],
                     left:left + self.crop_size[1]]
        below = self.crop_size[0] - part.shape[0]
        right = self.crop_size[1] - part.shape[1]
        if below == 0 and right == 0:
            return np.ascontiguousarray(part)
        channels = 1 if part.ndim == 2 else part.shape[2]
        fill = [value] * channels if isinstance(value, Real) else list(value)
        if len(fill) != channels:
            raise ValueError(
                f'pad_val must be one number or one per channel, got {value!r}'
                f' for an image of {channels} channels.')
        return cv2.copyMakeBorder(
            part, 0, below, 0, right, cv2.BORDER_CONSTANT, value=fill)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(crop_size={self.crop_size}, '
                f'crack_prob={self.crack_prob}, jitter={self.jitter}, '
                f'crack_class={self.crack_class}, pad_val={self.pad_val}, '
                f'seg_pad_val={self.seg_pad_val})')
