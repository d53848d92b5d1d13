import csv
import logging
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import PixelData
from mmseg.evaluation import IoUMetric
from mmseg.models.segmentors.base import BaseSegmentor
from mmseg.structures import SegDataSample
from PIL import Image

from mmcrack.evaluation.metrics import CrackMetric
from mmcrack.functional.metrics import confusion_counts, ratios

META = {'classes': ('background', 'crack')}
NAMES = ('IoU', 'Dice', 'Precision', 'Recall', 'F1', 'mIoU')


def sample(truth, pred=None, logits=None, path='folder/one.jpg'):
    """A data sample in the dict form that mmengine hands to metrics."""
    out = {'img_path': path}
    for name, array in (('gt_sem_seg', truth), ('pred_sem_seg', pred)):
        if array is not None:
            out[name] = {'data': torch.as_tensor(np.asarray(array))[None]}
    if logits is not None:
        out['seg_logits'] = {
            'data': torch.as_tensor(np.asarray(logits, np.float32))
        }
    return out


def mask(rows, columns):
    out = np.zeros((4, 4), np.int64)
    out[rows, columns] = 1
    return out


A = mask(slice(0, 2), slice(0, 2)), mask(slice(0, 1), slice(0, 2))
B = mask(1, 1), mask(slice(1, 3), slice(1, 3))
EMPTY = mask([], []), mask([], [])


def evaluate(metric, *samples, meta=META):
    metric.dataset_meta = meta
    for one in samples:
        metric.process({}, [one])
    return metric.evaluate(len(samples))


@pytest.fixture
def said(monkeypatch):
    """What the metric says, as (level, text)."""
    lines = []
    monkeypatch.setattr(
        CrackMetric, 'say',
        lambda self, text, level=logging.INFO: lines.append((level, text)))
    return lines


def test_pinned_figures_of_both_kinds():
    found = evaluate(CrackMetric(), sample(*A), sample(*B))
    pooled = [found[f'crack/{name}'] for name in NAMES]
    assert pooled == pytest.approx(
        [37.5, 54.5455, 50, 60, 54.5455, 60.1293], abs=1e-4)
    means = [found[f'crack/image_{name}'] for name in NAMES]
    assert means == pytest.approx(
        [37.5, 53.3333, 62.5, 75, 53.3333, 60.1786], abs=1e-4)
    assert (found['crack/images'], found['crack/images_without_crack']) == (
        2, 0)
    assert len(found) == 14
    assert not any('loss' in key for key in found)


@pytest.mark.parametrize(
    ('empty', 'means'),
    [('skip', (62.5, 75, 53.3333)), ('zero', (41.6667, 50, 35.5556)),
     ('one', (75, 83.3333, 68.8889))])
def test_image_without_crack(empty, means):
    found = evaluate(
        CrackMetric(empty=empty), sample(*A), sample(*B), sample(*EMPTY))
    assert [
        found[f'crack/image_{name}'] for name in ('Precision', 'Recall', 'F1')
    ] == pytest.approx(means, abs=1e-4)
    assert found['crack/F1'] == pytest.approx(600 / 11)
    assert found['crack/images_without_crack'] == 1


def test_false_alarm_counts_in_the_pooled_figures():
    found = evaluate(
        CrackMetric(), sample(*A), sample(EMPTY[0], np.ones((4, 4), int)))
    assert found['crack/Precision'] == pytest.approx(100 * 2 / 18)
    assert found['crack/image_Precision'] == 100


def test_empty_prediction_is_zero_not_nan():
    found = evaluate(CrackMetric(), sample(A[0], EMPTY[1]))
    for name in NAMES[:-1]:
        assert found[f'crack/{name}'] == found[f'crack/image_{name}'] == 0


def test_nothing_that_counts_is_nan_and_said(said):
    found = evaluate(CrackMetric(), sample(*EMPTY))
    for name in NAMES:
        assert math.isnan(found[f'crack/{name}'])
        assert math.isnan(found[f'crack/image_{name}'])
    level, text = said[-1]
    assert level == logging.WARNING
    assert 'are NaN: no image counts' in text


def test_table_names_both_kinds(said):
    evaluate(CrackMetric(), sample(*A), sample(*B), sample(*EMPTY))
    (level, text), = said
    assert level == logging.INFO
    assert text.startswith('Crack figures of 3 images; 1 without crack in '
                           'the truth: left out of the mean')
    pooled, = (x for x in text.split('\n') if 'pooled over all pixels' in x)
    means, = (x for x in text.split('\n') if 'mean over 2 images' in x)
    assert '54.55' in pooled
    assert 'crack/IoU' in pooled
    assert '53.33' in means
    assert 'crack/image_IoU' in means


