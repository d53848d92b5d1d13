"""Load images and masks upright, by the rules of this package."""

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmengine import fileio

from mmcrack.datasets.images import read_image
from mmcrack.datasets.masks import IGNORED, read_mask
from mmcrack.registry import TRANSFORMS


def _content(path: str, backend_args: dict | None) -> bytes | None:
    """Bytes from a storage backend; None for plain files."""
    if backend_args is None and '://' not in path:
        return None
    return fileio.get(path, backend_args=backend_args)


@TRANSFORMS.register_module()
class LoadCrackImage(BaseTransform):
    """Load an image of any kind as 8-bit BGR, upright.

    Not in the papers. Greyscale, 16-bit, RGBA, palette and CMYK images load;
    see :func:`mmcrack.datasets.images.read_image` for the rules.

    Required key: ``img_path``. Added keys: ``img`` (H, W, 3), ``img_shape``
    and ``ori_shape`` (height, width).

    Args:
        to_float32 (bool): Return float32 in [0, 255] instead of uint8.
        backend_args (dict | None): Storage backend, as everywhere in
            OpenMMLab; None reads plain files.
    """

    def __init__(self,
                 *,
                 to_float32: bool = False,
                 backend_args: dict | None = None) -> None:
        self.to_float32 = to_float32
        self.backend_args = None if backend_args is None else dict(
            backend_args)

    def transform(self, results: dict) -> dict:
        """Add the image.

        Args:
            results (dict): With ``img_path``.

        Returns:
            dict: With the image and its sizes.

        Raises:
            FileNotFoundError: If there is no such file.
            UnreadableImageError: If it cannot be decoded.
        """
        path = results['img_path']
        rgb = read_image(path, data=_content(path, self.backend_args))
        image = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        results['img'] = (
            image.astype(np.float32) if self.to_float32 else image)
        results['img_shape'] = image.shape[:2]
        results['ori_shape'] = image.shape[:2]
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(to_float32={self.to_float32}, '
                f'backend_args={self.backend_args})')


@TRANSFORMS.register_module()
class LoadCrackAnnotations(BaseTransform):
    """Load a crack mask as labels {0, 1}, 255 where ignored, upright.

    Not in the papers. ``ignore_value`` and ``lossy_masks`` come from the
    data set (:class:`mmcrack.CrackDataset`); under a stock data set they are
    unset. A size unlike the image's is an error. A ``label_map`` (from
    ``metainfo=dict(classes=...)``) is applied.

    Required key: ``seg_map_path``. Optional: ``ori_shape``, ``img_path``,
    ``ignore_value``, ``lossy_masks``, ``label_map``. Added keys:
    ``gt_seg_map`` (H, W) uint8, its name in ``seg_fields``.

    Args:
        backend_args (dict | None): Storage backend; None reads plain files.
    """

    def __init__(self, *, backend_args: dict | None = None) -> None:
        self.backend_args = None if backend_args is None else dict(
            backend_args)

    def transform(self, results: dict) -> dict:
        """Add the label map.

        Args:
            results (dict): With ``seg_map_path``.

        Returns:
            dict: With the label map.

        Raises:
            FileNotFoundError: If there is no such file.
            UnreadableImageError: If it cannot be decoded.
            ValueError: If the mask breaks the rule, differs from the image
                in size, or ``reduce_zero_label`` is set.
        """
        if 'seg_map_path' not in results:
            raise ValueError(
                f'The image {results.get("img_path")!r} has no mask to load: '
                'set require_masks=True in its data set, or leave '
                'LoadCrackAnnotations out of the pipeline.')
        if results.get('reduce_zero_label'):
            raise ValueError(
                'LoadCrackAnnotations has background as class 0, got '
                'reduce_zero_label=True: set it to False in the data set.')
        path = results['seg_map_path']
        labels = read_mask(
            path,
            ignore_value=results.get('ignore_value'),
            lossy=results.get('lossy_masks'),
            image_size=results.get('ori_shape'),
            image_path=results.get('img_path'),
            data=_content(path, self.backend_args))
        label_map = results.get('label_map')
        if label_map:
            table = np.arange(256).astype(np.uint8)
            for old, new in label_map.items():
                table[old] = new
            table[IGNORED] = IGNORED
            labels = table[labels]
        results['gt_seg_map'] = labels
        results.setdefault('seg_fields', []).append('gt_seg_map')
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(backend_args={self.backend_args})'
