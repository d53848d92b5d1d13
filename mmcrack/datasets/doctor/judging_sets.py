"""Findings about the whole set: copies, crops, shifts, widths (13 to 17)."""

import re
from collections.abc import Sequence

import numpy as np

from mmcrack.datasets.doctor.alignment import (
    Shift,
    find_common_shift,
    find_shift,
)
from mmcrack.datasets.doctor.crops import Overlap
from mmcrack.datasets.doctor.duplicates import Copy, groups_of
from mmcrack.datasets.doctor.findings import (
    GRAVE,
    NOTE,
    WARNING,
    Entry,
    Finding,
    make_finding,
)
from mmcrack.datasets.doctor.record import Record

# A copy shares nearly all of both images; less is a crop.
_WHOLE = 0.9
_WIDE_RATIO, _WIDE_RIM = 2.5, 2.0
# What follows the photograph in the name of a crop; least is cut off first.
_CROP_NAMES = (r'-\d+$', r'_\d+$', r'[-_]\d+[-_]\d+$')
_MIN_WITNESSES = 5


def exact_groups(records: Sequence[Record]) -> list[list[int]]:
    """Images with the same pixels.

    Args:
        records: Of all pairs.

    Returns:
        Groups of indices, at least two each.
    """
    same: dict[str, list[int]] = {}
    for index, record in enumerate(records):
        if record.pixels_hash:
            same.setdefault(record.pixels_hash, []).append(index)
    return [group for group in same.values() if len(group) > 1]


def judge_copies(
    records: Sequence[Record],
    copies: Sequence[Copy],
    overlaps: Sequence[Overlap],
) -> list[Finding]:
    """Judges what shows the same picture.

    Args:
        records: Of all pairs.
        copies: Pictures that are one.
        overlaps: Images that share pixels.

    Returns:
        Findings 13, 14 and 15.
    """
    findings = []
    exact = exact_groups(records)
    entries = {GRAVE: [], WARNING: []}
    for group in exact:
        labels = {records[i].mask_hash for i in group}
        note = 'the same pixels' + (
            ', but different masks' if len(labels) > 1 else '')
        entries[GRAVE if _crosses(records, group) else WARNING].append(
            _entry(records, group, note, float(len(group))))
    findings += _by_severity('exact', entries, 'groups of identical images')
    known = {tuple(sorted(p)) for g in exact for p in _pairs(g)}
    pairs: dict[tuple[int, int], str] = {}
    for copy in copies:
        how = ', turned or mirrored' if copy.turned else ''
        pairs[copy.first, copy.second] = (
            f'detail correlates {copy.correlation:.2f}{how}')
    for overlap in overlaps:
        if overlap.whole >= _WHOLE:
            pairs.setdefault((overlap.first, overlap.second), (
                f'share {overlap.whole:.0%} of their area, which correlates '
                f'{overlap.correlation:.2f}'))
    entries = {GRAVE: [], WARNING: []}
    for pair, note in sorted(pairs.items()):
        if pair not in known:
            severity = GRAVE if _crosses(records, pair) else WARNING
            entries[severity].append(_entry(records, pair, note))
    findings += _by_severity('similar', entries, 'pairs of one picture')
    known |= set(pairs)
    crops = [o for o in overlaps if (o.first, o.second) not in known]
    return findings + _judge_crops(records, crops)


def _judge_crops(
    records: Sequence[Record], crops: Sequence[Overlap]
) -> list[Finding]:
    """Photographs whose crops overlap, and those known by their names."""
    if not crops:
        return []
    groups = groups_of([(c.first, c.second) for c in crops])
    entries = {GRAVE: [], NOTE: []}
    for group in groups:
        inside = [c for c in crops if c.first in group]
        best = max(inside, key=lambda c: (
            records[c.first].item.split != records[c.second].item.split,
            c.share))
        note = (
            f'{len(inside)} overlapping pairs; '
            f'{records[best.first].name} and {records[best.second].name} '
            f'share {best.share:.0%} of the smaller one (correlation '
            f'{best.correlation:.2f})')
        severity = GRAVE if _crosses(records, group) else NOTE
        entries[severity].append(
            _entry(records, group, note, best.share))
    pattern = crop_names(records, crops)
    if pattern is not None:
        covered = [set(g) for g in groups]
        photographs: dict[str, list[int]] = {}
        for index, record in enumerate(records):
            if record.size is not None:
                key = re.sub(pattern, '', record.item.stem)
                photographs.setdefault(key, []).append(index)
        for photograph, group in photographs.items():
            inside = any(set(group) <= c for c in covered)
            if _crosses(records, group) and not inside:
                entries[GRAVE].append(_entry(records, group, (
                    f'crops of photograph {photograph!r} by their '
                    "names, a rule that this set's overlapping crops "
                    'confirm'), -1.0))
    return _by_severity('crops', entries, 'groups of images share a place')


