"""A grid around a config: its rows, its resumption, its figures."""

import csv
import json
from pathlib import Path

import pytest

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
BASE = """
model = dict(head=dict(offset=0.3, loss=dict(num=20)))
"""
SWEEP = """
sweep = dict(
    base='base.py',
    parameters=dict(
        offset=dict(key='model.head.offset', values=[.5, .3, .1], paper=.3,
                    paper_drop=1.5),
        num=dict(key='model.head.loss.num', values=[5, 20], label='K')))
"""


@pytest.fixture
def grid(tool, monkeypatch, tmp_path):
    """The sweep with commands that only pretend; F1 by option and seed."""
    module = tool('analysis/sweep')
    runs = module.run_seeds
    calls = []
    stop_after = []

    def call(command, *arguments, log, deadline):
        words = [str(a) for a in arguments]
        if stop_after and len(calls) >= stop_after[0]:
            raise runs.TimeIsUpError
        calls.append([command.name, *words])
        work_dir = Path(words[words.index('--work-dir') + 1])
        settings = words[words.index('--cfg-options'):] \
            if '--cfg-options' in words else []
        if command.name == 'train.py':
            (work_dir / 'last_checkpoint').write_text(f'{work_dir}/e.pth\n')
            return 1.
        score = 70. + int(str(work_dir.parent).rpartition('seed')[2])
        if 'model.head.offset=0.1' in settings:
            score -= 4
        if 'model.head.loss.num=5' in settings:
            score += 2
        (work_dir / 'day').mkdir(parents=True)
        (work_dir / 'day/day.json').write_text(json.dumps(
            {f'crack/{key}': score for key in runs.KEYS}))
        return 1.

    monkeypatch.setattr(runs, 'call', call)
    (tmp_path / 'base.py').write_text(BASE)
    (tmp_path / 'grid.py').write_text(SWEEP)

    def start(*arguments, limit=None):
        calls.clear()
        stop_after[:] = [] if limit is None else [limit]
        code = module.main([str(tmp_path / 'grid.py'), '--work-dir',
                            str(tmp_path / 'work'), *map(str, arguments)])
        return code, list(calls)

    return start


@pytest.fixture
def rows(tmp_path):
    def read(path='work/grid.csv'):
        with (tmp_path / path).open(newline='') as file:
            return [(r['config'], r['seed'], r['image_Dice'])
                    for r in csv.DictReader(file)]
    return read


def test_the_shared_setting_is_trained_once_and_each_row_gets_its_value(
        grid, rows, tmp_path, capsys):
    code, calls = grid('--seeds', 0, 1, '--cfg-options', 'x=1')
    assert code == 0
    trained = [c for c in calls if c[0] == 'train.py']
    assert [c[c.index('--cfg-options') + 1:] for c in trained[:4]] == [
        ['randomness.seed=0', 'x=1'],
        ['randomness.seed=0', 'x=1', 'model.head.offset=0.1'],
        ['randomness.seed=0', 'x=1', 'model.head.offset=0.5'],
        ['randomness.seed=0', 'x=1', 'model.head.loss.num=5']]
    assert len(trained) == 8
    tested = [c for c in calls if c[0] == 'test.py']
    assert tested[1][-3:] == ['--cfg-options', 'x=1', 'model.head.offset=0.1']
    assert {c[1] for c in calls} == {str(tmp_path / 'base.py')}
    assert rows() == [
        ('base', '0', '70.0'), ('base-offset_0.1', '0', '66.0'),
        ('base-offset_0.5', '0', '70.0'), ('base-num_5', '0', '72.0'),
        ('base', '1', '71.0'), ('base-offset_0.1', '1', '67.0'),
        ('base-offset_0.5', '1', '71.0'), ('base-num_5', '1', '73.0')]
    said = capsys.readouterr().out
    assert ('offset: 0.1: 66.50 (2), 0.3: 70.50 (2), 0.5: 70.50 (2); best - '
            'worst: 4.0 (paper: 1.5)') in said
    assert 'num: 5: 72.50 (2), 20: 70.50 (2); best - worst: 2.0\n' in said
    assert (tmp_path / 'work/grid_image_Dice.png').stat().st_size > 10_000


