"""Which images and masks are examined: a prepared folder, or two folders."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmcrack.datasets.conversion import IMAGE_SUFFIXES, MANIFEST
from mmcrack.datasets.pairing import pair_folders
from mmcrack.datasets.splits import SPLITS

PHOTO_SUFFIXES = (*IMAGE_SUFFIXES, '.webp')
MASK_SUFFIXES = ('.png', '.bmp', '.tif', '.tiff', '.gif', '.jpg', '.jpeg',
                 '.webp')
UNSPLIT = 'all'


@dataclass(frozen=True)
class Rule:
    """How the masks will be read in training.

    Attributes:
        ignore_value: Value without a label, or None.
        lossy: Whether grey levels are expected; None: by file format.
        stock: Whether MMSegmentation's own loader reads them, which takes
            every value for a class.
        known: Whether this is known from a config, or only assumed.
    """

    ignore_value: int | None = None
    lossy: bool | None = None
    stock: bool = False
    known: bool = False


@dataclass(frozen=True, kw_only=True)
class Item:
    """An image and its mask; one of them may be missing.

    Attributes:
        split: train, val, test, or what the folder is called.
        stem: Name without suffix.
        image: Its file.
        mask: Its mask.
        fov: Its field of view, where the set has one.
        rule: How its mask will be read.
    """

    split: str
    stem: str
    image: Path | None
    mask: Path | None
    fov: Path | None = None
    rule: Rule = Rule()

    @property
    def name(self) -> str:
        """Split and stem."""
        return f'{self.split}/{self.stem}'


@dataclass(frozen=True, kw_only=True)
class Source:
    """What is examined.

    Attributes:
        title: Name for the report.
        items: Pairs and what has no partner.
        images: Folder of the images, for commands.
        masks: Folder of the masks, for commands.
        folders: Folders that are never written into.
        command: Command that examines this source.
    """

    title: str
    items: Sequence[Item]
    images: str
    masks: str
    folders: Sequence[Path]
    command: str


def split_of(folder: str) -> str:
    """Maps the name of a folder to a split.

    Args:
        folder: Such as 'Training', 'valid' or 'test_img'.

    Returns:
        train, val or test, or the name itself.
    """
    lower = folder.lower()
    return next((s for s in SPLITS if lower.startswith(s)), folder)


def from_layout(root: Path) -> Source:
    """Lists a folder in mmcrack's layout, split by split.

    Args:
        root: Folder with ``images/<split>`` and ``masks/<split>``, or with
            images and masks right in ``images`` and ``masks``.

    Returns:
        Its pairs.

    Raises:
        FileNotFoundError: If there is no such folder.
        NotADirectoryError: If it is a file.
        ValueError: If it has another layout or holds no image.
    """
    root = _folder(Path(root), 'data folder')
    missing = [n for n in ('images', 'masks') if not (root / n).is_dir()]
    if missing:
        raise ValueError(
            f'the data folder {str(root)!r} must hold images/ and masks/, '
            f'but has no {" and no ".join(missing)}; name the two folders '
            'with --images and --masks')
    rule = Rule(255 if _is_converted(root) else None)
    return _source(
        root / 'images', root / 'masks', title=root.resolve().name,
        command=f'python tools/dataset_doctor.py {shlex.quote(str(root))}',
        folders=[root], rule=rule, fov=root / 'fov',
        suffixes=(PHOTO_SUFFIXES, MASK_SUFFIXES))


def from_folders(
    images: Path,
    masks: Path,
    *,
    image_suffix: Iterable[str] = PHOTO_SUFFIXES,
    mask_suffix: Iterable[str] = MASK_SUFFIXES,
) -> Source:
    """Lists two folders (or one) of images and masks.

    Subfolders whose name begins with train, val or test are splits.

    Args:
        images: Folder of the images.
        masks: Folder of the masks.
        image_suffix: Endings of images.
        mask_suffix: Endings of masks.

    Returns:
        The pairs.

    Raises:
        FileNotFoundError: If a folder does not exist.
        NotADirectoryError: If one is a file.
        ValueError: If there is no image.
    """
    images = _folder(Path(images), 'image folder')
    masks = _folder(Path(masks), 'mask folder')
    command = (
        'python tools/dataset_doctor.py --images '
        f'{shlex.quote(str(images))} --masks {shlex.quote(str(masks))}')
    return _source(
        images, masks, title=f'{images.name} + {masks.name}',
        command=command, folders=[images, masks], rule=Rule(),
        suffixes=(tuple(image_suffix), tuple(mask_suffix)))


def _is_converted(root: Path) -> bool:
    """Whether 255 means "no label": only what a converter wrote."""
    path = root / MANIFEST
    return path.is_file() and '"format"' in path.read_text('utf-8')


def _folder(path: Path, what: str) -> Path:
    if not path.exists():
        raise FileNotFoundError(
            f'there is no {what} {str(path)!r}; check the path')
    if not path.is_dir():
        raise NotADirectoryError(
            f'the {what} {str(path)!r} must be a folder, got a file; name '
            'the folder that it lies in')
    return path


def _source(
    images: Path,
    masks: Path,
    *,
    title: str,
    command: str,
    folders: list[Path],
    rule: Rule,
    suffixes: tuple[tuple[str, ...], tuple[str, ...]],
    fov: Path | None = None,
) -> Source:
    pairing = pair_folders(
        images, masks, image_suffixes=suffixes[0],
        mask_suffixes=suffixes[1])
    found = [
        *((p.stem, p.image, p.mask) for p in pairing.pairs),
        *((_bare(n, suffixes[0]), n, None)
          for n in pairing.images_without_mask),
        *((_bare(n, suffixes[1]), None, n)
          for n in pairing.masks_without_image),
    ]
    if not any(image for _, image, _ in found):
        raise ValueError(
            f'the image folder {str(images)!r} holds no image ending with '
            f'{", ".join(suffixes[0])}; check the folder')
    if not pairing.pairs:
        raise ValueError(
            f'no image in {str(images)!r} has a mask of its name in '
            f'{str(masks)!r}; check the folders and --mask-suffix (such as '
            '_mask.png)')
    items = []
    for stem, image, mask in found:
        first, _, rest = stem.partition('/')
        split = split_of(first) if rest else UNSPLIT
        known = split in SPLITS
        inside = None if fov is None else fov / f'{stem}.png'
        items.append(Item(
            split=split if known else UNSPLIT,
            stem=rest if known else stem,
            image=None if image is None else images / image,
            mask=None if mask is None else masks / mask,
            fov=inside if inside is not None and inside.is_file() else None,
            rule=rule))
    return Source(
        title=title, items=sorted(items, key=lambda i: i.name),
        images=shlex.quote(str(images)), masks=shlex.quote(str(masks)),
        folders=folders, command=command)


def _bare(name: str, suffixes: tuple[str, ...]) -> str:
    """Name without its longest fitting suffix."""
    ends = [s for s in suffixes if name.lower().endswith(s.lower())]
    return name[:-max(map(len, ends), default=0) or None]
