"""Judge and train on the field of view of a camera only."""

import os
from pathlib import PurePath

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine import fileio

from mmcrack.datasets.images import open_upright
from mmcrack.datasets.masks import IGNORED, binarise_mask, mask_levels
from mmcrack.registry import TRANSFORMS


@TRANSFORMS.register_module()
class IgnoreOutsideFieldOfView(BaseTransform):
    """Set the label to 255 wherever the camera saw nothing.

    A fundus camera leaves a black frame around a round picture. DRIVE ships
    a mask of the round part; scores are made inside it (CIRL's follow JTFN,
    whose code multiplies prediction and truth by it), and a loss that skips
    255 does not learn from the frame either. The masks lie beside the
    images, ``<data_root>/fov/<split>/<stem>.png`` for
    ``<data_root>/images/<split>/<stem>.png``, with 0 outside and 1 (or 255)
    inside.

    Put it right behind the transform that loads the labels, before anything
    crops or turns them; the image is left as it is.

    Required keys: ``img_path``, ``gt_seg_map``. Modified key:
    ``gt_seg_map``.

    Args:
        image_folder (str): Name of the folder of all images, a part of
            ``img_path``; of several such parts the last one counts.
        fov_folder (str): Name of the folder beside it with the masks.
        suffix (str): Ending of the masks.
        backend_args (dict | None): Storage backend, as everywhere in
            OpenMMLab; None reads plain files.

    Raises:
        ValueError: If a folder's name is empty or more than a name, or the
            two are the same.
    """

    def __init__(self,
                 *,
                 image_folder: str = 'images',
                 fov_folder: str = 'fov',
                 suffix: str = '.png',
                 backend_args: dict | None = None) -> None:
        for name, value in (('image_folder', image_folder),
                            ('fov_folder', fov_folder)):
            if not value or PurePath(value).name != value:
                raise ValueError(
                    f'{name} must be the name of one folder such as '
                    f'"images", got {value!r}.')
        if image_folder == fov_folder:
            raise ValueError(
                'image_folder and fov_folder must differ, got '
                f'{image_folder!r} for both: an image is no field of view.')
        self.image_folder = image_folder
        self.fov_folder = fov_folder
        self.suffix = suffix
        self.backend_args = None if backend_args is None else dict(
            backend_args)

    def transform(self, results: dict) -> dict:
        """Ignore what lies outside.

        Args:
            results (dict): With ``img_path`` and the label map.

        Returns:
            dict: The same, labels outside the field of view being 255.

        Raises:
            FileNotFoundError: If the image has no field of view.
            UnreadableImageError: If it cannot be decoded.
            ValueError: If there is no label map, the field of view differs
                from it in size, holds other values, or is empty.
        """
        labels = results.get('gt_seg_map')
        if labels is None:
            raise ValueError(
                f'{type(self).__name__} finds no labels of '
                f'{results.get("img_path")!r}: put it behind '
                'mmcrack.LoadCrackAnnotations.')
        inside = self._read(results['img_path'], labels.shape)
        results['gt_seg_map'] = np.where(
            inside, labels, labels.dtype.type(IGNORED))
        return results

    def _path(self, img_path: str) -> str:
        """Field of view of an image."""
        parts = img_path.replace(os.sep, '/').split('/')
        if self.image_folder not in parts[:-1]:
            raise ValueError(
                f'The image {img_path!r} lies in no folder '
                f'{self.image_folder!r}, so its field of view in '
                f'{self.fov_folder!r} beside that is not known: set '
                f'image_folder of {type(self).__name__}.')
        at = len(parts) - 2 - parts[-2::-1].index(self.image_folder)
        parts[at] = self.fov_folder
        parts[-1] = PurePath(parts[-1]).stem + self.suffix
        return '/'.join(parts)

    def _read(self, img_path: str, size: tuple[int, int]) -> np.ndarray:
        """Pixels inside, bool (H, W)."""
        path = self._path(img_path)
        plain = self.backend_args is None and '://' not in path
        if not fileio.exists(path, backend_args=self.backend_args):
            raise FileNotFoundError(
                f'The image {img_path!r} has no field of view {path!r}: '
                'prepare the data with `python '
                'tools/dataset_converters/drive.py SOURCE OUT`, or leave '
                f'{type(self).__name__} out of the pipeline to count the '
                'whole image.')
        data = None if plain else fileio.get(
            path, backend_args=self.backend_args)
        picture, _ = open_upright(path, data=data, kind='field of view')
        if picture.size != (size[1], size[0]):
            raise ValueError(
                f'The field of view {path!r} is {picture.size[0]} x '
                f'{picture.size[1]} pixels (w x h) but the labels are '
                f'{size[1]} x {size[0]}: give the mask of this image, and '
                f'put {type(self).__name__} right behind the loading of the '
                'labels, before anything resizes or crops them.')
        inside = binarise_mask(
            mask_levels(picture, name=path), source=path) == 1
        if not inside.any():
            raise ValueError(
                f'The field of view {path!r} is empty, so nothing of its '
                'image would count: is it the mask of another image, or '
                'inverted?')
        return inside

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(image_folder={self.image_folder!r}, '
                f'fov_folder={self.fov_folder!r}, suffix={self.suffix!r}, '
                f'backend_args={self.backend_args})')
