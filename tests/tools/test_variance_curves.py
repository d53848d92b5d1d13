"""The command that draws the variance of trainings."""

import importlib.util
import json

import pytest


@pytest.fixture
def command(repository):
    path = repository / 'tools' / 'analysis' / 'variance_curves.py'
    spec = importlib.util.spec_from_file_location('variance_curves', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_log(work_dir, run, rows):
    folder = work_dir / run / 'vis_data'
    folder.mkdir(parents=True)
    (folder / 'scalars.json').write_text(
        '\n'.join(json.dumps(row) for row in rows))


def row(step, share, **more):
    return {'iter': step, 'decode.ambiguous_share': share,
            'decode.variance_crack': .1, **more}


def test_a_resumed_training_is_one_curve(command, tmp_path):
    write_log(tmp_path, '1', [row(50, 1.), row(100, 2.),
                              {'crack/IoU': 3., 'step': 100}])
    write_log(tmp_path, '2', [row(100, 5., **{'decode.loss_std': 0.}),
                              row(150, 6., **{'decode.loss_std': 0.})])
    (tmp_path / 'config.py').write_text(
        'model = dict(decode_head=dict(variance_threshold=.7))\n')
    log = command.read_log(tmp_path, 'x')
    assert (log.steps, log.figures['ambiguous_share']) == (
        [50, 100, 150], [1., 5., 6.])
    assert (log.threshold, log.switch) == (.7, 100)
    out = tmp_path / 'out.png'
    assert command.main([str(tmp_path), '--out', str(out)]) == 0
    assert out.stat().st_size > 10000


def test_bad_input_is_one_sentence(command, tmp_path, capsys):
    assert command.main([str(tmp_path / 'none')]) == 2
    assert 'holds no log' in capsys.readouterr().err
    write_log(tmp_path, '1', [{'iter': 50, 'loss': 1.}])
    assert command.main([str(tmp_path)]) == 2
    assert 'holds no variance' in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command.main([str(tmp_path), '--titles', 'a', 'b'])
    assert 'wants 1 titles' in capsys.readouterr().err
