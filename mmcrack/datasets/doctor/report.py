"""The report of an examination: text, JSON and Markdown."""

import json
from collections.abc import Sequence
from pathlib import Path

from mmcrack.datasets.doctor.examination import Examination
from mmcrack.datasets.doctor.findings import SEVERITIES, Entry, Finding

_SHOWN, _FILES = 5, 6


def cure_of(examination: Examination, finding: Finding) -> str:
    """Command or advice that mends a finding, with the set's folders.

    Args:
        examination: Of the set.
        finding: One of its findings.

    Returns:
        One sentence.
    """
    source = examination.source
    return finding.check.cure.format(
        doctor=source.command, images=source.images, masks=source.masks)


def as_dict(examination: Examination) -> dict:
    """Everything in the report, for JSON.

    Args:
        examination: Of the set.

    Returns:
        ``data``, ``command``, ``grave``, ``figures`` and ``findings``.
    """
    return {
        'data': examination.source.title,
        'command': examination.source.command,
        'grave': examination.grave,
        'figures': examination.figures,
        'findings': [{
            'number': f.check.number,
            'key': f.key,
            'severity': f.severity,
            'title': f.check.title,
            'summary': f.summary,
            'meaning': f.check.meaning,
            'cure': cure_of(examination, f),
            'files': list(f.files),
            'entries': [
                {'files': list(e.files), 'note': e.note} for e in f.entries],
        } for f in examination.findings],
    }


def as_text(examination: Examination) -> str:
    """A short report for the terminal.

    Args:
        examination: Of the set.

    Returns:
        Lines.
    """
    lines = [f'{examination.source.title}:']
    lines += [f'  {line}' for line in _figure_lines(examination.figures)]
    for finding in examination.findings:
        lines += ['', f'{finding.severity.upper()} {finding.check.number}: '
                  f'{finding.check.title}', f'  {finding.summary}']
        lines += [f'  - {_words(e)}' for e in finding.entries[:_SHOWN]]
        if len(finding.entries) > _SHOWN:
            lines.append(f'  - and {len(finding.entries) - _SHOWN} more')
        lines += [f'  meaning: {finding.check.meaning}',
                  f'  cure: {cure_of(examination, finding)}']
    return '\n'.join([*lines, '', verdict(examination)])


def verdict(examination: Examination) -> str:
    """Says in one line how the set is.

    Args:
        examination: Of the set.

    Returns:
        Such as '2 grave, 1 warning, 0 notes'.
    """
    counts = [sum(f.severity == s for f in examination.findings)
              for s in SEVERITIES]
    if not any(counts):
        return 'nothing found: the set is clean'
    return (f'{counts[0]} grave, {counts[1]} warning'
            f'{"" if counts[1] == 1 else "s"}, {counts[2]} note'
            f'{"" if counts[2] == 1 else "s"}')


def as_markdown(examination: Examination) -> str:
    """The report as Markdown.

    Args:
        examination: Of the set.

    Returns:
        The text.
    """
    lines = [f'# {examination.source.title}', '', verdict(examination) + '.',
             '', f'`{examination.source.command}`', '']
    lines += [f'- {line}' for line in _figure_lines(examination.figures)]
    if examination.findings:
        lines += ['', '| severity | no. | what | found |', '|---|---|---|---|']
        lines += [f'| {f.severity} | {f.check.number} | {f.check.title} | '
                  f'{f.summary} |' for f in examination.findings]
    for finding in examination.findings:
        lines += ['', f'## {finding.check.number}. {finding.check.title} '
                  f'({finding.severity})', '', f'{finding.summary}.', '',
                  f'Meaning: {finding.check.meaning}', '',
                  f'Cure: {cure_of(examination, finding)}', '']
        lines += [f'- {_words(e, files=None)}' for e in finding.entries]
    return '\n'.join(lines) + '\n'


def write_report(examination: Examination, out: Path) -> list[Path]:
    """Writes report.json and report.md.

    Args:
        examination: Of the set.
        out: Folder; made when missing.

    Returns:
        The files.
    """
    out.mkdir(parents=True, exist_ok=True)
    files = [out / 'report.json', out / 'report.md']
    text = json.dumps(as_dict(examination), indent=1, ensure_ascii=False)
    files[0].write_text(text + '\n', 'utf-8')
    files[1].write_text(as_markdown(examination), 'utf-8')
    return files


def _words(entry: Entry, files: int | None = _FILES) -> str:
    return f'{_names(entry.files, files)}: {entry.note}'


def _names(names: Sequence[str], most: int | None) -> str:
    if most is None or len(names) <= most:
        return ', '.join(names)
    return ', '.join(names[:most]) + f' and {len(names) - most} more'


def _figure_lines(figures: dict) -> list[str]:
    lines = []
    for split, found in figures.items():
        line = f'{split}: {found["images"]} images, {found["masks"]} masks'
        share, width = found['crack_share'], found['width']
        if share is not None:
            line += (
                '; crack pixels % min/median/max '
                f'{100 * share["min"]:.2f}/{100 * share["median"]:.2f}/'
                f'{100 * share["max"]:.2f}')
        if width is not None:
            line += (
                '; crack width px (median of an image) min/median/max '
                f'{width["min"]:.1f}/{width["median"]:.1f}/'
                f'{width["max"]:.1f}')
        lines.append(line)
    return lines
