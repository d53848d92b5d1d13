"""Two dates of one place."""

import numpy as np
import pytest

from mmcrack.measurement import compare_cracks, measure_cracks


def dates(before, after, **options):
    """Compare masks given as boxes (top, bottom, left, right)."""
    results = []
    for boxes in (before, after):
        mask = np.zeros((90, 120), np.uint8)
        for top, bottom, left, right in boxes:
            mask[top:bottom, left:right] = 1
        results.append(measure_cracks(mask))
    return compare_cracks(*results, **options)


def test_nothing_changed():
    change, = dates([(20, 23, 10, 90)], [(20, 23, 10, 90)])
    assert change.status == 'unchanged'
    assert (change.before, change.after) == ((1,), 1)
    assert change.grown == 0
    assert change.widened == pytest.approx(0, abs=1e-9)


def test_a_crack_off_by_the_registration_is_the_same_crack():
    change, = dates([(20, 23, 10, 90)], [(22, 25, 11, 91)])
    assert change.status == 'unchanged'
    gone_and_new = dates([(20, 23, 10, 90)], [(25, 28, 10, 90)])
    assert [c.status for c in gone_and_new] == ['new', 'gone']
    wide, = dates([(20, 23, 10, 90)], [(25, 28, 10, 90)], tolerance=6)
    assert wide.status == 'unchanged'


def test_growth_is_the_new_length():
    change, = dates([(20, 23, 10, 60)], [(20, 23, 10, 90)])
    assert change.status == 'grown'
    assert change.grown == pytest.approx(30, abs=1)
    assert (change.length_before, change.length_after) == pytest.approx(
        (50, 80), abs=0.2)


def test_widening_is_measured_where_the_crack_was():
    # 3 px, then 5 px for half of its length and 7 px for the rest.
    change, = dates([(20, 23, 10, 90)], [(19, 24, 10, 50), (18, 25, 50, 90)])
    assert change.status == 'widened'
    assert change.most_widened == pytest.approx(4, abs=0.1)
    assert 2 <= change.widened <= 4
    assert 50 < change.place[0] < 90


def test_both_at_once_and_a_branch_as_growth():
    change, = dates([(20, 23, 10, 60)], [(18, 25, 10, 90)])
    assert change.status == 'grown and widened'
    branch, = dates([(20, 23, 10, 90)],
                    [(20, 23, 10, 90), (23, 60, 50, 53)])
    assert branch.status == 'grown'
    assert branch.grown == pytest.approx(38, abs=2)


def test_new_and_gone():
    changes = dates([(10, 13, 10, 50)], [(70, 74, 10, 90)])
    assert [(c.status, c.before, c.after) for c in changes] == [
        ('new', (), 1), ('gone', (1,), None)]
    assert changes[0].grown == pytest.approx(80, abs=0.2)
    assert changes[1].grown == pytest.approx(-40, abs=0.2)
    assert [c.status for c in dates([], [(10, 13, 10, 50)])] == ['new']
    assert [c.status for c in dates([(10, 13, 10, 50)], [])] == ['gone']
    assert dates([], []) == []


def test_two_cracks_that_have_met_are_both_named():
    change, = dates([(20, 23, 5, 45), (20, 23, 75, 110)], [(20, 23, 5, 110)])
    assert change.status == 'grown'
    assert change.before == (1, 2)
    assert change.length_before == pytest.approx(75, abs=0.3)
    assert change.grown == pytest.approx(30, abs=4)


def test_rows_know_millimetres():
    change, = dates([(20, 23, 10, 60)], [(20, 23, 10, 90)])
    row = change.row(scale=0.2)
    assert row['grown_mm'] == pytest.approx(0.2 * row['grown_px'], abs=1e-3)
    assert row['before'] == '1'
    new = dates([], [(20, 23, 10, 60)])[0].row()
    assert new['before'] is None
    assert new['widened_px'] is None
    assert 'grown_mm' not in new


def test_bad_input_is_named():
    small, large = (measure_cracks(np.ones((9, n), np.uint8)) for n in (9, 8))
    with pytest.raises(ValueError, match='registered to one size'):
        compare_cracks(small, large)
    with pytest.raises(ValueError, match='tolerance must be positive'):
        compare_cracks(small, small, tolerance=0)
    with pytest.raises(ValueError, match=r'min_overlap must lie in \[0, 1\]'):
        compare_cracks(small, small, min_overlap=2)
