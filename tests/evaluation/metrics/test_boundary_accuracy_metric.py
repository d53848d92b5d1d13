import csv
import logging
import math

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator

from mmcrack.evaluation.metrics import BoundaryAccuracyMetric

META = {'classes': ('background', 'crack')}


def sample(truth, pred, path='one.jpg'):
    return {
        'img_path': path,
        'gt_sem_seg': {'data': torch.as_tensor(truth)[None].long()},
        'pred_sem_seg': {'data': torch.as_tensor(pred)[None].long()},
    }


def small():
    truth = np.zeros((12, 12), np.int64)
    truth[4:8, 2:10] = 1
    return truth, np.roll(truth, 1, axis=1)


def large():
    truth = np.zeros((450, 450), np.int64)
    truth[200:210, 50:400] = 1
    return truth, np.roll(truth, 1, axis=0)


def evaluate(metric, *samples):
    metric.dataset_meta = META
    metric.process({}, samples)
    return metric.evaluate(len(samples))


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(
        BoundaryAccuracyMetric, 'say',
        lambda self, text, level=logging.INFO: lines.append((level, text)))
    return lines


def test_pinned_mean_over_images(said):
    nothing = np.zeros((5, 5), int)
    found = evaluate(
        BoundaryAccuracyMetric(), sample(*small()), sample(*large()),
        sample(nothing, nothing), sample(nothing + 1, nothing))
    assert found['crack/mBA'] == pytest.approx(
        50 * (.8181818 + .61002786), abs=1e-5)
    assert found['crack/mBA_images'] == 2
    assert found['crack/mBA_images_without_boundary'] == 2
    (level, text), = said
    assert level == logging.INFO
    assert text.startswith('crack/mBA 71.41 ')
    assert 'mean over 2 images; 2 without a boundary' in text


def test_floor_is_what_predicting_nothing_gets():
    truth, pred = small()
    found = evaluate(BoundaryAccuracyMetric(), sample(truth, pred))
    blank = evaluate(BoundaryAccuracyMetric(), sample(truth, pred * 0))
    assert found['crack/mBA_floor'] == pytest.approx(100 * 24 / 44)
    assert blank['crack/mBA'] == blank['crack/mBA_floor'] == found[
        'crack/mBA_floor']


def test_iou_stands_beside_accuracy_under_its_own_keys():
    evaluator = Evaluator([
        {'type': 'mmcrack.CrackMetric'},
        {'type': 'mmcrack.BoundaryAccuracyMetric'},
        {'type': 'mmcrack.BoundaryAccuracyMetric', 'mode': 'iou'},
    ])
    evaluator.dataset_meta = META
    evaluator.process([sample(*small())])
    found = evaluator.evaluate(1)
    assert found['crack/mBA_IoU'] == pytest.approx(66.6667, abs=1e-4)
    assert found['crack/mBA'] == pytest.approx(81.81818, abs=1e-4)
    assert found['crack/mBA_IoU_floor'] == 0
    assert found['crack/mBA_IoU_images'] == found['crack/images'] == 1
    assert not any('loss' in key for key in found)


def test_min_radius_widens_the_bands():
    truth, pred = large()
    one = evaluate(BoundaryAccuracyMetric(), sample(truth, pred))
    three = evaluate(
        BoundaryAccuracyMetric(min_radius=3), sample(truth, pred))
    assert three['crack/mBA'] > one['crack/mBA']


def test_ignored_pixels_are_in_no_band():
    truth, pred = small()
    truth[:, 9:] = 255
    score = evaluate(BoundaryAccuracyMetric(), sample(truth, pred))
    pred[:, 9:] = 1 - pred[:, 9:]
    assert evaluate(BoundaryAccuracyMetric(), sample(truth, pred)) == score


def test_threshold_reads_probabilities():
    truth, pred = small()
    one = sample(truth, pred * 0)
    for prob, score in ((.59, 100 * 24 / 44), (.6, 81.81818)):
        one['seg_logits'] = {'data': torch.as_tensor(pred * prob)[None]}
        found = evaluate(BoundaryAccuracyMetric(threshold=.6), one)
        assert found['crack/mBA'] == pytest.approx(score, abs=1e-4)


def test_no_image_with_a_boundary_is_nan_and_said(said):
    nothing = np.zeros((5, 5), int)
    found = evaluate(BoundaryAccuracyMetric(), sample(nothing, nothing))
    assert math.isnan(found['crack/mBA'])
    assert math.isnan(found['crack/mBA_floor'])
    assert said[-1] == (logging.WARNING, 'crack/mBA is NaN: no image has a '
                        'boundary in its truth.')


def test_rows_of_each_image(tmp_path):
    path = tmp_path / 'rows.csv'
    metric = BoundaryAccuracyMetric(per_image_csv=str(path))
    nothing = np.zeros((5, 5), int)
    evaluate(metric, sample(*small()), sample(nothing, nothing, 'two.jpg'))
    with path.open(newline='') as file:
        first, second = csv.DictReader(file)
    assert list(first) == ['image', 'mBA', 'mBA_floor']
    assert float(first['mBA']) == metric.per_image[0]['mBA']
    assert second == {'image': 'two.jpg', 'mBA': 'nan', 'mBA_floor': 'nan'}


def test_sizes_must_agree():
    truth, pred = small()
    metric = BoundaryAccuracyMetric()
    with pytest.raises(ValueError, match='one.jpg must .* 12x11 and 12x12'):
        metric.process({}, [sample(truth, pred[:-1])])


@pytest.mark.parametrize(('arguments', 'error', 'message'), [
    ({'mode': 'f1'}, ValueError, "mode must be one of accuracy, iou, got 'f"),
    ({'min_radius': 0}, ValueError, 'min_radius must be an integer of at'),
    ({'radius': 1}, TypeError, 'unexpected keyword'),
])
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        BoundaryAccuracyMetric(**arguments)
