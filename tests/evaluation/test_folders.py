"""Scoring cases: errors of files, progress."""

import pickle

import numpy as np
import pytest

from mmcrack.evaluation.folders import (
    UnusableFile,
    score_case,
    score_cases,
)
from mmcrack.evaluation.scores import Suite, build_scores

SUITES = {'it': Suite(build_scores(['pixel'], empty='skip'))}


def read(case):
    if case < 0:
        raise ValueError(f'The file {case} is bad.')
    pred = np.arange(9).reshape(3, 3) < case
    return {'it': dict(name=str(case), pred=pred, target=pred | True)}


def test_rows_come_in_the_order_of_the_cases(capsys):
    found = score_cases([3, 9, 0], read, SUITES)
    assert [row['image'] for row in found.rows['it']] == ['3', '9', '0']
    assert [row['tp'] for row in found.rows['it']] == [3, 9, 0]
    assert found.score_seconds > 0
    assert '3 of 3 images' in capsys.readouterr().err
    score_cases([3], read, SUITES, progress=False)
    assert capsys.readouterr().err == ''


def test_a_bad_file_is_the_user_s_to_mend_and_a_bug_is_not():
    with pytest.raises(ValueError, match='The file -1 is bad') as error:
        score_cases([3, -1], read, SUITES, progress=False)
    assert error.value.__cause__ is None
    with pytest.raises(KeyError):
        score_cases([3], lambda case: {}, SUITES, progress=False)
    # What a worker raises arrives whole.
    with pytest.raises(UnusableFile) as error:
        score_case(-2, read, SUITES)
    again = pickle.loads(pickle.dumps(error.value))
    assert type(again) is UnusableFile
    assert str(again) == 'The file -2 is bad.'


def test_workers_must_be_a_number():
    with pytest.raises(ValueError, match='workers must be at least 1'):
        score_cases([3], read, SUITES, workers=0)
