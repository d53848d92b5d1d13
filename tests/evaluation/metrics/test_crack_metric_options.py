"""What CrackMetric can do beyond its six ratios."""

import csv
import logging

import numpy as np
import pytest
import torch
from metric_pins import EMPTY, A, B, crack_image

from mmcrack.evaluation.metrics import CrackMetric
from mmcrack.functional.metrics import bootstrap_ratio

META = {'classes': ('background', 'crack')}


def sample(pred, truth, path='one.jpg', **fields):
    arrays = dict(pred_sem_seg=np.asarray(pred, int)[None],
                  gt_sem_seg=np.asarray(truth, int)[None], **fields)
    return dict(img_path=path, **{
        key: {'data': torch.as_tensor(value)}
        for key, value in arrays.items()})


def evaluate(metric, *samples):
    metric.dataset_meta = META
    metric.process({}, samples)
    return metric.evaluate(len(samples))


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(
        CrackMetric, 'say',
        lambda self, text, level=logging.INFO: lines.append((level, text)))
    return lines


def test_protocol_is_printed_and_decides(said):
    found = evaluate(CrackMetric(protocol='cirl'), sample(*A), sample(*B),
                     sample(*EMPTY))
    assert [found[f'crack/image_{key}'] for key in (
        'Precision', 'Recall', 'F1')] == pytest.approx(
            [41.6667, 50, 35.5556], abs=1e-4)
    texts = [text for _, text in said]
    assert any(text.startswith('Protocol cirl: CIRL and JTFN') and
               'p >= 0.5' in text for text in texts)
    # Without probabilities the protocol's threshold has no effect.
    assert any('threshold=0.5 has no effect' in text for text in texts)
    metric = CrackMetric(protocol='cirl', empty='skip', threshold=.3)
    assert (metric.empty, metric.threshold) == ('skip', .3)
    assert CrackMetric().empty == 'skip'


def test_further_metrics_stand_beside_pixels_or_alone(said):
    metrics = ('pixel', dict(type='tolerance', tau=1), 'distance')
    found = evaluate(CrackMetric(metrics=metrics, prefix='x'), sample(*A))
    assert found['x/F1'] == pytest.approx(66.6667, abs=1e-4)
    assert found['x/F1_1px'] == 100
    assert found['x/HD'] == 1
    assert 'x/F1_1px' in said[-1][1]
    assert 'px' in said[-1][1]
    found = evaluate(CrackMetric(metrics='betti'), sample(*A))
    assert found == {'crack/Betti0_error': 0, 'crack/Betti1_error': 0}
    found = evaluate(CrackMetric(protocol='omnicrack', metrics=['pixel']),
                     sample(*A))
    assert {'crack/clIoU_4px', 'crack/F1'} < set(found)


def test_intervals_and_their_keys(said):
    samples, parts = [], []
    # A draw of nothing but images without crack would have no F1.
    for i in (0, 1, 3, 4, 5):
        prob, truth, _ = crack_image(i)
        samples.append(sample(prob >= .5, truth, f'{i}.jpg'))
        tp = np.sum((prob >= .5) & (truth == 1))
        parts.append((2 * tp, np.sum(prob >= .5) + truth.sum()))
    found = evaluate(CrackMetric(intervals=True, seed=3, resamples=100),
                     *samples)
    wanted = bootstrap_ratio(
        *zip(*parts, strict=True), draws=100, level=.95,
        generator=np.random.default_rng(3))
    assert [found[f'crack/F1{tail}'] for tail in ('_low', '', '_high')] == (
        pytest.approx([100 * x for x in (wanted.low, wanted.estimate,
                                         wanted.high)]))
    assert 'crack/images_low' not in found
    assert '95 % interval' in said[-1][1]


def test_sources(said):
    metric = CrackMetric(source='folder')
    found = evaluate(metric, sample(*A, 'wall/1.jpg'),
                     sample(*B, 'road/1.jpg'), sample(*B, 'road/2.jpg'))
    assert list(metric.by_source) == ['road', 'wall']
    assert metric.by_source['wall']['F1'] == pytest.approx(200 / 3)
    assert metric.by_source['road']['F1'] == pytest.approx(40)
    assert metric.by_source['road']['images'] == 2
    assert len(found) == 14
    assert 'road' in said[-1][1]
    assert metric.per_image[1]['source'] == 'road'


def test_csv_has_a_column_for_each_figure_of_an_image(tmp_path):
    path = tmp_path / 'rows.csv'
    prob, truth, _ = crack_image(0)
    metric = CrackMetric(metrics=['pixel', 'mba', 'curves', 'distance'],
                         per_image_csv=str(path))
    evaluate(metric, sample(prob > .5, truth, seg_logits=prob[None]))
    with path.open(newline='') as file:
        row, = csv.DictReader(file)
    assert list(row) == [
        'image', 'tp', 'fp', 'fn', 'tn', 'IoU', 'Dice', 'Precision',
        'Recall', 'F1', 'mIoU', 'mBA', 'mBA_floor', 'OIS_pixel', 'AP_pixel',
        'HD', 'HD95', 'HD95_directed', 'ASSD', 'ASSD_directed']
    assert float(row['OIS_pixel']) == metric.per_image[0]['OIS_pixel']


def test_probabilities_of_another_view_are_said_once(said):
    prob, truth, _ = crack_image(0)
    metric = CrackMetric(metrics=['curves'])
    evaluate(metric, *[sample(prob[:, ::-1] > .5, truth,
                              seg_logits=prob[None])] * 2)
    warnings = [text for level, text in said if level == logging.WARNING]
    assert len(warnings) == 1
    assert 'figures over all thresholds are of that view' in warnings[0]


@pytest.mark.parametrize(('fields', 'words'), [
    ({}, "'curves' needs probabilities, and one.jpg comes without"),
    (dict(seg_logits=np.full((1, 4, 5), .5)), r'must be of one size, got '
     r'\(4, 5\) and \(4, 4\)'),
    (dict(seg_logits=np.full((1, 4, 4), .5), variance=np.ones((1, 2, 2))),
     r'variance of one.jpg must have the size .* \(2, 2\) and \(4, 4\)'),
])
def test_samples_that_lack_something(fields, words):
    metric = CrackMetric(metrics=['curves', 'variance'])
    metric.dataset_meta = META
    with pytest.raises(ValueError, match=words):
        metric.process({}, [sample(*A, **fields)])


@pytest.mark.parametrize(('arguments', 'words'), [
    (dict(metrics=['iuo']), "no metric 'iuo'"),
    (dict(metrics=()), 'at least one metric'),
    (dict(protocol='jtfn'), "no protocol 'jtfn'"),
    (dict(resamples=0), 'resamples must be at least 1'),
    (dict(source='['), "'folder' or a regular expression"),
    (dict(protocol='cbprn', metrics=['mba:min_radius=1']),
     'Two entries of metrics give the figure mBA'),
])
def test_bad_arguments(arguments, words):
    with pytest.raises(ValueError, match=words):
        CrackMetric(**arguments)
