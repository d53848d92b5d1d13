"""Registered data sets: two classes, one mask rule, nothing lost silently."""

import os
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from mmengine import fileio
from mmengine.logging import print_log
from mmseg.datasets import BaseSegDataset

from mmcrack.datasets.images import UnreadableImageError
from mmcrack.datasets.pairing import (
    Pair,
    Pairing,
    as_suffixes,
    names_by_stem,
    pair_names,
)
from mmcrack.datasets.splits import seeded_order
from mmcrack.paths import config_path
from mmcrack.registry import DATASETS

IMG_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff')
MASK_SUFFIXES = ('.png', '.bmp', '.tif', '.tiff', '.gif', '.jpg', '.jpeg')
_WARNING = 30


class Unpaired(NamedTuple):
    """Paths of what has no partner.

    Attributes:
        images (tuple[str, ...]): Images without a mask.
        masks (tuple[str, ...]): Masks without an image.
    """

    images: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()


@DATASETS.register_module()
class CrackDataset(BaseSegDataset):
    """Photographs and crack masks, paired by name.

    Not in the papers. Classes: 0 background, 1 crack; 255 is ignored. Masks
    are read by one rule (:func:`mmcrack.datasets.masks.binarise_mask`); use
    ``mmcrack.LoadCrackImage`` and ``mmcrack.LoadCrackAnnotations``, which
    turn both by their EXIF orientation. Layout::

        data_root/images/<split>/<stem>.jpg
        data_root/masks/<split>/<stem>.png

    Args:
        ann_file (str): List of stems to load, one per line (blank lines and
            lines that start with ``#`` are passed over; a line may end with
            an image suffix). A relative path is looked up below
            ``data_root``, then below mmcrack's ``configs`` folder. '' loads
            every pair.
        img_suffix (str | tuple[str, ...]): Endings of images, letter case
            aside.
        seg_map_suffix (str | tuple[str, ...]): Endings of masks.
        ignore_value (int | None): Mask value that means "no label".
        lossy_masks (bool | None): Whether masks hold grey levels between the
            classes; None: those in a lossy format (JPEG, ...) do.
        skip_unreadable (bool): In training, warn about an image or mask that
            cannot be read and draw another one, instead of stopping. A test
            always stops: its figures would silently be of fewer images.
        exclude (str | tuple[str, ...]): Shell patterns of stems to leave
            out, such as ``'11142-*'``.
        require_masks (bool): Leave out images that have no mask (they are
            listed in ``unpaired``); False keeps them, for prediction.
        part (tuple[int, int] | None): (k, n) keeps the k-th, from 1, of n
            random parts of the images. The parts are disjoint and the same
            on every machine. CIRL, Table 1, trains on quarters.
        prepare (str | None): Command that prepares the data, for the
            message when they are missing; None: that of the class.
        **kwargs: Those of :class:`mmseg.datasets.BaseSegDataset`.

    Attributes:
        unpaired (Unpaired): Images and masks that have no partner, known
            after ``full_init``.

    Raises:
        FileNotFoundError: If a folder, the list or a listed file is missing,
            or there is no image.
        ValueError: If nothing pairs, two images share a stem, or
            ``reduce_zero_label`` is set.
    """

    METAINFO = dict(
        classes=('background', 'crack'),
        palette=[[0, 0, 0], [255, 255, 255]])
    PREPARE = 'python tools/dataset_converters/folder.py IMAGES MASKS OUT'

    def __init__(self,
                 *,
                 ann_file: str = '',
                 img_suffix: str | tuple[str, ...] = IMG_SUFFIXES,
                 seg_map_suffix: str | tuple[str, ...] = MASK_SUFFIXES,
                 ignore_value: int | None = None,
                 lossy_masks: bool | None = None,
                 skip_unreadable: bool = False,
                 exclude: str | tuple[str, ...] = (),
                 require_masks: bool = True,
                 part: tuple[int, int] | None = None,
                 prepare: str | None = None,
                 **kwargs) -> None:
        if kwargs.get('reduce_zero_label'):
            raise ValueError(
                f'{type(self).__name__} has background as class 0, got '
                'reduce_zero_label=True: leave it False.')
        if ignore_value is not None and not 2 <= ignore_value <= 255:
            raise ValueError(
                'ignore_value must lie in 2...255 or be None, got '
                f'{ignore_value}: 0 and 1 are the two classes.')
        if lossy_masks and ignore_value is not None:
            raise ValueError(
                'lossy_masks=True and ignore_value exclude each other (got '
                f'ignore_value={ignore_value}), because grey levels cannot '
                'tell the two apart: set one of them.')
        if part is not None and not 1 <= part[0] <= part[1]:
            raise ValueError(
                'part must be (k, n) with k between 1 and n, got '
                f'{tuple(part)}.')
        self.part = part
        self.ignore_value = ignore_value
        self.lossy_masks = lossy_masks
        self.skip_unreadable = skip_unreadable
        self.exclude = (exclude, ) if isinstance(exclude, str) else tuple(
            exclude)
        self.require_masks = require_masks
        self.prepare = prepare or self.PREPARE
        self.unpaired = Unpaired()
        self._reported: set[str] = set()
        super().__init__(
            ann_file=ann_file,
            img_suffix=as_suffixes(img_suffix, name='img_suffix'),
            seg_map_suffix=as_suffixes(
                seg_map_suffix, name='seg_map_suffix'),
            **kwargs)

    def load_data_list(self) -> list[dict]:
        """List the pairs of the split.

        Returns:
            list[dict]: Per image ``img_path``, ``seg_map_path`` (where it
            has a mask), ``ignore_value``, ``lossy_masks``, ``label_map``,
            ``reduce_zero_label`` and an empty ``seg_fields``.
        """
        pairing = self._pairing()
        if self.exclude:
            pairing = self._without_excluded(pairing)
        if self.ann_file:
            pairing = self._listed_only(pairing)
        self._report(pairing)
        found = [(p.stem, p.image, p.mask) for p in pairing.pairs]
        if not self.require_masks:
            found += [(self._stem(name), name, None)
                      for name in pairing.images_without_mask]
        found.sort(key=lambda entry: entry[0])
        if self.part is not None:
            number, count = self.part
            if len(found) < count:
                raise ValueError(
                    f'{type(self).__name__} cannot give {len(found)} images '
                    f'to part={tuple(self.part)}: ask for fewer parts.')
            order = seeded_order((stem for stem, *_ in found), seed=0)
            kept = set(order[number - 1::count])
            found = [entry for entry in found if entry[0] in kept]
        return [self._data_info(image, mask) for _, image, mask in found]

    def prepare_data(self, idx: int) -> dict | None:
        """Run the pipeline on one image.

        Args:
            idx (int): Index into the data set.

        Returns:
            dict | None: What the pipeline returns; None (so that another
            image is drawn) for an unreadable file when training with
            ``skip_unreadable``.

        Raises:
            UnreadableImageError: If a file cannot be decoded.
            FileNotFoundError: If a file has vanished.
        """
        try:
            return super().prepare_data(idx)
        except (UnreadableImageError, FileNotFoundError) as error:
            message = str(error)
            if self.test_mode:
                raise
            if not self.skip_unreadable:
                raise type(error)(
                    f'{message} With skip_unreadable=True in the data set '
                    'training goes on without it.') from error
            if message not in self._reported:
                self._reported.add(message)
                print_log(
                    f'{message} Skipped, because skip_unreadable=True.',
                    logger='current',
                    level=_WARNING)
            return None

    def _join_prefix(self) -> None:
        """Join paths; a list may also ship with mmcrack's configs."""
        relative = self.ann_file
        super()._join_prefix()
        if not relative or os.path.isabs(relative) or fileio.exists(
                self.ann_file, backend_args=self.backend_args):
            return
        configs = Path(config_path('_base_/default_runtime')).parent.parent
        if (configs / relative).is_file():
            self.ann_file = str(configs / relative)

    def _pairing(self) -> Pairing:
        """Pair the files of the two folders."""
        image_folder = self.data_prefix.get('img_path')
        mask_folder = self.data_prefix.get('seg_map_path')
        if image_folder is None or (
                mask_folder is None and self.require_masks):
            raise ValueError(
                'data_prefix must name the folders img_path and '
                f'seg_map_path, got {self.data_prefix}: add the missing one, '
                'or set require_masks=False for images without masks.')
        images = self._files(image_folder, 'image')
        masks = None
        if mask_folder is not None and (
                self.require_masks or self._is_folder(mask_folder)):
            masks = self._files(mask_folder, 'mask')
        if masks is None:
            names = names_by_stem(
                images, suffixes=self.img_suffix, kind='image',
                folder=image_folder)
            pairing = Pairing((), tuple(names.values()), ())
        else:
            pairing = pair_names(
                images,
                masks,
                image_suffixes=self.img_suffix,
                mask_suffixes=self.seg_map_suffix,
                image_folder=image_folder,
                mask_folder=mask_folder)
        if not pairing.pairs and not pairing.images_without_mask:
            raise FileNotFoundError(
                f'{type(self).__name__} finds no image ending with '
                f'{", ".join(self.img_suffix)} in the folder '
                f'{image_folder!r} ({len(images)} other files): '
                f'{self._cure()}')
        return pairing

    def _is_folder(self, folder: str) -> bool:
        return fileio.isdir(folder or '.', backend_args=self.backend_args)

    def _files(self, folder: str, kind: str) -> list[str]:
        """Names of all files below a folder."""
        if not self._is_folder(folder):
            raise FileNotFoundError(
                f'{type(self).__name__} finds no {kind} folder '
                f'{folder!r}: {self._cure()}')
        return list(
            fileio.list_dir_or_file(
                folder or '.',
                list_dir=False,
                recursive=True,
                backend_args=self.backend_args))

    def _cure(self) -> str:
        """What to do when data are missing."""
        root = os.environ.get('MMCRACK_DATA')
        now = 'not set now' if root is None else f'now {root!r}'
        return (
            f'prepare the data with `{self.prepare}`, or set the environment '
            f'variable MMCRACK_DATA ({now}) to the folder that holds the '
            'prepared data sets.')

    def _stem(self, name: str) -> str:
        """Name of an image without its suffix."""
        suffix = next(
            s for s in self.img_suffix if name.lower().endswith(s))
        return name[:-len(suffix)].replace(os.sep, '/')

    def _excluded(self, stem: str) -> bool:
        return any(
            fnmatchcase(stem, pattern) or
            fnmatchcase(stem.rsplit('/', 1)[-1], pattern)
            for pattern in self.exclude)

    def _without_excluded(self, pairing: Pairing) -> Pairing:
        """Leave out what ``exclude`` names."""

        def mask_stem(name: str) -> str:
            suffix = next(s for s in self.seg_map_suffix
                          if name.lower().endswith(s))
            return name[:-len(suffix)]

        kept = Pairing(
            tuple(p for p in pairing.pairs if not self._excluded(p.stem)),
            tuple(n for n in pairing.images_without_mask
                  if not self._excluded(self._stem(n))),
            tuple(n for n in pairing.masks_without_image
                  if not self._excluded(mask_stem(n))))
        if not kept.pairs and not kept.images_without_mask:
            raise ValueError(
                f'exclude={self.exclude} leaves no image of '
                f'{len(pairing.pairs)} in {self.data_prefix["img_path"]!r}: '
                'narrow the patterns.')
        return kept

    def _listed_only(self, pairing: Pairing) -> Pairing:
        """Keep what ``ann_file`` lists; each of its lines must exist."""
        if not fileio.isfile(self.ann_file, backend_args=self.backend_args):
            raise FileNotFoundError(
                f'{type(self).__name__} finds no list ann_file='
                f'{self.ann_file!r}: write one stem per line there, or leave '
                'ann_file empty to load every pair.')
        text = fileio.get_text(
            self.ann_file, backend_args=self.backend_args)
        lines = [line.strip() for line in text.splitlines()]
        lines = [line for line in lines if line and not line.startswith('#')]
        pairs: dict[str, Pair] = {p.stem: p for p in pairing.pairs}
        lone = {self._stem(n): n for n in pairing.images_without_mask}
        stems, missing = [], []
        for line in dict.fromkeys(lines):
            stem = line
            if stem not in pairs and stem not in lone and (
                    line.lower().endswith(self.img_suffix)):
                stem = self._stem(line)
            known = stem in pairs or (
                stem in lone and not self.require_masks)
            if known:
                stems.append(stem)
            elif not self._excluded(stem):
                missing.append(line)
        if missing or not stems:
            named = ', '.join(missing[:5]) or 'nothing'
            raise FileNotFoundError(
                f'The list {self.ann_file!r} names {named} ({len(missing)} '
                f'of {len(lines)} lines) without an image and its mask in '
                f'{self.data_prefix.get("img_path")!r} and '
                f'{self.data_prefix.get("seg_map_path")!r}: '
                f'{self._cure()}')
        return Pairing(
            tuple(pairs[s] for s in stems if s in pairs),
            tuple(lone[s] for s in stems if s in lone), ())

    def _report(self, pairing: Pairing) -> None:
        """Keep the list of what has no partner, and say so once."""
        image_folder = self.data_prefix['img_path']
        mask_folder = self.data_prefix.get('seg_map_path') or ''
        self.unpaired = Unpaired(
            tuple(os.path.join(image_folder, n)
                  for n in pairing.images_without_mask),
            tuple(os.path.join(mask_folder, n)
                  for n in pairing.masks_without_image))
        images, masks = self.unpaired
        if self.require_masks and not pairing.pairs:
            raise ValueError(
                f'{type(self).__name__} pairs no image with a mask: '
                f'{len(images)} images such as {_some(images)} and '
                f'{len(masks)} masks such as {_some(masks)} share no stem; '
                'rename them alike, or set img_suffix and seg_map_suffix '
                '(for example "_mask.png").')
        if masks or (images and self.require_masks):
            print_log(
                f'{type(self).__name__} leaves out {len(images)} images '
                f'without a mask ({_some(images)}) and {len(masks)} masks '
                f'without an image ({_some(masks)}); dataset.unpaired lists '
                'them all.' if self.require_masks else
                f'{type(self).__name__} leaves out {len(masks)} masks '
                f'without an image ({_some(masks)}); dataset.unpaired lists '
                'them all.',
                logger='current',
                level=_WARNING)

    def _data_info(self, image: str, mask: str | None) -> dict:
        """Entry of the data list."""
        info = dict(
            img_path=os.path.join(self.data_prefix['img_path'], image),
            label_map=self.label_map,
            reduce_zero_label=False,
            ignore_value=self.ignore_value,
            lossy_masks=self.lossy_masks,
            seg_fields=[])
        if mask is not None:
            info['seg_map_path'] = os.path.join(
                self.data_prefix['seg_map_path'], mask)
        return info


