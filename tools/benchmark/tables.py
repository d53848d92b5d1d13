"""Reading the description of a table: a YAML file, checked."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

TABLE_KEYS = ('title', 'source', 'columns', 'rows', 'budget', 'flops_size',
              'cfg_options', 'test_on', 'baseline', 'notes')
COLUMN_KEYS = ('key', 'label', 'unit', 'digits', 'main')
ROW_KEYS = ('name', 'config', 'paper', 'cfg_options', 'checkpoint',
            'load_from', 'train', 'length', 'show', 'note', 'test_options')
BUDGET_KEYS = ('epochs', 'max_iters', 'seeds')
# ${checkpoint:NAME} in an option's value is a row's last checkpoint.
REFERENCE = re.compile(r'\$\{checkpoint:([^}]+)\}')


class TableError(ValueError):
    """A table's description that cannot be used; one sentence."""


class Column(NamedTuple):
    """One figure.

    Attributes:
        key (str): Of the metric, as a test logs it, without ``crack/``.
        label (str): In the heading.
        unit (str): Of the paper's figures and of ours.
        digits (int): Behind the point.
        main (bool): Differences to the baseline are of this figure.
    """

    key: str
    label: str
    unit: str
    digits: int
    main: bool = False


class TableRow(NamedTuple):
    """One system.

    Attributes:
        name (str): In the table.
        config (Path, optional): None for a row that is only quoted.
        paper (dict[str, float]): Figures by column.
        options (dict[str, Any]): Its own settings of the config.
        checkpoint (str, optional): Tested as it is: the name of a row or a
            file.
        load_from (str, optional): Training starts from it: likewise.
        length (float): Its share of the budget, 1 for all of it.
        show (bool): False for a first stage, which is neither tested nor in
            the table.
        note (str): Below the table.
        test_options (dict[str, Any]): Settings of the config in its test
            alone.
    """

    name: str
    config: Path | None
    paper: dict[str, float]
    options: dict[str, Any]
    checkpoint: str | None
    load_from: str | None
    length: float
    show: bool
    note: str
    test_options: dict[str, Any]

    @property
    def sources(self) -> list[str]:
        """Names of rows, or files, whose weights it needs."""
        texts = [str(value) for value in self.options.values()]
        named = [name for text in texts for name in REFERENCE.findall(text)]
        return named + [s for s in (self.checkpoint, self.load_from) if s]


class Table(NamedTuple):
    """A table to run.

    Attributes:
        name (str): Of its file.
        title (str): Heading.
        source (str): Whose figures stand under "paper".
        columns (list[Column]): Figures.
        rows (list[TableRow]): Systems, those first on which others stand.
        order (list[str]): Their names as in the file.
        epochs (int, optional): Budget of configs that count epochs.
        max_iters (int, optional): Of those that count iterations.
        seeds (list[int]): Seeds.
        flops_size (tuple[int, int]): (H, W) for which operations count.
        options (dict[str, Any]): Settings of all configs.
        test_on (Path, optional): Config whose ``test_dataloader`` takes the
            place of each config's own.
        baseline (str, optional): Row to which the others are compared.
        notes (list[str]): Below the table.
    """

    name: str
    title: str
    source: str
    columns: list[Column]
    rows: list[TableRow]
    order: list[str]
    epochs: int | None
    max_iters: int | None
    seeds: list[int]
    flops_size: tuple[int, int]
    options: dict[str, Any]
    test_on: Path | None
    baseline: str | None
    notes: list[str]


def read_table(path: Path, root: Path) -> Table:
    """Read and check a table.

    Args:
        path (Path): YAML file.
        root (Path): Folder below which configs are named, ``configs/``.

    Returns:
        Table: Configs are paths; whether they exist is not looked at.

    Raises:
        FileNotFoundError: If there is no such file.
        TableError: If it is no table.
    """
    if not path.is_file():
        raise FileNotFoundError(f'The table {str(path)!r} does not exist.')
    try:
        content = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise TableError(f'{path.name} is no YAML: {error}') from error
    where = path.name
    _check_keys(content, TABLE_KEYS, ('title', 'columns', 'rows'), where)
    columns = [_column(part, where) for part in _list(content, 'columns',
                                                      where)]
    keys = [column.key for column in columns]
    _no_twins(keys, f'{where}: columns')
    rows = [_row(part, keys, root, where)
            for part in _list(content, 'rows', where)]
    names = [row.name for row in rows]
    _no_twins(names, f'{where}: rows')
    budget = content.get('budget') or {}
    _check_keys(budget, BUDGET_KEYS, (), f'{where}: budget')
    for key in ('epochs', 'max_iters'):
        if budget.get(key) is not None:
            _whole_number(budget[key], 1, f'{where}: budget: {key}')
    seeds = budget.get('seeds', [0, 1, 2])
    if not isinstance(seeds, list) or not seeds:
        raise TableError(f'{where}: budget: seeds wants a list, got '
                         f'{seeds!r}.')
    for seed in seeds:
        _whole_number(seed, 0, f'{where}: budget: seeds')
    size = content.get('flops_size', [512, 512])
    if not isinstance(size, list) or len(size) != 2:
        raise TableError(f'{where}: flops_size wants [height, width], got '
                         f'{size!r}.')
    for side in size:
        _whole_number(side, 1, f'{where}: flops_size')
    baseline = content.get('baseline')
    if baseline is not None and baseline not in [
            row.name for row in rows if row.show]:
        raise TableError(f'{where}: baseline: no row {baseline!r} is shown.')
    test_on = content.get('test_on')
    return Table(
        path.stem, str(content['title']), str(content.get('source', '')),
        columns, _in_order(rows, where), names, budget.get('epochs'),
        budget.get('max_iters'), seeds, tuple(size),
        _options(content, where), root / test_on if test_on else None,
        baseline,
        [str(note) for note in content.get('notes') or []])


