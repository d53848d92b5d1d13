"""Tables: every job once, resumed, in order; figures; errors; a killed run."""

import csv
import json
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from mmengine.config import Config

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIG = """
train_cfg = dict(type='IterBasedTrainLoop', max_iters=100, val_interval=50)
param_scheduler = [dict(type='PolyLR', end=100, by_epoch=False)]
optim_wrapper = dict(optimizer=dict(type='SGD', lr=.1))
model = dict(type='X', weights='none')
train_dataloader = dict(num_workers=0, dataset=dict(data_root='data/set_a'))
test_dataloader = dict(dataset=dict(data_root='data/set_a'))
randomness = dict(seed=0)
load_from = None
"""
TABLE = """
title: A table
source: The paper, Table 9
columns: [{key: image_F1, label: F1}, {key: mBA, digits: 1},
          {key: images_per_second, label: speed, unit: 1/s}]
budget: {max_iters: 10, seeds: [0, 1]}
baseline: one
flops_size: [32, 64]
rows:
- {name: one, config: CONFIG_ROOT/a.py, paper: {image_F1: 80.5}}
- {name: two, config: CONFIG_ROOT/b.py, paper: {image_F1: 82.75},
   note: a second}
- {name: quoted, train: false, paper: {image_F1: 70}}
"""


@pytest.fixture
def table(tool, monkeypatch, tmp_path):
    """The command with tools that only pretend; F1 is 50 + 10 seed."""
    monkeypatch.setattr(sys, 'path', list(sys.path))
    monkeypatch.delenv('MMCRACK_DATA', raising=False)
    module = tool('benchmark/run_table')
    runs, jobs = module.run_seeds, module.Job
    calls, lock = [], threading.Lock()
    state = dict(own_validation=False, best_step=None, fail=(), stop=None)

    def call(command, *arguments, log, deadline, tick=None):
        words = [str(a) for a in arguments]
        config = runs.Path(words[0])
        cfg = Config.fromfile(config)
        folder = config.parent
        name = f'{folder.parent.name.rpartition("-")[0]} {folder.name}'
        with lock:
            if state['stop'] and len(calls) >= state['stop']:
                raise runs.TimeIsUpError
            calls.append((command.name, name, words, cfg))
        if any(word in f'{command.name} {name}' for word in state['fail']):
            log.write_text('Traceback\nb.py: error: no such thing.\n')
            raise RuntimeError('failed')
        if command.name == 'cost.py':
            runs.Path(words[words.index('--out') + 1]).write_text(json.dumps(
                dict(parameters=2_500_000, gflops=1.5, epoch_length=4,
                     images=dict(train=8, test=3),
                     own_validation=state['own_validation'])))
            return
        work_dir = runs.Path(words[words.index('--work-dir') + 1])
        work_dir.mkdir(parents=True, exist_ok=True)
        if command.name == 'train.py':
            tick(2.)
            tick(3.5)
            last = work_dir / 'iter_10.pth'
            last.write_text('')
            (work_dir / 'last_checkpoint').write_text(str(last))
            if state['best_step']:
                (work_dir / f'best_F1_iter_{state["best_step"]}.pth'
                 ).write_text('')
            return
        (work_dir / 'day').mkdir(parents=True, exist_ok=True)
        best = 'best' in runs.Path(words[1]).name
        (work_dir / 'day/day.json').write_text(json.dumps({
            'crack/image_F1': 50. + 10 * cfg.randomness.seed + 5 * best
            + (3 if cfg.model.type == 'Y' else 0),
            'crack/mBA': float('nan'), 'seconds_per_image': .25}))

    monkeypatch.setattr(runs, 'call', call)
    monkeypatch.setattr(module, 'describe_machine', lambda device: 'a CPU')
    monkeypatch.setattr(module, 'commit', lambda: 'abc123')
    (tmp_path / 'a.py').write_text(CONFIG)
    (tmp_path / 'b.py').write_text(
        "_base_ = './a.py'\nmodel = dict(type='Y')\n")

    def start(*arguments, text=TABLE, **changes):
        calls.clear()
        state.update(dict(fail=(), stop=None), **changes)
        path = tmp_path / 't.yaml'
        path.write_text(text.replace('CONFIG_ROOT', str(tmp_path)))
        code = module.main([str(path), '--work-dir', str(tmp_path / 'work'),
                            *map(str, arguments)])
        return code, [(c, n) for c, n, _, _ in calls]

    start.calls, start.module, start.jobs = calls, module, jobs
    start.out = tmp_path / 'work/t'
    return start


