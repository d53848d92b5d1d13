"""Run lengths of COCO and CVAT."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcrack.datasets.rle import (
    decode_runs,
    encode_runs,
    pack_runs,
    unpack_runs,
)


@pytest.mark.parametrize(('mask', 'runs'), [
    # The two examples of the COCO API's own text.
    ([0, 0, 1, 1, 1, 0, 1], [2, 3, 1, 1]),
    ([1, 1, 1, 1, 1, 1, 0], [0, 6, 1]),
    ([0, 0], [2]),
    ([1], [0, 1]),
])
def test_known_runs(mask, runs):
    mask = np.array(mask)[:, None]
    for by_column in (True, False):
        assert encode_runs(mask, by_column=by_column) == runs
        np.testing.assert_array_equal(
            decode_runs(runs, mask.shape, by_column=by_column), mask)


def test_columns_and_rows():
    mask = np.array([[0, 1, 1], [0, 0, 1]])
    assert encode_runs(mask, by_column=True) == [2, 1, 1, 2]
    assert encode_runs(mask, by_column=False) == [1, 2, 2, 1]


@pytest.mark.parametrize(('runs', 'text'), [
    ([2, 3, 1, 1], '231N'),  # 1 - 3 = -2 is 11110 in five bits
    ([100], 'T3'),  # 00100 with more to come, then 11
    ([0, 5, 2], '052'),
    ([16, 1], '`01'),  # a fifth bit alone would mean minus
    ([7, 40, 3, 40, 3], '7X1300'),
])
def test_known_strings(runs, text):
    assert pack_runs(runs) == text
    assert unpack_runs(text) == runs


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=30))
def test_packing_is_undone(runs):
    assert unpack_runs(pack_runs(runs)) == runs


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9),
       st.booleans())
def test_runs_are_undone(seed, height, width, by_column):
    mask = np.random.default_rng(seed).random((height, width)) < .4
    runs = encode_runs(mask, by_column=by_column)
    np.testing.assert_array_equal(
        decode_runs(runs, mask.shape, by_column=by_column), mask)


@pytest.mark.parametrize('runs', [[3], [5], [5, -1], [1.5, 2.5], []])
def test_bad_runs(runs):
    with pytest.raises(ValueError, match='add up to the 4 pixels of 2x2'):
        decode_runs(runs, (2, 2), by_column=True)


def test_bad_strings():
    with pytest.raises(ValueError, match="characters from 0 to o, got ' '"):
        unpack_runs('2 3')
    with pytest.raises(ValueError, match='must not end within a number'):
        unpack_runs('T')
