"""Logs of trainings, read back."""

import json

import pytest

from mmcrack.engine.logs import read_scalars


def write(folder, run, *rows, tail=''):
    path = folder / run / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text('\n'.join(json.dumps(row) for row in rows) + tail)


def test_a_later_run_replaces_and_a_validation_joins_its_iteration(tmp_path):
    write(tmp_path, '1', {'iter': 50, 'decode.loss_ce': 3.},
          {'iter': 100, 'decode.loss_ce': 2.}, {'crack/IoU': 7., 'step': 1})
    write(tmp_path, '2', {'iter': 100, 'decode.loss_ce': 1.},
          {'iter': 150, 'decode.loss_ce': .5}, tail='\n{"iter": 200, "lo')
    assert read_scalars(tmp_path) == {
        50: {'iter': 50, 'loss_ce': 3.},
        100: {'iter': 100, 'loss_ce': 1., 'crack/IoU': 7., 'step': 1},
        150: {'iter': 150, 'loss_ce': .5},
    } | {150: {'iter': 150, 'loss_ce': .5}}
    assert list(read_scalars(tmp_path, keys=['crack/IoU'])) == [100]


def test_a_folder_without_a_log_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match='holds no log'):
        read_scalars(tmp_path)
