"""Findings about single pairs: files, encodings, contents (1 to 12)."""

from collections.abc import Callable, Sequence

from mmcrack.datasets.doctor.encoding import LOSSY, STRAY, ZERO_255
from mmcrack.datasets.doctor.findings import (
    GRAVE,
    NOTE,
    WARNING,
    Entry,
    Finding,
    make_finding,
)
from mmcrack.datasets.doctor.record import MOST, Record

_LINE_WIDTH = 1.5


def judge_pairs(records: Sequence[Record]) -> list[Finding]:
    """Judges each pair by itself.

    Args:
        records: Of all pairs.

    Returns:
        Findings 1 to 12.
    """
    findings: list[Finding] = []
    for judge in (_zero_255, _stray, _lossy, _inverted, _channels, _sizes,
                  _exif, _unpaired, _unreadable, _empty, _full, _lines):
        findings += judge(records)
    return findings


def _graded(
    key: str,
    records: Sequence[Record],
    grade: Callable[[Record], tuple[str, str, float] | None],
    what: str,
) -> list[Finding]:
    """One finding for each severity that ``grade`` gives."""
    cases: dict[str, list[Entry]] = {}
    for record in records:
        graded = grade(record)
        if graded is not None:
            severity, note, weight = graded
            cases.setdefault(severity, []).append(
                Entry((record.name,), note, weight))
    return [
        make_finding(key, severity, entries,
                     f'{len(entries)} of {len(records)} {what}')
        for severity, entries in cases.items()
    ]


def _zero_255(records: Sequence[Record]) -> list[Finding]:
    def grade(record):
        encoding = record.encoding
        if encoding is None or encoding.kind != ZERO_255:
            return None
        rule = record.item.rule
        if rule.stock:
            return GRAVE, (
                f'{encoding.text}; the config reads it with '
                "MMSegmentation's LoadAnnotations"), 1.0
        if rule.ignore_value == 255:
            return GRAVE, f'{encoding.text}, but 255 means "no label"', 1.0
        return (NOTE if rule.known else WARNING), encoding.text, 0.0

    return _graded('zero_255', records, grade, 'masks hold 0 and 255')


def _stray(records: Sequence[Record]) -> list[Finding]:
    def grade(record):
        encoding = record.encoding
        if encoding is None or encoding.kind != STRAY:
            return None
        return GRAVE, encoding.text, encoding.grey_share

    return _graded('stray', records, grade, 'masks hold illegal values')


def _lossy(records: Sequence[Record]) -> list[Finding]:
    def grade(record):
        encoding, rule = record.encoding, record.item.rule
        if encoding is None or encoding.kind != LOSSY:
            return None
        suffix = record.item.mask.suffix.lower()
        by_format = suffix in ('.jpg', '.jpeg', '.webp')
        read = rule.lossy or (rule.lossy is None and by_format)
        refused = not encoding.clear or rule.stock or not read
        note = f'{encoding.text}, {encoding.grey_share:.1%} grey'
        return (GRAVE if refused else WARNING), note, encoding.grey_share

    return _graded('lossy', records, grade, 'masks have grey levels')


def _inverted(records: Sequence[Record]) -> list[Finding]:
    def grade(record):
        if not record.inverted:
            return None
        return GRAVE, f'"crack" covers {1 - record.share:.1%}', 1.0

    return _graded('inverted', records, grade, 'masks are inverted')


def _channels(records: Sequence[Record]) -> list[Finding]:
    words = {'three': 'three equal channels', 'palette': 'a palette',
             'colours': 'colours'}

    def grade(record):
        encoding = record.encoding
        if encoding is None or encoding.channels == 'one':
            return None
        grave = encoding.channels == 'colours' or record.item.rule.stock
        return (GRAVE if grave else WARNING), (
            f'{words[encoding.channels]}: {encoding.text}'), 0.0

    return _graded('channels', records, grade, 'masks are not one channel')


def _sizes(records: Sequence[Record]) -> list[Finding]:
    def grade(record):
        if None in (record.size, record.mask_size) or record.fits:
            return None
        height, width = record.size
        high, wide = record.mask_size
        return GRAVE, f'image {width} x {height}, mask {wide} x {high}', 1.0

    return _graded('sizes', records, grade, 'pairs differ in size')


def _exif(records: Sequence[Record]) -> list[Finding]:
    def grade(record):
        if record.orientation == 1 or record.size is None:
            return None
        if record.as_stored:
            return GRAVE, (
                f'orientation {record.orientation}, and the mask was drawn '
                'on the pixels as stored: it does not fit the upright '
                'image'), 1.0
        return WARNING, f'orientation {record.orientation}', 0.0

    return _graded('exif', records, grade, 'images are turned by EXIF')


def _unpaired(records: Sequence[Record]) -> list[Finding]:
    def grade(record):
        if record.item.image is None:
            return WARNING, f'no image for {record.item.mask.name}', 0.0
        if record.item.mask is None:
            return WARNING, f'no mask for {record.item.image.name}', 0.0
        return None

    return _graded('unpaired', records, grade, 'files have no partner')


def _unreadable(records: Sequence[Record]) -> list[Finding]:
    def grade(record):
        if not record.errors:
            return None
        return GRAVE, ' '.join(record.errors), 1.0

    return _graded('unreadable', records, grade, 'pairs cannot be read')


def _empty(records: Sequence[Record]) -> list[Finding]:
    judged = [r for r in records if r.share is not None]
    empty = [r for r in judged if r.share == 0]
    if not empty:
        return []
    part = len(empty) / len(judged)
    severity = GRAVE if part == 1 else WARNING if part > 0.5 else NOTE
    return [make_finding(
        'empty', severity,
        [Entry((r.name,), 'no crack pixel') for r in empty],
        f'{len(empty)} of {len(judged)} masks are empty')]


def _full(records: Sequence[Record]) -> list[Finding]:
    def grade(record):
        if record.share is None or record.share <= MOST:
            return None
        return WARNING, f'crack covers {record.share:.1%}', record.share

    return _graded('full', records, grade, 'masks are nearly all crack')


def _lines(records: Sequence[Record]) -> list[Finding]:
    judged = [r for r in records if r.widths is not None]
    lines = [r for r in judged if r.widths.p95 <= _LINE_WIDTH]
    if not lines:
        return []
    severity = WARNING if 2 * len(lines) >= len(judged) else NOTE
    return [make_finding(
        'lines', severity,
        [Entry((r.name,), f'median {r.widths.median:.1f} px, 95 % below '
               f'{r.widths.p95:.1f} px', -r.widths.p95) for r in lines],
        f'{len(lines)} of {len(judged)} labels are lines of one pixel')]
