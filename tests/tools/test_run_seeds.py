"""Rows over seeds: each once, resumed, and no failure stops another."""

import csv
import json
import signal
import subprocess
import sys
import threading
import time

import pytest


@pytest.fixture
def seeds(tool, monkeypatch, tmp_path):
    """The runner of rows with commands that only pretend."""
    module = tool('benchmark/run_seeds')
    calls = []
    lock = threading.Lock()

    def call(command, *arguments, log, deadline):
        words = [str(a) for a in arguments]
        with lock:
            calls.append([command.name, *words])
        work_dir = module.Path(words[words.index('--work-dir') + 1])
        if 'bad' in words[0]:
            raise RuntimeError(f'{command.name} failed; see {log}.')
        if command.name == 'train.py':
            work_dir.mkdir(parents=True, exist_ok=True)
            (work_dir / 'last_checkpoint').write_text(
                f'{work_dir}/epoch_8.pth\n')
            if 'late' in words[0] and '--resume' not in words:
                raise module.TimeIsUpError
            return 61.4
        folder = work_dir / 'day'
        folder.mkdir(parents=True)
        seed = int(str(work_dir.parent).rpartition('seed')[2])
        (folder / 'day.json').write_text(json.dumps({
            f'crack/{key}': 10 * seed + 1 / 3 for key in module.KEYS}))
        return 7.6

    monkeypatch.setattr(module, 'call', call)
    for name in ('a', 'bad', 'late'):
        (tmp_path / f'{name}.py').write_text('')

    def start(*arguments):
        calls.clear()
        code = module.main([str(a) for a in arguments] + [
            '--csv', str(tmp_path / 'new/rows.csv'), '--work-dir',
            str(tmp_path / 'work')])
        path = tmp_path / 'new/rows.csv'
        rows = []
        if path.exists():
            with path.open(newline='') as file:
                rows = list(csv.DictReader(file))
        return code, rows, list(calls)

    return start


def test_rows_are_appended_and_never_repeated(seeds, tmp_path):
    config = tmp_path / 'a.py'
    code, rows, calls = seeds(config, '--seeds', 0, 2)
    assert code == 0
    assert [c[0] for c in calls] == ['train.py', 'test.py'] * 2
    assert 'randomness.seed=2' in calls[2]
    assert calls[1][2] == str(tmp_path / 'work/a_seed0/epoch_8.pth')
    assert [(r['config'], r['seed'], r['IoU'], r['mBA'], r['train_seconds'],
             r['test_seconds']) for r in rows] == [
        ('a', '0', '0.333', '0.333', '61', '8'),
        ('a', '2', '20.333', '20.333', '61', '8')]
    code, rows, calls = seeds(config, '--seeds', 0, 1, 2)
    assert code == 0
    assert [r['seed'] for r in rows] == ['0', '2', '1']
    assert len(calls) == 2


def test_a_failure_stops_no_other_row(seeds, tmp_path, capsys):
    code, rows, _ = seeds(tmp_path / 'bad.py', tmp_path / 'a.py', '--seeds',
                          0)
    assert code == 1
    assert [r['config'] for r in rows] == ['a']
    said = capsys.readouterr().err
    assert 'train.py failed; see ' in said
    assert 'bad_seed0' in said


def test_a_stopped_training_is_resumed(seeds, tmp_path, capsys):
    code, rows, _ = seeds(tmp_path / 'late.py', '--seeds', 0)
    assert (code, rows) == (3, [])
    assert '1 of 1 rows are left' in capsys.readouterr().err
    code, rows, calls = seeds(tmp_path / 'late.py', '--seeds', 0)
    assert code == 0
    assert '--resume' in calls[0]
    # The seconds of a part say nothing about the whole.
    assert rows[0]['train_seconds'] == ''


def test_a_given_checkpoint_is_tested_without_training(seeds, tmp_path):
    path = tmp_path / 'given.pth'
    path.write_bytes(b'')
    code, rows, calls = seeds(
        tmp_path / 'a.py', '--seeds', 0, '--checkpoint', path,
        '--cfg-options', 'x=1')
    assert code == 0
    assert [c[0] for c in calls] == ['test.py']
    assert calls[0][2] == str(path)
    assert calls[0][-2:] == ['--cfg-options', 'x=1']
    assert rows[0]['train_seconds'] == ''


def test_several_rows_at_a_time(seeds, tmp_path):
    _, rows, _ = seeds(tmp_path / 'a.py', '--seeds', *range(6), '--jobs', 3)
    assert sorted(int(r['seed']) for r in rows) == list(range(6))


