"""Tables over all photographs of a run."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmcrack.inference.files import atomic, read_json, write_json
from mmcrack.inference.inputs import Item


def write_summary(out: Path, items: Sequence[Item], records: Sequence[dict],
                  failed: Sequence[dict]) -> None:
    """Write ``summary.csv``, ``summary.json`` and, if asked, ``coco.json``.

    Args:
        out (Path): The folder.
        items (Sequence[Item]): All photographs of the run.
        records (Sequence[dict]): Of those that are done, in that order.
        failed (Sequence[dict]): ``file`` and ``reason`` of the others.

    Raises:
        OutputError: If the folder cannot be written to.
    """
    rows = [_row(record) for record in records]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval='', lineterminator='\n')
    writer.writeheader()
    writer.writerows(rows)
    with atomic(out / 'summary.csv') as file:
        file.write(text.getvalue().encode())
    write_json(out / 'summary.json', dict(
        photographs=len(items), done=len(records), failed=list(failed),
        records=list(records)))
    if any('annotations' in record['files'] for record in records):
        write_json(out / 'coco.json', _coco(out, records))


def _row(record: dict) -> dict[str, Any]:
    """Return the plain values of a record, which become columns."""
    row = dict(name=record['name'], file=record['file'])
    values = [record['figures'], *record['hooks'].values()]
    for part in values:
        row.update((key, value) for key, value in part.items()
                   if isinstance(value, (int, float, str)) or value is None)
    return row


def _coco(out: Path, records: Sequence[dict]) -> dict:
    """Collect the annotations of all photographs."""
    images, annotations = [], []
    for number, record in enumerate(records, 1):
        figures = record['figures']
        images.append(dict(
            id=number, file_name=record['file'], width=figures['width'],
            height=figures['height']))
        path = out / record['files'].get('annotations', '-')
        for annotation in read_json(path) or ():
            annotations.append(dict(
                id=len(annotations) + 1, image_id=number, category_id=1,
                **annotation))
    return dict(images=images, annotations=annotations,
                categories=[dict(id=1, name='crack')])
