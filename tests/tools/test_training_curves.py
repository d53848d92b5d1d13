"""The command that draws logged figures."""

import json
import math

import numpy as np
import pytest

from mmcrack.visualization.training_curves import curves_figure, series

LOG = {10: {'loss': 4., 'lr': .1}, 20: {'loss': math.nan, 'lr': .2},
       30: {'loss': 2., 'lr': .3, 'crack/IoU': 50.}}


@pytest.fixture
def folder(tmp_path):
    """Write a log; returns its folder."""

    def write(name, log):
        path = tmp_path / name / 'run' / 'vis_data' / 'scalars.json'
        path.parent.mkdir(parents=True)
        path.write_text('\n'.join(
            json.dumps({'iter': step, **row}) for step, row in log.items()))
        return tmp_path / name

    return write


def test_lines_hold_what_was_logged():
    steps, values = series(LOG, 'loss')
    np.testing.assert_array_equal([steps, values], [[10, 30], [4, 2]])
    figure = curves_figure({'a': LOG, 'b': {10: {'lr': 1.}}},
                           keys=['loss', 'lr'], window=1, log_axes=['lr'])
    losses, rates = figure.axes[:2]
    assert [line.get_label() for line in losses.get_lines()] == ['a']
    drawn = [line.get_xydata().tolist() for line in rates.get_lines()]
    assert drawn == [[[10, .1], [20, .2], [30, .3]], [[10, 1.]]]
    assert (losses.get_yscale(), rates.get_yscale()) == ('linear', 'log')
    assert losses.get_xlim() == rates.get_xlim() == (0, 30)
    with pytest.raises(ValueError, match='no log holds'):
        curves_figure({'a': LOG}, keys=['mBA'], window=1)


def test_the_command_chooses_what_there_is(run, folder, tmp_path, capsys):
    first, second = folder('first', LOG), folder('second', {5: {'loss': 1.}})
    out = tmp_path / 'curves.png'
    code, said = run('analysis/training_curves', first, second, '--out', out)
    assert code == 0, said
    assert out.read_bytes()[:4] == b'\x89PNG'
    assert out.stat().st_size > 10000


@pytest.mark.parametrize(('options', 'sentence'), [
    (['--keys', 'los'], "Did you mean 'loss'"),
    (['--log', 'mBA'], 'which is not drawn'),
])
def test_wrong_figures_end_in_a_sentence(run, folder, tmp_path, options,
                                         sentence):
    code, said = run('analysis/training_curves', folder('a', LOG), *options,
                     '--out', tmp_path / 'out.png')
    assert (code, sentence in said) == (2, True), said
    code, said = run('analysis/training_curves', tmp_path / 'none')
    assert (code, 'holds no log' in said) == (2, True)
    code, said = run('analysis/training_curves', folder('empty', {}))
    assert (code, 'is empty' in said) == (2, True)