def test_a_stopped_sweep_goes_on_where_it_was(grid, rows, capsys):
    code, _ = grid('--seeds', 0, limit=3)
    assert code == 3
    assert rows() == [('base', '0', '70.0')]
    said = capsys.readouterr()
    assert '3 of 4 rows are left' in said.err
    assert 'num: 20: 70.00 (1)\n' in said.out
    code, calls = grid('--seeds', 0)
    assert code == 0
    # The second row had been trained but not tested.
    assert [c[0] for c in calls] == ['test.py'] + ['train.py', 'test.py'] * 2
    assert [r[0] for r in rows()] == [
        'base', 'base-offset_0.1', 'base-offset_0.5', 'base-num_5']
    assert grid('--seeds', 0) == (0, [])


def test_draw_only_runs_nothing_and_takes_the_rows_that_are_there(
        grid, tmp_path, capsys):
    (tmp_path / 'r.csv').write_text(
        'config,seed,image_Dice,IoU\nbase,0,70,50\nbase,7,71,40\n'
        'base-offset_0.1,0,66,30\nother,0,1,1\n')
    assert grid('--draw-only', '--csv', tmp_path / 'r.csv', '--out',
                tmp_path / 'p.svg', '--metric', 'IoU') == (0, [])
    said = capsys.readouterr().out
    assert ('offset: 0.1: 30.00 (1), 0.3: 45.00 (2); best - worst: 15.0'
            in said)
    picture = (tmp_path / 'p.svg').read_text()
    assert 'number of seeds: 1-2' in picture


@pytest.mark.parametrize(('text', 'words'), [
    ('model = 1', 'is no sweep: wanted sweep = dict(base=CONFIG'),
    (SWEEP.replace('base.py', 'bass.py'), 'Nearest: '),
    (SWEEP.replace('head.offset', 'head.ofset'),
     "The base config has no 'model.head.ofset' (not from 'ofset' on)"),
    (SWEEP.replace('.3, .1]', '.1]'),
     'The base config has model.head.offset=0.3, which is not among the '
     'values [0.1, 0.5]'),
    (SWEEP.replace('label', 'lable'), 'may have label, paper, paper_drop'),
])
def test_a_sweep_that_does_not_fit_its_base(run, tmp_path, text, words):
    (tmp_path / 'base.py').write_text(BASE)
    (tmp_path / 'grid.py').write_text(text)
    code, said = run('analysis/sweep', tmp_path / 'grid.py')
    assert code == 2
    assert words in said


def test_nothing_to_draw(run, grid, tmp_path):
    sweep = tmp_path / 'grid.py'
    code, said = run('analysis/sweep', sweep, '--draw-only', '--csv',
                     tmp_path / 'none.csv')
    assert (code, 'There are no rows yet' in said) == (2, True)
    (tmp_path / 'r.csv').write_text('config,seed,IoU\nother,0,3\n')
    for metric, words in (('IoU', 'holds no row of this sweep'),
                          ('mBA', "has no column 'mBA', only config")):
        code, said = run('analysis/sweep', sweep, '--draw-only', '--csv',
                         tmp_path / 'r.csv', '--metric', metric)
        assert (code, words in said) == (2, True)


def test_the_sweep_of_figure_4(tool):
    """Each grid has the paper's value, which its base config holds."""
    module = tool('analysis/sweep')
    path = CONFIGS / 'cirl/ablation/sweep_unet_deepcrack_mini.py'
    sweep = module.read_sweep(str(path))
    found = {p.name: (p.own, p.paper, p.values[0], p.values[-1],
                      p.paper_drop) for p in sweep.parameters}
    assert found == {
        'variance_offset': (.3, .3, .1, .5, 1.5),
        'variance_threshold': (.4, .4, .2, .6, .8),
        'num_neighbors': (20, 20, 5, 25, 2.0),
        'loss_weight': (.2, .2, .05, .4, 1.8)}
    assert path.read_text().count('# not printed in the paper') == 4
    rows = module.rows_of(sweep, [0])
    assert len(rows) == len({r.name for r in rows}) == 17
    assert rows[0].options == ()
