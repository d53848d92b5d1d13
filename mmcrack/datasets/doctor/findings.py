"""What the doctor looks for: 17 faults, what each means, what mends it."""

from collections.abc import Sequence
from dataclasses import dataclass

GRAVE, WARNING, NOTE = 'grave', 'warning', 'note'
SEVERITIES = (GRAVE, WARNING, NOTE)


@dataclass(frozen=True)
class Check:
    """One fault.

    Attributes:
        number: 1 to 17, as in docs/dataset_doctor.md.
        title: A few words.
        meaning: What it does to training or to figures.
        cure: What mends it; ``{doctor}`` is this tool's command on the data
            at hand, ``{images}`` and ``{masks}`` its folders.
    """

    number: int
    title: str
    meaning: str
    cure: str


_FIX = '{doctor} --fix OUT'
_FOLDER = 'python tools/dataset_converters/folder.py {images} {masks} OUT'

CHECKS: dict[str, Check] = {
    'zero_255': Check(
        1, 'Masks hold 0 and 255 instead of 0 and 1',
        "MMSegmentation's own loader takes 255 for class 255: with "
        'ignore_index 255 every crack pixel is ignored and the network '
        'learns background only, without a word. mmcrack reads 255 as crack '
        'unless ignore_value=255 is set.', _FIX),
    'stray': Check(
        2, 'Masks hold values that are no class',
        'The loss meets a class that does not exist and stops, or, on a '
        'GPU, reports an error far from the cause; mmcrack refuses the '
        'file.', f'{_FOLDER} --crack-value V (the values that are crack)'),
    'lossy': Check(
        3, 'Masks went through a lossy format or a smooth resize',
        'Grey levels at the crack edge are no class; each reader puts the '
        'edge elsewhere, and exact comparisons (== 255) lose the rim.',
        f'{_FIX} (threshold 127 where the levels are clear)'),
    'inverted': Check(
        4, 'Masks are inverted: the crack is 0',
        'The network learns the background as crack; overlap scores look '
        'fine, because the wrong class fills the image.', _FIX),
    'channels': Check(
        5, 'Masks have three channels or a palette',
        'Stock loaders hand on an (H, W, 3) label, or palette indices in '
        'place of colours; shapes clash or classes are wrong.', _FIX),
    'sizes': Check(
        6, 'Image and mask differ in size',
        'Training stops at this pair, or a resize lays the mask beside the '
        'crack.', f'{_FIX} (leaves them out); better, pair the right files'),
    'exif': Check(
        7, 'Images are turned by an EXIF mark',
        'Some readers turn the image and some do not, so that mask and '
        'image part as soon as the reader changes.', _FIX),
    'unpaired': Check(
        8, 'Images without mask or masks without image',
        'They are left out of training silently, or stop it.',
        f'rename them, or {_FIX} (leaves them out)'),
    'unreadable': Check(
        9, 'Files cannot be read, or end too early',
        'Training stops at them, hours after the start; tolerant readers '
        'fill the rest with grey.',
        f'copy them again, or {_FIX} (leaves them out)'),
    'empty': Check(
        10, 'Masks are empty',
        'Legal where there is no crack; F1 and IoU are undefined there, and '
        'a forgotten label teaches that a crack is background.',
        'look at the pictures; label what was forgotten'),
    'full': Check(
        11, 'Masks are nearly all crack',
        'A crack rarely covers most of an image: a filled outline or a '
        'slip; it dominates the crack pixels of the whole set.',
        'look at the pictures; label them again or remove them'),
    'lines': Check(
        12, 'Labels are lines of one pixel',
        'Overlap scores without a tolerance say next to nothing, and nearest '
        'resizing drops most of the label.',
        'score with a tolerance of 2 to 5 px; or widen the lines: python '
        'tools/dataset_converters/cracktree200.py SRC OUT --dilate 4 '
        '(CrackTree200)'),
    'exact': Check(
        13, 'The same picture several times',
        'Across splits the score measures memory; inside a split the '
        'picture counts more than once.', f'{_FIX} (taken out of train)'),
    'similar': Check(
        14, 'The same picture stored again (other encoding, size, turned or '
        'mirrored)',
        'As with exact copies, but hidden from a comparison of files: '
        'across splits the score measures memory.',
        f'{_FIX} (taken out of train where it crosses splits)'),
    'crops': Check(
        15, 'Images that share a place: crops of one photograph, or '
        'photographs that overlap',
        'In train and test they show the same crack to both, and the score '
        'is too good. Inside a split they belong in one fold.',
        f'{_FIX} (taken out of train where they cross splits); new splits: '
        f"{_FOLDER} --group-by '^(.*)-[0-9]+$'"),
    'shifted': Check(
        16, 'Masks lie beside the crack',
        'The network learns a displaced, blurred edge; boundary scores are '
        'meaningless. (One image alone may just have a pale crack beside a '
        'dark line: look at it.)',
        'export the masks again from the labelling tool, or shift them back '
        'by the given number of pixels'),
    'wide': Check(
        17, 'Masks are much wider than the visible crack',
        'Widths measured from predictions are too large, and boundary '
        'scores say little; a correct thin prediction is punished.',
        'no command mends this: label again, or train with a loss for noisy '
        'edges (mmcrack.CIRLHead) and do not report boundary scores'),
}


@dataclass(frozen=True)
class Entry:
    """One case of a fault.

    Attributes:
        files: Names ``<split>/<stem>`` that take part.
        note: What was measured there.
        weight: How bad it is among its kind; the worst come first.
    """

    files: tuple[str, ...]
    note: str
    weight: float = 0.0


@dataclass(frozen=True)
class Finding:
    """A fault that the set has.

    Attributes:
        key: Of :data:`CHECKS`.
        severity: One of :data:`SEVERITIES`.
        entries: Cases, the worst first.
        summary: One sentence about all of them.
    """

    key: str
    severity: str
    entries: tuple[Entry, ...]
    summary: str

    @property
    def check(self) -> Check:
        """What is known about the fault."""
        return CHECKS[self.key]

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that takes part, sorted."""
        return tuple(sorted({f for e in self.entries for f in e.files}))


def make_finding(
    key: str, severity: str, entries: Sequence[Entry], summary: str
) -> Finding:
    """Builds a finding with its worst cases first.

    Args:
        key: Of :data:`CHECKS`.
        severity: One of :data:`SEVERITIES`.
        entries: Cases in any order, at least one.
        summary: One sentence.

    Returns:
        The finding.
    """
    ordered = sorted(entries, key=lambda e: (-e.weight, e.files))
    return Finding(key, severity, tuple(ordered), summary)


def sorted_findings(findings: Sequence[Finding]) -> list[Finding]:
    """Orders findings by severity, then by number.

    Args:
        findings: In any order.

    Returns:
        The same, grave ones first.
    """
    return sorted(findings, key=lambda f: (
        SEVERITIES.index(f.severity), f.check.number))