def test_equals_iou_metric_of_mmseg():
    rng = np.random.default_rng(0)
    samples = []
    for index in range(4):
        truth, pred = rng.integers(0, 2, (2, 30 + index, 20))
        truth[rng.random(truth.shape) < .1] = 255
        samples.append(sample(truth, pred, path=f'{index}.png'))
    found = evaluate(CrackMetric(), *samples)
    theirs = IoUMetric(iou_metrics=['mIoU', 'mDice', 'mFscore'])
    theirs.dataset_meta = META
    theirs.process({}, samples)
    areas = [sum(x) for x in zip(*theirs.results, strict=True)]
    each = IoUMetric.total_area_to_metrics(
        *areas, metrics=['mIoU', 'mDice', 'mFscore'])
    for name, key in (('IoU', 'IoU'), ('Dice', 'Dice'),
                      ('Precision', 'Precision'), ('Recall', 'Recall'),
                      ('F1', 'Fscore')):
        assert found[f'crack/{name}'] == pytest.approx(
            100 * each[key][1], abs=1e-4)
    summary = theirs.evaluate(4)
    assert found['crack/mIoU'] == pytest.approx(summary['mIoU'], abs=.0051)


def test_ignored_pixels_count_nowhere():
    truth, pred = B
    truth = truth.copy()
    truth[2, :] = 255
    clean = evaluate(CrackMetric(), sample(truth, pred))
    other = pred.copy()
    other[2, :] = 1 - other[2, :]
    assert evaluate(CrackMetric(), sample(truth, other)) == clean
    assert clean['crack/Precision'] == 50
    truth[truth == 255] = 7
    assert evaluate(
        CrackMetric(ignore_index=7), sample(truth, pred)) == clean


@pytest.mark.parametrize('channels', [1, 2, 3])
def test_threshold_and_channel_layouts(channels):
    rng = np.random.default_rng(1)
    prob = rng.uniform(.01, .99, (4, 4))
    prob[0, 0] = .5
    if channels == 1:
        # mmseg stores them after the sigmoid; a second one would put all
        # above 0.5.
        logits = prob[None]
        pred = (prob > .5).astype(np.float32)
    else:
        rest = np.log(1 - prob) - math.log(channels - 1)
        logits = np.stack([rest, np.log(prob)] + [rest] * (channels - 2))
        logits = logits + rng.normal(size=(1, 4, 4))
        pred = logits.argmax(axis=0)
    meta = {'classes': ('background', 'crack', 'spalling')[:max(channels, 2)]}
    one = sample(A[0], pred, logits)

    def expected(crack):
        scores = ratios(confusion_counts(crack, A[0]), empty='skip')
        return pytest.approx(100 * scores['F1'], abs=1e-6)

    for threshold in (.2, .8):
        found = evaluate(CrackMetric(threshold=threshold), one, meta=meta)
        assert found['crack/F1'] == expected(prob >= threshold)
    found = evaluate(CrackMetric(), one, meta=meta)
    assert found['crack/F1'] == expected(pred == 1)
    if channels == 1:
        assert evaluate(
            CrackMetric(threshold=.5), one,
            meta=meta)['crack/F1'] == expected(prob >= .5)


@pytest.mark.parametrize('channels', [1, 2])
def test_reads_what_segmentors_of_mmseg_store(channels):
    torch.manual_seed(0)
    logits = torch.randn(1, channels, 16, 16)
    data = SegDataSample(metainfo={
        'img_path': 'x.png',
        'ori_shape': (30, 40),
        'padding_size': [0, 4, 0, 2],
        'flip': True,
        'flip_direction': 'horizontal',
    })
    truth = torch.randint(0, 2, (1, 30, 40))
    data.gt_sem_seg = PixelData(data=truth)
    segmentor = SimpleNamespace(
        align_corners=False, decode_head=SimpleNamespace(threshold=.3))
    BaseSegmentor.postprocess_result(segmentor, logits, [data])
    threshold = .3 if channels == 1 else .5
    stored = evaluate(CrackMetric(), data)
    assert evaluate(CrackMetric(threshold=threshold), data) == stored
    kept = logits[..., :14, :12].flip(3)
    kept = torch.nn.functional.interpolate(
        kept, (30, 40), mode='bilinear', align_corners=False)[0]
    prob = kept.sigmoid()[0] if channels == 1 else kept.softmax(0)[1]
    expected = ratios(
        confusion_counts(prob > threshold, truth[0]), empty='skip')
    assert stored['crack/mIoU'] == pytest.approx(100 * expected['mIoU'])


def test_another_crack_class_among_three():
    truth = np.array([[0, 1, 2, 2], [1, 1, 2, 255]])
    pred = np.array([[2, 1, 2, 0], [1, 0, 2, 2]])
    meta = {'classes': ('background', 'spalling', 'crack')}
    found = evaluate(
        CrackMetric(crack_class=2), sample(truth, pred), meta=meta)
    assert found['crack/Precision'] == pytest.approx(200 / 3)
    assert found['crack/Recall'] == pytest.approx(200 / 3)
    assert found['crack/IoU'] == 50
    assert found['crack/mIoU'] == pytest.approx((50 + 300 / 5) / 2)