def rows_of(path):
    with path.open(newline='') as file:
        return list(csv.DictReader(file))


def test_every_job_runs_once_and_the_figures_are_right(table):
    code, calls = table()
    assert code == 0
    assert calls == [
        ('cost.py', 'one seed_0'), ('train.py', 'one seed_0'),
        ('test.py', 'one seed_0'), ('cost.py', 'two seed_0'),
        ('train.py', 'two seed_0'), ('test.py', 'two seed_0'),
        ('train.py', 'one seed_1'), ('test.py', 'one seed_1'),
        ('train.py', 'two seed_1'), ('test.py', 'two seed_1')]
    trained = table.calls[6][3]
    assert trained.randomness.seed == 1
    assert trained.train_cfg.to_dict() == dict(
        type='IterBasedTrainLoop', max_iters=10, val_interval=5)
    assert trained.param_scheduler[0].end == 10
    page = (table.out / 't.md').read_text()
    assert ('| system | F1 [%], paper | F1 [%], ours | mBA [%] | speed [1/s] '
            '| F1 over one, paper | F1 over one, ours | parameters [M] | '
            'GFLOPs at 64x32 | s per image | training [s] | seeds |') in page
    assert ('| one | 80.50 | 55.00 ± 7.07 |  | 4.00 ± 0.00 |  |  | 2.50 | '
            '1.5 | 0.2500 ± 0.0000 | 6 ± 0 | 0 1 |') in page
    assert '| two | 82.75 | 58.00 ± 7.07 |  | 4.00 ± 0.00 | +2.25 | ' \
        '+3.00 ± 0.00 | ' in page
    assert '| quoted | 70.00 |  |  |  | -10.50 |  |  |  |  |  |  |' in page
    for words in ('Paper: The paper, Table 9.', 'Budget: 10 iterations.',
                  'Images: train 8, test 3 (set_a).', 'a CPU', 'abc123',
                  'two: a second', 'no best checkpoint to choose'):
        assert words in page
    lines = rows_of(table.out / 't.csv')
    assert [line['system'] for line in lines] == ['one', 'two', 'quoted']
    assert (lines[1]['image_F1 paper'], lines[1]['image_F1 last mean'],
            lines[1]['image_F1 last sd']) == ('82.75', '58', '7.07107')
    assert [(line['seed'], line['image_F1'], line['mBA'])
            for line in rows_of(table.out / 't_seeds.csv')] == [
        ('0', '50', ''), ('1', '60', ''), ('0', '53', ''), ('1', '63', '')]


def test_what_is_done_is_not_done_again_unless_it_is_something_else(table):
    table()
    assert table() == (0, [])
    # Seeds add up; the cost of a row is known.
    code, calls = table('--seeds', 0, 1, 2)
    assert calls == [(c, f'{n} seed_2') for n in ('one', 'two')
                     for c in ('train.py', 'test.py')]
    # Another budget or setting is another training.
    for options in (['--max-iters', '20'],
                    ['--cfg-options', 'optim_wrapper.optimizer.lr=.2']):
        code, calls = table('--seeds', 0, *options)
        assert [c for c, _ in calls] == ['cost.py', 'train.py',
                                         'test.py'] * 2
    assert table('--cfg-options', 'train_dataloader.num_workers=3')[1] == []
    assert table() == (0, [])
    assert 'Budget: 10 iterations' in (table.out / 't.md').read_text()