def _some(paths: Iterable[str]) -> str:
    """First three names, for a message."""
    names = [os.path.basename(p) for p in paths]
    return ', '.join(names[:3]) + (', ...' if len(names) > 3 else '') or (
        'none')


@DATASETS.register_module()
class CFDDataset(CrackDataset):
    """CFD (CrackForest): 118 asphalt photographs of 480 x 320 pixels.

    Shi et al. 2016. Crack is {2, 4} of the distributed label map; the
    converter writes it as 1. Arguments: those of :class:`CrackDataset`.
    """

    PREPARE = 'python tools/dataset_converters/cfd.py SOURCE OUT'


@DATASETS.register_module()
class Crack500Dataset(CrackDataset):
    """Crack500: crops of 640 x 360, 360 x 640 and 648 x 484 pixels.

    Yang et al. 2020. Sizes are mixed, so crop or resize before batching.
    Arguments: those of :class:`CrackDataset`.
    """

    PREPARE = 'python tools/dataset_converters/crack500.py SOURCE OUT'


@DATASETS.register_module()
class CrackTree200Dataset(CrackDataset):
    """CrackTree200: 206 asphalt photographs of 800 x 600 pixels.

    Zou et al. 2012. The labels are lines of one pixel; the converter widens
    them, for training and for the test alike. Arguments: those of
    :class:`CrackDataset`.
    """

    PREPARE = 'python tools/dataset_converters/cracktree200.py SOURCE OUT'