def test_threshold_without_probabilities_is_said_once(said):
    found = evaluate(CrackMetric(threshold=.5), sample(*A), sample(*B))
    assert found['crack/F1'] == pytest.approx(600 / 11)
    warnings = [x for level, x in said if level == logging.WARNING]
    assert len(warnings) == 1
    assert 'threshold=0.5 has no effect: folder/one.jpg comes' in warnings[0]


@pytest.mark.parametrize('channels', [1, 2, 3])
def test_logits_of_another_view_are_said_once(channels, said):
    prob = np.where(A[0] == 1, .9, .1)
    logits = prob[None] if channels == 1 else np.stack(
        [1 - prob, prob, prob * 0 - 1][:channels])
    good = sample(A[0], A[0], logits)
    flipped = sample(A[0], A[0][:, ::-1].copy(), logits)
    metric = CrackMetric(threshold=.5)
    metric.dataset_meta = {'classes': 'abc'[:max(channels, 2)]}
    metric.process({}, [good])
    assert said == []
    metric.process({}, [flipped, flipped])
    (level, text), = said
    assert level == logging.WARNING
    assert 'do not belong to its pred_sem_seg (test-time augment' in text


def test_data_samples_through_an_evaluator():
    evaluator = Evaluator([{'type': 'mmcrack.CrackMetric', 'prefix': 'hr'}])
    evaluator.dataset_meta = META
    data = SegDataSample(metainfo={'img_path': 'x.png'})
    data.gt_sem_seg = PixelData(data=torch.from_numpy(A[0])[None])
    data.pred_sem_seg = PixelData(data=torch.from_numpy(A[1])[None])
    evaluator.process([data])
    assert evaluator.evaluate(1)['hr/IoU'] == 50
    metric = CrackMetric()
    metric.process({}, [data])
    assert metric.results[0]['fn'] == 2


def test_rows_of_each_image(tmp_path):
    path = tmp_path / 'new' / 'rows.csv'
    metric = CrackMetric(per_image_csv=str(path))
    evaluate(metric, sample(*A, path='a/1.jpg'),
             sample(*EMPTY, path='a/2.jpg'))
    first, second = metric.per_image
    assert [first[key] for key in ('image', 'tp', 'fp', 'fn', 'tn', 'IoU')
            ] == ['a/1.jpg', 2, 0, 2, 12, 50]
    assert math.isnan(second['F1'])
    with path.open(newline='') as file:
        written = list(csv.DictReader(file))
    assert list(written[0]) == ['image', 'tp', 'fp', 'fn', 'tn', *NAMES]
    assert float(written[0]['mIoU']) == first['mIoU']
    assert written[1]['IoU'] == 'nan'
    evaluate(metric, sample(*B))
    assert [row['tp'] for row in metric.per_image] == [1]


def test_masks_are_written_under_the_stems(tmp_path):
    out = tmp_path / 'masks'
    metric = CrackMetric(output_dir=str(out), threshold=.5)
    logits = np.where(A[1] == 1, .7, .2)[None]
    evaluate(metric, sample(A[0], None, logits, path='in/wall.7.jpg'))
    written = np.asarray(Image.open(out / 'wall.7.png'))
    assert written.dtype == np.uint8
    assert (written == A[1]).all()


def test_format_only_needs_no_truth(tmp_path, said):
    metric = CrackMetric(output_dir=tmp_path, format_only=True)
    assert evaluate(metric, sample(None, A[1], path='x.png')) == {}
    assert (np.asarray(Image.open(tmp_path / 'x.png')) == A[1]).all()
    assert said[0][1].startswith('1 predicted masks are in')


def test_equal_names_are_not_overwritten(tmp_path):
    metric = CrackMetric(output_dir=str(tmp_path))
    metric.process({}, [sample(*A, path='a/x.jpg')])
    metric.process({}, [sample(*A, path='a/x.jpg')])
    with pytest.raises(ValueError, match='a/x.jpg and b/x.jpg: both would'):
        metric.process({}, [sample(*A, path='b/x.jpg')])
    with pytest.raises(ValueError, match='needs data samples with img_path'):
        metric.process({}, [sample(*A, path=None)])


