"""A small run of tools/benchmark/metrics.py."""

import csv
import sys

import oracles
import pytest
import torch


@pytest.fixture
def module(tool, monkeypatch):
    monkeypatch.setattr(sys, 'path', list(sys.path))
    monkeypatch.setattr(torch.backends.cudnn, 'benchmark', False)
    found = tool('benchmark/metrics')
    monkeypatch.setitem(sys.modules, 'measure', found.measure)
    return found


def test_every_metric_of_a_drawn_crack_is_a_number(module):
    pair = module.draw_crack((90, 160))
    assert 0 < pair.target.sum() < pair.target.size / 2
    for job in module.metric_jobs(pair).values():
        found = job()
        if isinstance(found, float):
            assert found >= 0


def test_the_rival_is_the_definition(module):
    pair = module.draw_crack((300, 500))
    assert module.opencv_mba(pair.pred, pair.target) == pytest.approx(
        oracles.opencv_mba(pair.pred, pair.target), abs=1e-12)


def test_mba_of_given_times(module, monkeypatch, tmp_path):
    monkeypatch.setattr(
        module.measure, 'in_turns',
        lambda jobs, **options: {'OpenCV': [.4, .2, .3],
                                 'mmcrack': [.1, .1, .02]})
    out = tmp_path / 'a.csv'
    rows = module.main(['--parts', 'mba', '--mba-size', '320x240',
                        '--out', str(out)])
    # Medians of 300 ms and 100 ms, and of 4, 2 and 15 times.
    assert [(x['mBA'], x['milliseconds'], x['times faster'])
            for x in rows] == [
        ('OpenCV', '300.00', '1.0'), ('mmcrack', '100.00', '4.0')]
    assert rows[0]['value'] == rows[1]['value']
    with out.open(newline='') as file:
        assert 'mBA at 320x240' in next(csv.DictReader(file))['measured']


def test_a_column_for_each_size(module):
    rows = module.main([
        '--parts', 'suite', '--sizes', '64x48', '48x64', '--only', 'Betti',
        'clDice', '--repeats', '1'])
    assert [x['metric'] for x in rows] == [
        'clDice', 'Betti', 'Betti, 65 px windows']
    assert [x for x in rows[0] if x.endswith('processor s')] == [
        '64x48, processor s', '48x64, processor s']


@pytest.mark.parametrize(('options', 'words'), [
    (['--only', 'mIoU', '--parts', 'suite'], '--only mIoU names no metric'),
    (['--device', 'cuda'], 'Metrics run on the processor'),
    (['--out', 'a.csv'], '--out takes one table'),
])
def test_wrong_options_end_in_one_sentence(run, module, options, words):
    code, said = run(
        'benchmark/metrics', '--sizes', '64x48', '--repeats', '1', *options)
    assert code == 2
    assert words in said
    assert 'Traceback' not in said
