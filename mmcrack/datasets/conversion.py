"""What all dataset converters share: splits, checks, writing, the manifest.

Not in the papers: both papers name public data sets and none says how they
were prepared. A converter lists :class:`Sample` objects and calls
:func:`convert`; the result is always the same folder::

    OUT/images/<split>/<stem>.<ext>   the photograph, copied byte for byte
    OUT/masks/<split>/<stem>.png      uint8, 0 background, 1 crack, 255 ignored
    OUT/fov/<split>/<stem>.png        uint8, 1 inside the field of view, else 0
    OUT/splits/<split>.txt            the stems of the split, one per line
    OUT/manifest.json                 where each pair is from, sizes, hashes

``fov`` is there only for data sets that come with one (DRIVE).

The folder appears under its name only when it is whole: everything is
written beside it and renamed at the end. Nothing in it depends on the time,
the machine or the order of a directory listing, so a second conversion is
byte-identical.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mmcrack.datasets.images import read_image
from mmcrack.datasets.masks import read_mask
from mmcrack.datasets.splits import SPLITS

MANIFEST = 'manifest.json'
FORMAT = 1
# What CrackDataset looks for; a picture of another kind is saved as PNG.
IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.tif', '.tiff', '.bmp')
_ORIENTATION_TAG = 274
_COPY = 'the same pixels are in another split'


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One pair to convert.

    Attributes:
        stem: Name without suffix in the output.
        split: One of :data:`SPLITS`.
        group: Photograph that the image is a part of; one group belongs in
            one split.
        source_id: Path of the image below the source folder, ``/`` between
            the parts.
        image: Image file.
        read_mask: Maps the image's (height, width) in pixels to its mask,
            uint8 (H, W) of 0, 1 and 255.
        read_pixels: Makes the pixels to be stored, uint8 RGB (H, W, 3), when
            they are not those of ``image``; None copies the file.
        read_fov: Maps the image's (height, width) in pixels to its field of
            view, uint8 (H, W), 1 inside and 0 outside; None where the whole
            image counts.
    """

    stem: str
    split: str
    group: str
    source_id: str
    image: Path
    read_mask: Callable[[tuple[int, int]], np.ndarray]
    read_pixels: Callable[[], np.ndarray] | None = None
    read_fov: Callable[[tuple[int, int]], np.ndarray] | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a converter found in its sources.

    Attributes:
        dataset: Name for the manifest.
        sources: Folders that are read; the output must lie apart from them.
        samples: Pairs to write.
        settings: Options that the result depends on.
        notes: Warnings, one sentence each.
        left_out: ``source_id`` and ``reason`` of what is not converted.
    """

    dataset: str
    sources: Sequence[Path]
    samples: Sequence[Sample]
    settings: Mapping[str, object]
    notes: Sequence[str] = ()
    left_out: Sequence[Mapping[str, str]] = ()


def crossing_groups(samples: Iterable[Sample]) -> dict[str, list[str]]:
    """Photographs that gave images to more than one split.

    Args:
        samples: Pairs with their splits.

    Returns:
        For each such photograph its ``<split>/<stem>``, sorted.
    """
    members: dict[str, list[Sample]] = {}
    for sample in samples:
        members.setdefault(sample.group, []).append(sample)
    return {
        group: sorted(f'{s.split}/{s.stem}' for s in parts)
        for group, parts in sorted(members.items())
        if len({s.split for s in parts}) > 1
    }


def drop_leaks(
    samples: Sequence[Sample],
) -> tuple[list[Sample], list[Sample]]:
    """Removes held-out images whose photograph is in an earlier split too.

    Args:
        samples: Pairs with their splits.

    Returns:
        The pairs to keep, and those to drop: of each photograph the images
        of its first split (train before val before test) stay.
    """
    first: dict[str, int] = {}
    for sample in samples:
        rank = SPLITS.index(sample.split)
        first[sample.group] = min(rank, first.get(sample.group, rank))
    kept, dropped = [], []
    for sample in samples:
        early = SPLITS.index(sample.split) == first[sample.group]
        (kept if early else dropped).append(sample)
    return kept, dropped


def convert(
    plan: Plan, out: Path, *, overwrite: bool, drop_duplicates: bool
) -> dict:
    """Writes a converted data set.

    Args:
        plan: What to write.
        out: Folder to make; new or empty, unless ``overwrite``.
        overwrite: Whether an earlier conversion in ``out`` is replaced.
        drop_duplicates: Whether an image that occurs in two splits is
            dropped from the one nearer to training instead of refused.

    Returns:
        The manifest, as written.

    Raises:
        ValueError: If ``out`` is in use or touches a source, a pair is
            unusable, or an image occurs in two splits.
    """
    out = Path(out).absolute()
    _check_output(out, plan.sources, overwrite=overwrite)
    _check_names(plan.samples)
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f'.{out.name}.part', dir=out.parent))
    try:
        records = _write_pairs(plan.samples, work / 'new')
        dropped, same = _duplicates(records, drop=drop_duplicates)
        for record in dropped:
            for kind in {'image', 'mask', 'fov'} & record.keys():
                (work / 'new' / record[kind]).unlink()
        kept = [record for record in records if record not in dropped]
        manifest = {
            'format': FORMAT,
            'dataset': plan.dataset,
            'settings': dict(plan.settings),
            **_figures(kept),
            'notes': [*plan.notes, *same],
            'left_out': [
                *(dict(entry) for entry in plan.left_out),
                *(
                    {'source_id': record['source_id'], 'reason': _COPY}
                    for record in dropped
                ),
            ],
            'images': kept,
        }
        _write_lists(work / 'new', kept)
        text = json.dumps(manifest, indent=1, ensure_ascii=False) + '\n'
        path = work / 'new' / MANIFEST
        path.write_text(text, 'utf-8', newline='\n')
        _put_in_place(work / 'new', out, aside=work / 'old')
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return manifest


def mask_reader(
    path: Path, *, ignore_value: int | None = None, lossy: bool | None = None
) -> Callable[[tuple[int, int]], np.ndarray]:
    """A ``read_mask`` for :class:`Sample` by the package's mask rule.

    Args:
        path: Mask file.
        ignore_value: See :func:`mmcrack.datasets.masks.binarise_mask`.
        lossy: See :func:`mmcrack.datasets.masks.read_mask`.

    Returns:
        Function from (height, width) in pixels to the mask.
    """
    return lambda size: read_mask(
        path, ignore_value=ignore_value, lossy=lossy, image_size=size
    )


def show_progress(done: int, total: int) -> None:
    """Shows on the error stream how many pairs are done.

    Args:
        done: Pairs done.
        total: All pairs.
    """
    if sys.stderr.isatty():
        end = '\n' if done == total else ''
        print(f'\r{done}/{total} pairs', end=end, file=sys.stderr, flush=True)
    elif total and done * 10 // total != (done - 1) * 10 // total:
        print(f'{done}/{total} pairs', file=sys.stderr, flush=True)


def _check_output(
    out: Path, sources: Sequence[Path], *, overwrite: bool
) -> None:
    real = out.resolve()
    for source in sources:
        origin = Path(source).resolve()
        if real == origin or origin in real.parents or real in origin.parents:
            raise ValueError(
                f'the output folder {out} must lie apart from the source '
                f'{source}, which is never changed; name another folder'
            )
    if not out.exists():
        return
    if not out.is_dir():
        raise ValueError(
            f'the output {out} must be a folder, got a file; name another'
        )
    if not any(out.iterdir()):
        return
    if not overwrite:
        raise ValueError(
            f'the output folder {out} must be new or empty, got one with '
            'files in it; name another, or replace an earlier conversion '
            'with --overwrite'
        )
    if not (out / MANIFEST).is_file():
        raise ValueError(
            f'--overwrite replaces an earlier conversion only, and {out} has '
            f'no {MANIFEST}; name another folder or empty it yourself'
        )


def _check_names(samples: Sequence[Sample]) -> None:
    if not samples:
        raise ValueError(
            'there must be pairs to convert, got none; check the source '
            'folder and the options'
        )
    seen: dict[tuple[str, str], str] = {}
    for sample in samples:
        if sample.split not in SPLITS:
            raise ValueError(
                f'split of {sample.source_id} must be one of {SPLITS}, got '
                f'{sample.split!r}'
            )
        # Windows and macOS would write both to one file.
        key = (sample.split, sample.stem.casefold())
        if key in seen:
            raise ValueError(
                f'{seen[key]} and {sample.source_id} would both be called '
                f'{sample.stem!r} in {sample.split}; rename one'
            )
        seen[key] = sample.source_id


def _write_pairs(samples: Sequence[Sample], root: Path) -> list[dict]:
    ordered = sorted(samples, key=lambda s: (SPLITS.index(s.split), s.stem))
    records = []
    for sample in ordered:
        show_progress(len(records), len(ordered))
        records.append(_write_pair(sample, root))
    show_progress(len(ordered), len(ordered))
    return records


def _write_pair(sample: Sample, root: Path) -> dict:
    changed = None
    if sample.read_pixels is not None:
        pixels = sample.read_pixels()
        data, suffix = encode_png(pixels[..., ::-1]), '.png'
        changed = 'made from the source image'
    else:
        pixels = read_image(sample.image)
        data, suffix, changed = _copied(sample.image, pixels)
    height, width = pixels.shape[:2]
    mask = sample.read_mask((height, width))
    names = {
        'image': f'images/{sample.split}/{sample.stem}{suffix}',
        'mask': f'masks/{sample.split}/{sample.stem}.png',
    }
    contents = {'image': data, 'mask': encode_png(mask)}
    inside = {}
    if sample.read_fov is not None:
        fov = sample.read_fov((height, width))
        names['fov'] = f'fov/{sample.split}/{sample.stem}.png'
        contents['fov'] = encode_png(fov)
        inside = {'fov_share': round(float((fov == 1).mean()), 8)}
    for name, content in contents.items():
        path = root / names[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    record = {
        'stem': sample.stem,
        'split': sample.split,
        'source_id': sample.source_id,
        'group': sample.group,
        **names,
        'width': width,
        'height': height,
        'crack_share': round(float((mask == 1).mean()), 8),
        'ignored_share': round(float((mask == 255).mean()), 8),
        **inside,
        'sha256': hashlib.sha256(data).hexdigest(),
        'pixels_sha256': _pixel_hash(pixels),
        'mask_sha256': _pixel_hash(mask),
    }
    return record if changed is None else {**record, 'changed': changed}


def _copied(path: Path, pixels: np.ndarray) -> tuple[bytes, str, str | None]:
    """Content and suffix for a photograph, and what was changed, if any."""
    changes = []
    orientation = exif_orientation(path)
    if orientation in range(2, 9):
        changes.append(f'EXIF orientation {orientation} applied')
    suffix = path.suffix.lower()
    if suffix not in IMAGE_SUFFIXES:
        changes.append(f'was {suffix or "without suffix"}')
    if not changes:
        return path.read_bytes(), suffix, None
    changes.append('saved as PNG')
    return encode_png(pixels[..., ::-1]), '.png', ', '.join(changes)


def encode_png(pixels: np.ndarray) -> bytes:
    """Encodes pixels as PNG, the same bytes for the same pixels.

    Args:
        pixels: uint8 (H, W), or (H, W, 3) in BGR order.

    Returns:
        Content of the file.
    """
    return cv2.imencode('.png', np.ascontiguousarray(pixels))[1].tobytes()


def exif_orientation(path: Path) -> int:
    """EXIF orientation of an image file that can be read.

    Args:
        path: Image file.

    Returns:
        1 (upright, also without the tag) to 8.
    """
    return _header(path)[0]


def upright_size(path: Path) -> tuple[int, int]:
    """Size of an image file after its EXIF turn, without decoding it.

    Args:
        path: Image file.

    Returns:
        (height, width) in pixels.

    Raises:
        OSError: If it is no image file.
    """
    orientation, (width, height) = _header(path)
    turned = orientation in range(5, 9)
    return (width, height) if turned else (height, width)


def _header(path: Path) -> tuple[int, tuple[int, int]]:
    """EXIF orientation and stored (width, height)."""
    limit = Image.MAX_IMAGE_PIXELS
    # Only the header is read: a photograph of 16K x 16K is no danger.
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(path) as image:
            return image.getexif().get(_ORIENTATION_TAG, 1), image.size
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _pixel_hash(pixels: np.ndarray) -> str:
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).tobytes())
    return digest.hexdigest()


def _duplicates(
    records: list[dict], *, drop: bool
) -> tuple[list[dict], list[str]]:
    """Records to drop, and notes on copies inside one split."""
    same: dict[str, list[dict]] = {}
    for record in records:
        same.setdefault(record['pixels_sha256'], []).append(record)
    dropped, notes, crossing = [], [], []
    for copies in same.values():
        if len(copies) == 1:
            continue
        # Records come in the order train, val, test.
        safest = copies[-1]['split']
        names = ' and '.join(f'{r["split"]}/{r["stem"]}' for r in copies)
        if copies[0]['split'] == safest:
            notes.append(f'the same image twice in one split: {names}')
            continue
        crossing.append(names)
        dropped += [r for r in copies if r['split'] != safest]
    if crossing and not drop:
        more = len(crossing) - 1
        raise ValueError(
            f'an image must be in one split only, got the same pixels in '
            f'{crossing[0]}'
            + (f' (and {more} more such cases)' if more else '')
            + '; drop the copies from the training side with '
            '--drop-duplicates'
        )
    notes += [f'dropped from the training side: {n}' for n in crossing]
    return dropped, notes


def _figures(records: list[dict]) -> dict:
    sizes: dict[str, int] = {}
    for record in records:
        size = f'{record["width"]}x{record["height"]}'
        sizes[size] = sizes.get(size, 0) + 1
    splits = [record['split'] for record in records]
    return {
        'counts': {s: splits.count(s) for s in SPLITS if s in splits},
        'sizes': dict(sorted(sizes.items())),
    }


def _write_lists(root: Path, records: list[dict]) -> None:
    folder = root / 'splits'
    folder.mkdir()
    for split in SPLITS:
        stems = [r['stem'] for r in records if r['split'] == split]
        if stems:
            text = '\n'.join(stems) + '\n'
            path = folder / f'{split}.txt'
            path.write_text(text, 'utf-8', newline='\n')


def _put_in_place(new: Path, out: Path, *, aside: Path) -> None:
    if out.exists():
        os.replace(out, aside)
    try:
        os.replace(new, out)
    except BaseException:
        if aside.exists():
            os.replace(aside, out)
        raise