@pytest.mark.parametrize(('options', 'words'), [
    (['no.py'], 'there is no file no.py'),
    (['{a}', '--checkpoint', 'no.pth'], 'there is no file no.pth'),
    (['{a}', '--jobs', '0'], '--jobs must be at least 1'),
    (['{a}', '--minutes', '0'], '--minutes above 0')])
def test_wrong_options_of_rows(tool, tmp_path, capsys, options, words):
    (tmp_path / 'a.py').write_text('')
    options = [o.format(a=tmp_path / 'a.py') for o in options]
    with pytest.raises(SystemExit) as error:
        tool('benchmark/run_seeds').main(
            [*options, '--csv', str(tmp_path / 'r.csv')])
    assert error.value.code == 2
    assert words in capsys.readouterr().err


def test_a_command_runs_on_one_thread_and_its_failure_names_the_log(
        tool, tmp_path):
    module = tool('benchmark/run_seeds')
    script, log = tmp_path / 'a.py', tmp_path / 'run.log'
    script.write_text('import os, sys\nprint(os.environ["OMP_NUM_THREADS"])\n'
                      'print("words", file=sys.stderr)\n'
                      'sys.exit(int(sys.argv[1]))\n')
    assert module.call(script, 0, log=log, deadline=None) >= 0
    with pytest.raises(RuntimeError, match=r'a\.py failed; see .*run\.log'):
        module.call(script, 3, log=log, deadline=None)
    assert sorted(log.read_text().split()) == ['1', '1', 'words', 'words']


def test_a_command_is_stopped_when_time_is_up(tool, tmp_path):
    module = tool('benchmark/run_seeds')
    script, mark = tmp_path / 'a.py', tmp_path / 'mark'
    script.write_text('import pathlib, sys, time\ntime.sleep(1)\n'
                      'pathlib.Path(sys.argv[1]).touch()\n')
    with pytest.raises(module.TimeIsUpError):
        module.call(script, mark, log=tmp_path / 'log',
                    deadline=time.monotonic() + .2)
    with pytest.raises(module.TimeIsUpError):
        module.call(script, mark, log=tmp_path / 'log',
                    deadline=time.monotonic() - 1)
    time.sleep(1.2)
    assert not mark.exists()


def test_ctrl_c_stops_the_tool_and_says_so(tool, tmp_path, monkeypatch):
    module = tool('benchmark/run_seeds')
    script, mark = tmp_path / 'a.py', tmp_path / 'mark'
    script.write_text('import pathlib, sys, time\ntime.sleep(3)\n'
                      'pathlib.Path(sys.argv[1]).touch()\n')
    main = threading.get_ident()

    def work(number):
        if number == 0:
            time.sleep(.3)
            signal.pthread_kill(main, signal.SIGINT)
        try:
            return module.call(script, mark, log=tmp_path / 'log',
                               deadline=None)
        except module.TimeIsUpError:
            return 'stopped'

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        start = time.monotonic()
        assert module.in_threads(work, [0, 1, 2], 2) == ['stopped'] * 3
        assert time.monotonic() - start < 3
    finally:
        signal.signal(signal.SIGINT, before)
    assert not module.STOP.is_set()
    assert not mark.exists()


def test_a_folder_waits_for_the_tool_of_a_killed_run(tool, tmp_path, capsys):
    """The lock lives as long as the tool, not only as long as its caller."""
    module = tool('benchmark/run_seeds')
    script = tmp_path / 'a.py'
    script.write_text(
        'import subprocess, sys\n'
        f'sys.path.insert(0, {str(module.TOOLS / "benchmark")!r})\n'
        'import run_seeds\n'
        'from pathlib import Path\n'
        'here = Path(sys.argv[1])\n'
        'with run_seeds.folder_lock(here, None):\n'
        '    run_seeds.call(here / "tool.py", log=here / "log",'
        ' deadline=None)\n')
    (tmp_path / 'tool.py').write_text(
        'import pathlib, time\n'
        'here = pathlib.Path(__file__).parent\n'
        '(here / "begun").touch()\ntime.sleep(2)\n'
        '(here / "done").touch()\n')
    caller = subprocess.Popen([sys.executable, script, tmp_path])
    while not (tmp_path / 'begun').exists():
        time.sleep(.05)
    caller.kill()
    caller.wait()
    assert not (tmp_path / 'done').exists()
    with pytest.raises(module.TimeIsUpError), module.folder_lock(
            tmp_path, time.monotonic() - 1):
        pass
    with module.folder_lock(tmp_path, None):
        assert (tmp_path / 'done').exists()
    assert 'waiting for its end' in capsys.readouterr().err