def test_chosen_rows_and_tables_without_running(table):
    code, calls = table('--rows', 'two', '--seeds', 0)
    assert {n for _, n in calls} == {'two seed_0'}
    assert table('--tabulate') == (0, [])
    page = (table.out / 't.md').read_text()
    assert '| one | 80.50 |  |' in page
    assert '| two | 82.75 | 53.00 |' in page
    with pytest.raises(ValueError, match="no row 'tow'.*mean 'two'"):
        table('--rows', 'tow')


def test_a_failure_stops_no_other_row_and_is_told(table):
    code, calls = table('--seeds', 0, fail=['train.py one'])
    assert code == 1
    assert ('test.py', 'two seed_0') in calls
    page = (table.out / 't.md').read_text()
    assert '| one | 80.50 |  |' in page
    assert re.search(r'\*\*one failed\*\*: b\.py: error: no such thing\. '
                     r'\(log: .*run\.log\) \(seed 0\)', page)
    assert 'no such thing' in rows_of(table.out / 't.csv')[0]['error']
    # The next start tries it again, and it alone.
    code, calls = table('--seeds', 0)
    assert code == 0
    assert [n for _, n in calls] == ['one seed_0'] * 2
    assert 'failed' not in (table.out / 't.md').read_text()


def test_a_row_that_cannot_run_is_told_and_the_others_run(table):
    text = TABLE + ('- {name: bad, config: nowhere.py}\n'
                    '- {name: on_bad, config: CONFIG_ROOT/a.py, checkpoint: '
                    'bad}\n')
    code, calls = table('--seeds', 0, text=text)
    assert code == 1
    assert len(calls) == 6
    page = (table.out / 't.md').read_text()
    assert re.search(r'\*\*bad failed\*\*: The config .*nowhere', page)
    assert "**on_bad failed**: it needs 'bad', which cannot run" in page
    # Chosen rows that can run are no failure.
    assert table('--seeds', 0, '--rows', 'one', text=text)[0] == 0
    code, _ = table('--epochs', 3, '--max-iters', 4, '--tabulate')
    assert code == 0


def test_a_stopped_table_goes_on(table):
    code, calls = table('--seeds', 0, stop=2)
    assert code == 3
    assert [c for c, _ in calls] == ['cost.py', 'train.py']
    code, calls = table('--seeds', 0)
    assert code == 0
    # The training was over: it is only tested.
    assert calls[0] == ('test.py', 'one seed_0')
    # A training that broke off, with a checkpoint, is resumed.
    folder = next(table.out.glob('one-*/seed_0'))
    (folder / 'result.json').unlink()
    (folder / 'train/trained').unlink()
    table('--seeds', 0)
    assert '--resume' in table.calls[0][2]
    result = json.loads((folder / 'result.json').read_text())
    assert result['train_seconds'] == pytest.approx(11., abs=.2)
    shutil.rmtree(folder)
    table('--seeds', 0)
    assert '--resume' not in table.calls[0][2]


CHAIN = """
title: A chain
columns: [{key: image_F1}]
budget: {max_iters: 10, seeds: [0, 1]}
rows:
- {name: fine, config: CONFIG_ROOT/b.py, load_from: first, length: .5,
   test_options: {model.size: 900}}
- {name: tested, config: CONFIG_ROOT/b.py, checkpoint: first,
   cfg_options: {model.depth: 2}}
- {name: named, config: CONFIG_ROOT/a.py,
   cfg_options: {model.weights: 'at ${checkpoint:first}'}}
- {name: first, config: CONFIG_ROOT/a.py, show: false}
"""