def crop_names(
    records: Sequence[Record], crops: Sequence[Overlap]
) -> str | None:
    """Finds the naming rule that overlapping crops confirm.

    Args:
        records: Of all pairs.
        crops: Images that share pixels.

    Returns:
        Regular expression of what follows the photograph in a stem; None
        if fewer than 5 pairs have names of such a kind, or not nearly all
        of them agree, or if images that share nothing agree as often.
    """
    stems = [r.item.stem for r in records]
    for pattern in _CROP_NAMES:
        named = [
            (re.sub(pattern, '', stems[c.first]),
             re.sub(pattern, '', stems[c.second])) for c in crops
            if re.search(pattern, stems[c.first])
            or re.search(pattern, stems[c.second])
        ]
        if len(named) < _MIN_WITNESSES:
            continue
        agree = np.mean([a == b for a, b in named])
        keys = [re.sub(pattern, '', s) for s in stems]
        sizes = np.unique(keys, return_counts=True)[1]
        by_chance = float((sizes * (sizes - 1)).sum()) / max(
            len(keys) * (len(keys) - 1), 1)
        if agree >= 0.95 and by_chance < 0.2:
            return pattern
    return None


def judge_labels(records: Sequence[Record]) -> list[Finding]:
    """Judges where labels lie and how wide they are.

    Args:
        records: Of all pairs.

    Returns:
        Findings 16 and 17.
    """
    # Beside the crack there is no line to compare a width with.
    wide = _wide(records) if common_shift(records) is None else []
    return [*_shifts(records), *wide]


def common_shift(records: Sequence[Record]) -> Shift | None:
    """Shift that all labels of the set share.

    Args:
        records: Of all pairs.

    Returns:
        The shift, or None.
    """
    return find_common_shift(
        [r.alignment for r in records if r.alignment is not None])


def _shifts(records: Sequence[Record]) -> list[Finding]:
    placed = [r for r in records if r.alignment is not None]
    common = common_shift(records)
    if common is not None:
        entries = [
            Entry((r.name,), _shift_words(
                *(s * r.alignment.factor for s in r.alignment.best),
                float(r.alignment.curve.max()), r.alignment.here),
                float(r.alignment.curve.max() - r.alignment.here))
            for r in placed]
        return [make_finding('shifted', GRAVE, entries, (
            'all masks of the set lie beside their cracks alike: '
            + _shift_words(*common)))]
    entries = []
    for record in placed:
        shift = find_shift(record.alignment)
        if shift is not None:
            entries.append(Entry(
                (record.name,), _shift_words(*shift),
                shift.best - shift.here))
    return [make_finding('shifted', WARNING, entries, (
        f'{len(entries)} of {len(placed)} masks lie beside the crack'
    ))] if entries else []


def _shift_words(x: int, y: int, best: float, here: float) -> str:
    sideways = f'{abs(x)} px to the {"right" if x > 0 else "left"}'
    along = f'{abs(y)} px {"down" if y > 0 else "up"}'
    moves = [w for w, d in ((sideways, x), (along, y)) if d] or ['0 px']
    return (f'a shift of {" and ".join(moves)} makes the darkness below the '
            f'mask {best:.1f} instead of {here:.1f} standard deviations')


def _wide(records: Sequence[Record]) -> list[Finding]:
    judged = [r for r in records if r.visible is not None]
    wide = [r for r in judged if r.visible.ratio >= _WIDE_RATIO
            and r.visible.rim >= _WIDE_RIM]
    if not wide:
        return []
    whole_set = 2 * len(wide) >= len(judged)
    ratio = np.median([r.visible.ratio for r in judged])
    rim = np.median([r.visible.rim for r in judged])
    entries = [Entry(
        (r.name,), f'label {r.widths.median:.0f} px wide, '
        f'{r.visible.ratio:.1f} times the area of the dark line; '
        f'{r.visible.rim:.0f} px too wide on each side',
        r.visible.rim) for r in wide]
    return [make_finding(
        'wide', WARNING if whole_set else NOTE, entries,
        f'{len(wide)} of {len(judged)} labels are much wider than the dark '
        f'line (median of all: {ratio:.1f} times its area, {rim:.1f} px on '
        'each side)')]


def _pairs(group: Sequence[int]) -> list[tuple[int, int]]:
    return [(a, b) for k, a in enumerate(group) for b in group[k + 1:]]


def _crosses(records: Sequence[Record], group: Sequence[int]) -> bool:
    return len({records[i].item.split for i in group}) > 1


def _entry(
    records: Sequence[Record], group: Sequence[int], note: str,
    weight: float = 0.0,
) -> Entry:
    return Entry(tuple(sorted(records[i].name for i in group)), note, weight)


def _by_severity(
    key: str, entries: dict[str, list[Entry]], what: str
) -> list[Finding]:
    return [
        make_finding(key, severity, cases, (
            what + (', across splits' if severity == GRAVE else
                    ', inside one split') + f': {len(cases)}'))
        for severity, cases in entries.items() if cases
    ]
