"""Write a mended copy of a set; the original is only read.

What is mended: 0/255, palettes and channels become one channel of 0 and 1;
inverted masks are turned; EXIF turns are applied; lossy masks are cut at
127 where they are clear; copies are taken out. What is left out, each with
its reason in the manifest: unreadable files, files without partner, sizes
that differ, masks that nobody can read, and, of every photograph that is in
two splits, the images of the earlier split (train before val before test).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmcrack.datasets.conversion import Plan, Sample, convert
from mmcrack.datasets.doctor.encoding import CLASSES
from mmcrack.datasets.doctor.examination import Examination
from mmcrack.datasets.doctor.findings import GRAVE
from mmcrack.datasets.doctor.reading import read_pair
from mmcrack.datasets.doctor.record import Record
from mmcrack.datasets.doctor.sources import UNSPLIT, Item
from mmcrack.datasets.images import open_upright
from mmcrack.datasets.masks import IGNORED
from mmcrack.datasets.splits import SPLITS

_COPIES = ('exact', 'similar', 'crops')
# Grave findings that no copy can mend.
_LEFT = ('shifted', 'empty')


def mend(examination: Examination, out: Path, *, overwrite: bool) -> dict:
    """Writes a mended copy in mmcrack's layout.

    Args:
        examination: Of the set.
        out: Folder to make; new or empty, apart from the set.
        overwrite: Whether an earlier conversion in ``out`` is replaced.

    Returns:
        The manifest of the copy; ``notes`` and ``left_out`` say what was
        done.

    Raises:
        ValueError: If ``out`` is in use or touches the set, or no pair is
            left.
    """
    return convert(
        make_plan(examination), out, overwrite=overwrite,
        drop_duplicates=True)


def check_apart(out: Path, folders: Sequence[Path], option: str) -> None:
    """Refuses a folder that would change the original.

    Args:
        out: Folder to write.
        folders: Folders of the set.
        option: Name of the option, for the message.

    Raises:
        ValueError: If ``out`` is, holds, or lies in one of the folders, or
            is a file.
    """
    real = out.resolve()
    for folder in folders:
        origin = folder.resolve()
        if real == origin or origin in real.parents or (
                real in origin.parents and option == '--fix'):
            raise ValueError(
                f'{option} {out} must lie apart from the data in {folder}, '
                'which are never changed; name another folder')
    if out.exists() and not out.is_dir():
        raise ValueError(
            f'{option} {out} must be a folder, got a file; name another')


def make_plan(examination: Examination) -> Plan:
    """Decides what becomes of each pair.

    Args:
        examination: Of the set.

    Returns:
        What to write.

    Raises:
        ValueError: If no pair is left.
    """
    leaks = _leaking(examination)
    samples, left_out = [], []
    for record in examination.records:
        reason = _why_not(record) or leaks.get(record.name)
        if reason is not None:
            left_out.append({'source_id': record.name, 'reason': reason})
        else:
            samples.append(_sample(record))
    if not samples:
        raise ValueError(
            f'--fix leaves no pair of {len(examination.records)}; mend the '
            'files first, the report says which')
    return Plan(
        dataset=examination.source.title,
        sources=examination.source.folders, samples=samples,
        settings={'made_by': 'tools/dataset_doctor.py --fix'},
        notes=_notes(examination, samples), left_out=left_out)


def _why_not(record: Record) -> str | None:
    """Reason to leave out a pair by itself."""
    if record.item.image is None:
        return 'no image'
    if record.item.mask is None:
        return 'no mask'
    if record.errors:
        return 'cannot be read'
    if record.mask_size is None or not record.encoding.clear:
        return ('nobody can tell what is crack in its mask '
                f'({record.encoding.text})')
    if not record.fits:
        return 'image and mask differ in size'
    return None


def _leaking(examination: Examination) -> dict[str, str]:
    """Names to take out, with the reason."""
    usable = {r.name: r for r in examination.records
              if _why_not(r) is None}
    leaks: dict[str, str] = {}
    for finding in examination.findings:
        if finding.key not in _COPIES:
            continue
        for entry in finding.entries:
            group = [n for n in entry.files if n in usable]
            ranks = {n: _rank(usable[n].item.split) for n in group}
            last = max(ranks.values(), default=0)
            for name in group:
                if ranks[name] < last:
                    other = next(n for n in group if ranks[n] == last)
                    leaks[name] = (
                        'what it shows is also in '
                        f'{SPLITS[last]} (such as {other})')
            if finding.key == 'exact' and last == 0:
                for name in group[1:]:
                    leaks[name] = f'the same pixels as {group[0]}'
    return leaks


def _rank(split: str) -> int:
    return SPLITS.index(split) if split in SPLITS else 0


def _sample(record: Record) -> Sample:
    item = record.item

    def mask(size: tuple[int, int]) -> np.ndarray:
        label = read_pair(item).label
        if record.inverted:
            label = np.where(label == IGNORED, label, 1 - label)
        return label.astype(np.uint8)

    return Sample(
        stem=item.stem.replace('/', '_'),
        split=SPLITS[_rank(item.split)], group=item.stem,
        source_id=item.name, image=item.image, read_mask=mask,
        read_fov=None if item.fov is None else _fov_reader(item))


def _fov_reader(item: Item):
    def read(size: tuple[int, int]) -> np.ndarray:
        picture, _ = open_upright(item.fov, data=None, kind='mask')
        inside = (np.array(picture.convert('L')) > 0).astype(np.uint8)
        if inside.shape != tuple(size):
            raise ValueError(
                f'the field of view {item.fov} is {inside.shape[1]} x '
                f'{inside.shape[0]} but its image is {size[1]} x {size[0]}; '
                'take it out of the folder fov')
        return inside

    return read


def _notes(
    examination: Examination, samples: Sequence[Sample]
) -> list[str]:
    """What was changed, and what is still wrong."""
    kept = {s.source_id for s in samples}
    records = [r for r in examination.records if r.name in kept]
    changes = {
        'masks rewritten as 0 and 1': sum(
            r.encoding.kind != CLASSES or r.encoding.channels != 'one'
            for r in records),
        'inverted masks turned': sum(r.inverted for r in records),
        'images turned upright by EXIF': sum(
            r.orientation != 1 for r in records),
        'masks turned with their images': sum(r.as_stored for r in records),
    }
    notes = [f'{what}: {count}' for what, count in changes.items() if count]
    if any(r.item.split == UNSPLIT for r in records):
        notes.append('the set has no splits: all pairs are in train')
    notes += [
        f'not mended: {f.summary}; {f.check.cure}'.format(
            doctor=examination.source.command,
            images=examination.source.images,
            masks=examination.source.masks)
        for f in examination.findings
        if f.severity == GRAVE and f.key in _LEFT]
    return notes