@pytest.mark.parametrize('jobs', [1, 4])
def test_rows_get_the_weights_of_others_with_their_seed(table, jobs):
    code, calls = table('--jobs', jobs, text=CHAIN)
    assert code == 0
    # A first stage is not tested, a tested one not trained.
    assert ('test.py', 'first seed_0') not in calls
    assert ('train.py', 'tested seed_0') not in calls
    by_job = {(c, n): (words, cfg) for c, n, words, cfg in table.calls}
    for seed in (0, 1):
        first = str(next(table.out.glob(f'first-*/seed_{seed}'))
                    / 'train/iter_10.pth')
        cfg = by_job['train.py', f'fine seed_{seed}'][1]
        assert cfg.load_from == first
        assert cfg.train_cfg.max_iters == 5
        words, cfg = by_job['test.py', f'tested seed_{seed}']
        assert words[1] == first
        assert cfg.model.depth == 2
        assert by_job['train.py', f'named seed_{seed}'][
            1].model.weights == f'at {first}'
    page = (table.out / 't.md').read_text()
    assert '| first |' not in page
    # Settings of the test alone leave the training as it is.
    assert by_job['test.py', 'fine seed_0'][0][-2:] == [
        '--cfg-options', 'model.size=900']
    assert 'size' not in by_job['train.py', 'fine seed_0'][1].model
    assert '--cfg-options' not in by_job['test.py', 'named seed_0'][0]
    # Another first stage is another training for those that stand on it.
    root = table.out.parents[1]
    text = CHAIN.replace('name: first,', 'name: first, length: .7,')
    assert len([c for c, _ in table(text=text)[1] if c == 'train.py']) == 6
    assert root.is_dir()


def test_what_stands_on_a_failure_fails_too(table):
    code, calls = table('--seeds', 0, text=CHAIN, fail=['train.py first'])
    assert code == 1
    assert [n for c, n in calls if c == 'train.py'] == ['first seed_0']
    page = (table.out / 't.md').read_text()
    for name in ('fine', 'tested', 'named'):
        assert f"**{name} failed**: it needs 'first', which failed" in page
    assert table('--seeds', 0, text=CHAIN)[0] == 0


def test_the_best_checkpoint_where_validation_is_its_own(table):
    _, calls = table('--seeds', 0, own_validation=True, best_step=5)
    assert calls.count(('test.py', 'one seed_0')) == 2
    page = (table.out / 't.md').read_text()
    best = page.partition('The best checkpoint by the validation split')[2]
    assert '| one | 80.50 | 50.00 |' in page.partition('The best')[0]
    assert '| one | 80.50 | 55.00 |' in best
    assert rows_of(table.out / 't.csv')[0]['image_F1 best mean'] == '55'
    # The last is the best: nothing to test again.
    _, calls = table('--seeds', 1, best_step=10)
    assert calls.count(('test.py', 'one seed_1')) == 1
    # Chosen on training or test images, it would prove nothing.
    _, calls = table('--max-iters', 7, '--seeds', 0, own_validation=False,
                     best_step=5)
    assert calls.count(('test.py', 'one seed_0')) == 1
    assert 'by the validation split' not in (table.out / 't.md').read_text()


def test_time_that_is_left_is_told_by_what_has_run(table, monkeypatch,
                                                   capsys):
    clock = [0.]
    monkeypatch.setattr(table.module.time, 'monotonic', lambda: clock[0])
    said = []
    monkeypatch.setattr(table.module, 'say', said.append)
    progress = table.module.Progress(total=10, done=4, every=30.)

    class Fake:
        name = 'one, seed 0'

        class prepared:
            length = (200, 'iteration')

    progress.tell(Fake, 'training', 0.)
    clock[0] = 10.
    progress.tell(Fake, 'training', .1)
    assert len(said) == 1
    clock[0] = 60.
    progress.tell(Fake, 'training', .5)
    # Half a job in a minute: five and a half are left.
    assert said[-1] == ('[4 of 10 done] one, seed 0: training, iteration 100 '
                        'of 200; about 11 min left')
    clock[0] = 120.
    progress.finish(Fake, 'done')
    assert said[-1] == ('[5 of 10 done] one, seed 0: done; about 10 min left')