@pytest.mark.parametrize(('arguments', 'error', 'message'), [
    ({'empty': 'drop'}, ValueError, 'empty must be one of skip, zero, one'),
    ({'threshold': 1.5}, ValueError, 'threshold must be a probability from'),
    ({'threshold': '.5'}, TypeError, "threshold must be .* got '.5'"),
    ({'crack_class': 255}, ValueError, 'must differ, got 255 for both'),
    ({'crack_class': -1}, ValueError, 'crack_class must be a class index'),
    ({'crack_class': 1.0}, TypeError, 'crack_class must be an integer'),
    ({'ignore_index': None}, TypeError, 'ignore_index must be an integer'),
    ({'format_only': True}, ValueError, 'output_dir must be a folder when'),
    ({'thresh': .5}, TypeError, 'unexpected keyword'),
])
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        CrackMetric(**arguments)


BAD_LOGITS = sample(*A, np.full((1, 4, 4), 1.7))


@pytest.mark.parametrize(('arguments', 'bad', 'message'), [
    ({}, sample(np.zeros((8, 6), int), A[1]),
     r'folder/one.jpg must .* got 4x4 and 6x8 \(width x height\): put Load'),
    ({}, sample(None, A[1]), 'folder/one.jpg has no gt_sem_seg: put LoadAnn'),
    ({}, sample(A[0]), 'folder/one.jpg has no pred_sem_seg'),
    ({}, sample(A[0] * 254, A[1]), r'hold classes 0 to 1 or 255 .* got 254'),
    ({}, sample(A[0], np.zeros((2, 4, 4))), r'must have shape \(1, H, W\)'),
    ({'crack_class': 2}, sample(*A), 'one of the 2 classes .* got 2'),
    ({'threshold': .5}, BAD_LOGITS, 'must hold probabilities .* 1.7 to 1.7'),
    ({'threshold': .5, 'crack_class': 0},
     sample(*A, np.full((1, 4, 4), .5)), 'must be 1 with a head of one'),
    ({'threshold': .5}, sample(*A, np.zeros((4, 4))),
     r'seg_logits of folder/one.jpg must have shape \(C, H, W\)'),
])
def test_bad_samples(arguments, bad, message):
    metric = CrackMetric(**arguments)
    metric.dataset_meta = META
    with pytest.raises(ValueError, match=message):
        metric.process({}, [bad])


def test_crack_class_without_a_channel():
    metric = CrackMetric(threshold=.5, crack_class=2)
    with pytest.raises(ValueError, match='crack_class must be a channel'):
        metric.process({}, [sample(*A, np.zeros((2, 4, 4)))])


def two_steps():
    """One image with a result of each of two steps, B's and A's."""
    first = np.where(B[1], 3., -3.)
    one = sample(A[0], A[1], logits=[-first, first])
    one['coarse_sem_seg'] = {'data': torch.as_tensor(B[1])[None]}
    one['coarse_seg_logits'] = {
        'data': torch.as_tensor(np.stack([0 * first, first]))}
    return one


@pytest.mark.parametrize('threshold', [None, .5])
def test_two_metrics_score_two_predictions_of_one_sample(threshold):
    one = two_steps()
    evaluator = Evaluator([
        CrackMetric(),
        CrackMetric(prediction='coarse_sem_seg', prefix='coarse',
                    threshold=threshold)])
    evaluator.dataset_meta = META
    evaluator.process([SampleLike(one)])
    found = evaluator.evaluate(1)
    after = evaluate(CrackMetric(), sample(*A))
    before = evaluate(CrackMetric(), sample(A[0], B[1]))
    assert after['crack/IoU'] == 50
    assert before['crack/IoU'] == pytest.approx(100 / 7)
    assert found == after | {
        key.replace('crack/', 'coarse/'): v for key, v in before.items()}


class SampleLike(dict):
    """A dict that an evaluator takes for a data sample."""


def test_a_prediction_that_is_not_there():
    with pytest.raises(ValueError, match=(
            'has no coarse_sem_seg: the metric needs the output of a '
            'segmentor in predict mode, of one that leaves this field')):
        evaluate(CrackMetric(prediction='coarse_sem_seg'), sample(*A))
    with pytest.raises(TypeError, match="prediction must be a field's name"):
        CrackMetric(prediction=None)


def test_logits_of_another_step_are_not_taken(said):
    one = two_steps()
    del one['coarse_seg_logits']
    found = evaluate(
        CrackMetric(prediction='coarse_sem_seg', threshold=.5), one)
    assert found['crack/IoU'] == pytest.approx(100 / 7)
    assert 'comes without coarse_seg_logits, so coarse_sem_seg is scored' in (
        said[0][1])


def test_masks_of_two_predictions_lie_apart(tmp_path):
    one = two_steps()
    for prediction in ('pred_sem_seg', 'coarse_sem_seg'):
        evaluate(CrackMetric(output_dir=str(tmp_path), prediction=prediction),
                 one)
    for path, expected in ((tmp_path / 'one.png', A[1]),
                           (tmp_path / 'coarse_sem_seg' / 'one.png', B[1])):
        assert np.array_equal(np.array(Image.open(path)), expected)
