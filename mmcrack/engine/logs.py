"""What trainings wrote down, read back."""

import json
from collections.abc import Collection
from pathlib import Path


def read_scalars(work_dir: Path, *,
                 keys: Collection[str] | None = None
                 ) -> dict[int, dict[str, float]]:
    """Return the logged figures of a training by iteration.

    Args:
        work_dir (Path): Of one training, resumed or not: a later run's value
            replaces an earlier one's.
        keys (Collection[str], optional): Only entries that hold one of
            these, named without what stands in front of the last dot; None:
            all entries.

    Returns:
        dict[int, dict[str, float]]: Iteration to figures, under the names
        without what stands in front of the last dot (``decode.loss_ce`` is
        ``loss_ce``), in ascending order. An entry of a validation stands at
        the iteration of the training entry before it.

    Raises:
        FileNotFoundError: If the folder has no log.
    """
    files = sorted(Path(work_dir).glob('*/vis_data/scalars.json'))
    if not files:
        raise FileNotFoundError(
            f'{work_dir} holds no log (*/vis_data/scalars.json): give the '
            '--work-dir of a training.')
    rows: dict[int, dict[str, float]] = {}
    for file in files:
        iteration = 0
        for line in file.read_text(encoding='utf-8').splitlines():
            entry = _parsed(line)
            iteration = entry.get('iter', iteration)
            figures = {
                key.rpartition('.')[2]: value
                for key, value in entry.items()
            }
            if keys is None or any(key in figures for key in keys):
                rows.setdefault(iteration, {}).update(figures)
    return dict(sorted(rows.items()))


def _parsed(line: str) -> dict:
    """Return an entry; none of a line that broke off in a kill."""
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return {}