@pytest.mark.parametrize(('options', 'words'), [
    (['--jobs', '0'], '--jobs must be at least 1'),
    (['--minutes', '0'], '--minutes above 0'),
    (['--epochs', '0'], '--epochs must be at least 1'),
    (['--data-root', 'nowhere'], 'there is no folder nowhere')])
def test_wrong_options(tool, capsys, monkeypatch, options, words):
    monkeypatch.setattr(sys, 'path', list(sys.path))
    with pytest.raises(SystemExit):
        tool('benchmark/run_table').main(['t.yaml', *options])
    assert words in capsys.readouterr().err


REAL = """
title: Real
columns: [{key: image_F1, label: F1}]
budget: {max_iters: 2, seeds: [0]}
flops_size: [32, 32]
rows:
- {name: tiny, config: %s}
"""
TAIL = """
custom_imports = dict(imports=['mmcrack'], allow_failed_imports=False)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=40, val_interval=40)
param_scheduler = [dict(type='PolyLR', power=0.9, by_epoch=False, end=40)]
default_hooks['checkpoint'] = dict(
    type='CheckpointHook', by_epoch=False, interval=20)
val_evaluator = dict(type='mmcrack.CrackMetric')
test_evaluator = val_evaluator
"""


@pytest.mark.slow
def test_a_real_table_survives_a_kill(table, tool, write_config, tmp_path,
                                      monkeypatch):
    """The training of a killed run goes on, and none is started beside it.

    Whether the next start still meets it depends on the machine; that a
    start waits then is tested on the lock itself.
    """
    monkeypatch.undo()
    monkeypatch.setattr(sys, 'path', list(sys.path))
    config = write_config('tiny', tail=TAIL)
    path = tmp_path / 'real.yaml'
    path.write_text(REAL % config)
    work = tmp_path / 'real'
    command = [sys.executable, table.module.__file__, str(path),
               '--work-dir', str(work)]
    killed = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not list(work.glob('real/tiny-*/seed_0/train/*/*.log')):
        assert killed.poll() is None
        assert time.monotonic() < deadline
        time.sleep(.1)
    killed.kill()
    killed.wait()
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    folder = next(work.glob('real/tiny-*/seed_0'))
    steps = [json.loads(line).get('step')
             for file in folder.glob('train/*/vis_data/scalars.json')
             for line in file.read_text().splitlines() if '"loss"' in line]
    assert sorted(steps) == sorted(set(steps)), 'trained twice'
    result = json.loads((folder / 'result.json').read_text())
    assert result['checkpoint'].endswith('iter_2.pth')
    assert 0 <= result['last']['crack/image_F1'] <= 100
    assert 0 < result['last']['seconds_per_image'] < 60
    assert result['images'] == dict(train=8, val=3, test=3)
    # Its val split is the test split.
    assert (result['own_validation'], result['best']) == (False, None)
    assert f'{result["last"]["crack/image_F1"]:.2f}' in done.stdout


@pytest.mark.parametrize('path', sorted(
    (REPOSITORY / 'configs/baselines/tables').glob('*.yaml')),
    ids=lambda path: path.stem)
def test_our_tables_can_have_a_short_budget(tool, tmp_path, monkeypatch,
                                            path):
    """Every row's config is read, and every schedule shrinks."""
    monkeypatch.setattr(sys, 'path', list(sys.path))
    assert tool('benchmark/run_table').main([
        str(path), '--epochs', '2', '--max-iters', '2', '--tabulate',
        '--work-dir', str(tmp_path)]) == 0
    page = (tmp_path / path.stem / f'{path.stem}.md').read_text()
    assert 'failed' not in page
    budget = re.search(r'Budget: ([^.]*)\.', page).group(1)
    assert set(budget.split(' or ')) <= {'2 epochs', '2 iterations',
                                         '1 epoch'}
