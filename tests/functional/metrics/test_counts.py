import math

import numpy as np
import oracles
import pytest
import torch

from mmcrack.functional import metrics
from mmcrack.functional.metrics import Counts, confusion_counts, ratios


def image(rows, columns, size=4):
    mask = np.zeros((size, size), np.uint8)
    mask[rows, columns] = 1
    return mask


A = image(slice(0, 1), slice(0, 2)), image(slice(0, 2), slice(0, 2))
B = image(slice(1, 3), slice(1, 3)), image(1, 1)
EMPTY = np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8)
NAMES = ('IoU', 'Dice', 'Precision', 'Recall', 'F1', 'mIoU')


@pytest.mark.parametrize(('pair', 'counts', 'expected'), [
    (A, (2, 0, 2, 12), (.5, 2 / 3, 1, .5, 2 / 3, .678571)),
    (B, (1, 3, 0, 12), (.25, .4, .25, 1, .4, .525)),
])
def test_pinned_images(pair, counts, expected):
    found = confusion_counts(*pair)
    assert (found.tp, found.fp, found.fn, found.tn) == counts
    scores = ratios(found, empty='skip')
    assert tuple(scores) == NAMES
    assert tuple(scores.values()) == pytest.approx(expected, abs=1e-6)


def test_pinned_pooled():
    pooled = confusion_counts(*A) + confusion_counts(*B)
    assert pooled == Counts(3, 3, 2, 24)
    assert pooled.total == 32
    assert tuple(ratios(pooled, empty='skip').values()) == pytest.approx(
        (.375, .545455, .5, .6, .545455, .601293), abs=1e-6)


def test_pinned_mean_over_images_is_another_number():
    each = [ratios(confusion_counts(*x), empty='skip') for x in (A, B)]
    mean = {k: np.mean([x[k] for x in each]) for k in NAMES}
    assert tuple(mean.values()) == pytest.approx(
        (.375, .533333, .625, .75, .533333, .601786), abs=1e-6)
    harmonic = 2 / (1 / mean['Precision'] + 1 / mean['Recall'])
    assert harmonic == pytest.approx(.681818, abs=1e-6)
    assert mean['F1'] < harmonic


def test_pinned_third_empty_image_counts_zero():
    each = [
        ratios(confusion_counts(*x), empty='zero') for x in (A, B, EMPTY)
    ]
    assert [np.mean([x[k] for x in each])
            for k in ('Precision', 'Recall', 'F1')] == pytest.approx(
                [.416667, .5, .355556], abs=1e-6)


@pytest.mark.parametrize('empty', ['skip', 'zero', 'one'])
def test_missed_cracks_score_zero_under_each_rule(empty):
    scores = ratios(Counts(0, 0, 4, 12), empty=empty)
    assert scores.pop('mIoU') == pytest.approx(12 / 16 / 2)
    assert set(scores.values()) == {0.0}


@pytest.mark.parametrize(
    ('empty', 'fp', 'score', 'mean_iou'),
    [('skip', 0, math.nan, math.nan), ('skip', 4, math.nan, math.nan),
     ('zero', 0, 0, .5), ('zero', 4, 0, 12 / 16 / 2), ('one', 0, 1, 1),
     ('one', 4, 0, 12 / 16 / 2)])
def test_truth_without_crack(empty, fp, score, mean_iou):
    scores = ratios(Counts(0, fp, 0, 16 - fp), empty=empty)
    assert scores.pop('mIoU') == pytest.approx(mean_iou, nan_ok=True)
    assert list(scores.values()) == pytest.approx([score] * 5, nan_ok=True)


@pytest.mark.parametrize('empty', ['skip', 'zero', 'one'])
def test_nothing_judged_is_nan_under_each_rule(empty):
    ignored = np.zeros((4, 4), bool)
    counts = confusion_counts(*A, valid=ignored)
    assert counts == Counts(0, 0, 0, 0)
    assert all(map(math.isnan, ratios(counts, empty=empty).values()))


def test_all_crack_leaves_the_iou_of_crack_alone():
    full = np.ones((3, 5), bool)
    assert ratios(
        confusion_counts(full, full), empty='skip') == dict.fromkeys(
            NAMES, 1.0)


def test_against_walking_over_the_pixels():
    rng = np.random.default_rng(0)
    for trial in range(200):
        shape = rng.integers(1, 12, 2)
        pred, target = rng.integers(0, 2, (2, *shape), dtype=np.uint8)
        valid = rng.random(shape) < .8 if trial % 2 else None
        counts = confusion_counts(pred, target, valid=valid)
        expected = oracles.count_pixels(pred, target, valid)
        assert (counts.tp, counts.fp, counts.fn, counts.tn) == expected
        on_tensors = confusion_counts(
            torch.from_numpy(pred).bool(),
            torch.from_numpy(target).long(),
            valid=None if valid is None else torch.from_numpy(valid))
        assert on_tensors == counts
        if counts.tp + counts.fn:
            assert ratios(counts, empty='skip') == pytest.approx(
                oracles.textbook_ratios(*expected), abs=1e-12)


def test_ignored_pixels_may_hold_anything():
    pred, target = B
    target = target.copy()
    target[2, :] = 255
    counts = confusion_counts(pred, target, valid=target != 255)
    assert counts == Counts(1, 1, 0, 10)


def test_many_sets_of_counts_at_once():
    many = Counts(*np.array([[2, 0, 2, 12], [1, 3, 0, 12], [0, 0, 0, 16]]).T)
    scores = ratios(many, empty='skip')
    for i, pair in enumerate((A, B, EMPTY)):
        alone = ratios(confusion_counts(*pair), empty='skip')
        for name in NAMES:
            assert scores[name][i] == pytest.approx(
                alone[name], nan_ok=True, abs=1e-15)


def test_single_functions_are_the_entries():
    counts = Counts(3, 3, 2, 24)
    functions = (metrics.iou, metrics.dice, metrics.precision,
                 metrics.recall, metrics.f1, metrics.mean_iou)
    assert [f(counts, empty='skip') for f in functions] == list(
        ratios(counts, empty='skip').values())


def test_other_shapes_are_named():
    with pytest.raises(ValueError, match=r'one shape, got \(4, 4\) and \(5,'):
        confusion_counts(np.zeros((4, 4)), np.zeros((5, 4)))
    with pytest.raises(ValueError, match='pred and valid must have one shape'):
        confusion_counts(*A, valid=np.ones((4, 5), bool))


@pytest.mark.parametrize('kind', [np.asarray, torch.from_numpy])
def test_values_other_than_0_and_1_are_named(kind):
    prob = kind(np.full((4, 4), .25))
    with pytest.raises(ValueError, match='pred must hold only 0 and 1 .* got '
                       '0.25: binarise'):
        confusion_counts(prob, kind(A[1]))
    with pytest.raises(ValueError, match='target must hold .* got 255'):
        confusion_counts(kind(A[0]), kind(A[1] * np.uint8(255)))


def test_unknown_rule_is_named():
    with pytest.raises(ValueError, match="one of skip, zero, one .*'drop'"):
        ratios(Counts(1, 1, 1, 1), empty='drop')


def test_counts_add_only_to_counts():
    with pytest.raises(TypeError):
        Counts(1, 1, 1, 1) + 1