@DATASETS.register_module()
class DeepCrackDataset(CrackDataset):
    """DeepCrack537: 300 + 237 images of 544 x 384 pixels.

    Liu et al. 2019. In the official split, test 11216 is the photograph of
    train 11158, and the photographs 11142, 11289 and IMG_6536 gave crops to
    both parts.

    Args:
        exclude_leaks (bool): Leave out those test crops. Stems repeat
            between the parts, so the folder decides: nothing is left out of
            an ``img_path`` whose last part starts with 'train' or 'val'.
        exclude (str | tuple[str, ...]): Further patterns to leave out.
        **kwargs: Those of :class:`CrackDataset`.
    """

    PREPARE = 'python tools/dataset_converters/deepcrack.py SOURCE OUT'
    LEAKS = ('11142', '11142-*', '11289', '11289-*', 'IMG_6536',
             'IMG_6536-*', '11216')

    def __init__(self,
                 *,
                 exclude_leaks: bool = True,
                 exclude: str | tuple[str, ...] = (),
                 **kwargs) -> None:
        exclude = (exclude, ) if isinstance(exclude, str) else tuple(exclude)
        folder = (kwargs.get('data_prefix') or {}).get('img_path', '')
        part = Path(folder).name.lower()
        if exclude_leaks and not part.startswith(('train', 'val')):
            exclude += self.LEAKS
        self.exclude_leaks = exclude_leaks
        super().__init__(exclude=exclude, **kwargs)


@DATASETS.register_module()
class HighResolutionCrackDataset(CrackDataset):
    """Whole photographs beyond 2K, such as NHA12D or one's own.

    Not in the papers: CBPRN's Changsha photographs are not public. Train on
    crops (``mmcrack.CrackCrop``), test on whole images. Arguments: those of
    :class:`CrackDataset`.
    """