def _check_keys(part: Any, known: tuple[str, ...], wanted: tuple[str, ...],
                where: str) -> None:
    """Refuse what is no dict of these keys."""
    from mmcrack.engine.sentences import did_you_mean
    if not isinstance(part, Mapping):
        raise TableError(f'{where} wants keys and values, got {part!r}.')
    for key in wanted:
        if not part.get(key):
            raise TableError(f'{where} lacks {key!r}.')
    for key in part:
        if key not in known:
            raise TableError(f'{where} has an unknown key {key!r}.'
                             f'{did_you_mean(str(key), known)}')


def _list(content: Mapping, key: str, where: str) -> list:
    """Return a list that must be one."""
    if not isinstance(content[key], list):
        raise TableError(f'{where}: {key} wants a list, got '
                         f'{type(content[key]).__name__}.')
    return content[key]


def _whole_number(value: Any, least: int, where: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise TableError(f'{where} wants a whole number of at least {least}, '
                         f'got {value!r}.')


def _no_twins(names: list[str], where: str) -> None:
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise TableError(f'{where} has {twins[0]!r} twice.')


def _options(part: Mapping, where: str,
             key: str = 'cfg_options') -> dict[str, Any]:
    """Return the settings of a row or of all."""
    options = part.get(key) or {}
    if not isinstance(options, Mapping):
        raise TableError(f'{where}: {key} wants key: value, got '
                         f'{options!r}.')
    return {str(key): value for key, value in options.items()}


def _column(part: Any, where: str) -> Column:
    """Check a column."""
    _check_keys(part, COLUMN_KEYS, ('key', ), f'{where}: a column')
    digits = part.get('digits', 2)
    _whole_number(digits, 0, f'{where}: column {part["key"]}: digits')
    return Column(str(part['key']), str(part.get('label', part['key'])),
                  str(part.get('unit', '%')), digits,
                  part.get('main') is True)


def _row(part: Any, keys: list[str], root: Path, where: str) -> TableRow:
    """Check a row."""
    _check_keys(part, ROW_KEYS, ('name', ), f'{where}: a row')
    name = str(part['name'])
    where = f'{where}: row {name!r}'
    paper = part.get('paper') or {}
    _check_keys(paper, tuple(keys), (), f'{where}: paper')
    for key, value in paper.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise TableError(f'{where}: paper: {key} wants a number, got '
                             f'{value!r}.')
    trains = part.get('train', True)
    if not isinstance(trains, bool):
        raise TableError(f'{where}: train wants true or false, got '
                         f'{trains!r}.')
    checkpoint, load_from = part.get('checkpoint'), part.get('load_from')
    if checkpoint and load_from:
        raise TableError(f'{where} has checkpoint (tested as it is) and '
                         'load_from (trained further): choose one.')
    config = part.get('config')
    if config is None and (checkpoint or load_from or trains):
        raise TableError(f'{where} lacks config; a row that is only quoted '
                         'says train: false.')
    if not trains and load_from:
        raise TableError(f'{where} says train: false, so load_from would '
                         'change nothing: name a checkpoint.')
    length, show = part.get('length', 1), part.get('show', True)
    if isinstance(length, bool) or not isinstance(
            length, (int, float)) or length <= 0:
        raise TableError(f'{where}: length wants a share of the budget above '
                         f'0, got {length!r}.')
    if not isinstance(show, bool):
        raise TableError(f'{where}: show wants true or false, got {show!r}.')
    # Without training and without weights there is nothing of ours.
    quoted = not trains and not checkpoint
    return TableRow(name, None if quoted else root / str(config),
                    {k: float(v) for k, v in paper.items()},
                    _options(part, where), checkpoint, load_from,
                    float(length), show, str(part.get('note', '')),
                    _options(part, where, 'test_options'))


def is_file(source: str) -> bool:
    """Tell whether weights are named by a file, not by a row."""
    return source.endswith(('.pth', '.pt'))


def _in_order(rows: list[TableRow], where: str) -> list[TableRow]:
    """Set rows behind those whose weights they need."""
    names = {row.name: row for row in rows}
    done: list[TableRow] = []
    for row in rows:
        for source in row.sources:
            if is_file(source):
                continue
            if source not in names:
                raise TableError(f'{where}: row {row.name!r} needs the '
                                 f'checkpoint of a row {source!r}, which is '
                                 'not there.')
            if names[source].config is None:
                raise TableError(f'{where}: row {row.name!r} needs the '
                                 f'checkpoint of {source!r}, which is only '
                                 'quoted.')
    left = list(rows)
    while left:
        ready = [row for row in left
                 if all(is_file(s) or names[s] in done for s in row.sources)]
        if not ready:
            raise TableError(f'{where}: the rows {left[0].name!r} and others '
                             'need the checkpoints of each other.')
        done += ready
        left = [row for row in left if row not in ready]
    return done
