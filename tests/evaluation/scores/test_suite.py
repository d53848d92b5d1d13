"""Figures of sets from rows alone."""

import math

import numpy as np
import pytest
from metric_pins import (
    EMPTY,
    PINS,
    S1,
    S2,
    A,
    B,
    crack_image,
    is_probability,
)

from mmcrack.evaluation.scores import (
    ALL_METRICS,
    SCORES,
    ScoredImage,
    Suite,
    build_scores,
    columns_of,
    list_scores,
    plain_rows,
    read_spec,
    take,
)
from mmcrack.functional.metrics import (
    GRIDS,
    CalibrationBins,
    aiu,
    average_precision,
    calibration_bins,
    curve,
    expected_calibration_error,
    ods,
    ois,
    variance_auroc,
)


def scored(pred, truth, name='x', valid=None, variance=None):
    prob = pred if is_probability(pred) else None
    return ScoredImage(name, pred if prob is None else pred >= .5, truth,
                       valid, prob, variance)


def rows_of(suite, images):
    return [suite.measure(scored(*one, name=f'folder/{i}'))
            for i, one in enumerate(images)]


@pytest.mark.parametrize('pin', PINS)
def test_pinned_figures(pin):
    metrics, images, wanted = PINS[pin]
    suite = Suite(build_scores(metrics, empty='skip'))
    found = suite.summarise(rows_of(suite, images))
    assert {key: found[key] for key in wanted} == pytest.approx(
        wanted, abs=1e-4)
    assert list(found) == [figure.name for figure in suite.figures]


def test_pinned_average_iou():
    # In float64 the threshold 0.7000000000000001 is above 0.7.
    images = [(np.round(p.astype(float), 2), t) for p, t in (S1, S2)]
    suite = Suite(build_scores(['aiu'], empty='skip'))
    rows = [suite.measure(ScoredImage('x', p >= .5, t, prob=p))
            for p, t in images]
    assert suite.summarise(rows) == pytest.approx({'AIU': 40.6566}, abs=1e-4)


@pytest.fixture(scope='module')
def everything():
    """All scores of eight images: the suite and its rows."""
    suite = Suite(build_scores(ALL_METRICS, empty='skip'))
    rows = []
    for i in range(8):
        prob, truth, valid = crack_image(i)
        rows.append(suite.measure(ScoredImage(
            f'{i}', prob >= .5, truth, valid, prob, prob * (1 - prob))))
    return suite, rows


def test_rows_of_any_order_and_process_give_the_same_figures(everything):
    suite, rows = everything
    whole = suite.summarise(rows)
    assert not any(math.isnan(x) for x in whole.values())
    assert suite.summarise(rows[::-1]) == pytest.approx(whole, rel=1e-12)
    # What the second process sends stands behind what the first has.
    mixed = [*rows[::2], *rows[1::2]]
    assert suite.summarise(mixed) == pytest.approx(whole, rel=1e-12)
    drawn = take(columns_of(rows), np.arange(8))
    assert suite.summarise_columns(drawn) == whole


def test_figures_that_have_no_pin_equal_their_functions(everything):
    suite, rows = everything
    found = suite.summarise(rows)
    images = [crack_image(i) for i in range(8)]
    bins = [calibration_bins(p, t, bins=15, valid=v) for p, t, v in images]
    total = sum(bins[1:], bins[0])
    assert found['ECE'] == pytest.approx(
        100 * expected_calibration_error(total))
    assert isinstance(total, CalibrationBins)
    areas = [variance_auroc(p >= .5, t, variance=p * (1 - p), valid=v)
             for p, t, v in images]
    assert found['image_AUROC_variance'] == pytest.approx(
        100 * np.nanmean(areas))
    assert found['AUROC_variance'] == pytest.approx(
        100 * variance_auroc(
            *(np.concatenate([x.ravel() for x in parts])[None] for parts in
              ([p >= .5 for p, _, _ in images], [t for _, t, _ in images])),
            variance=np.concatenate(
                [(p * (1 - p)).ravel() for p, _, _ in images])[None],
            valid=np.concatenate([v.ravel() for _, _, v in images])[None]),
        abs=.1)
    for protocol, grid, strict, area in (
            ('pixel', 'hundred', True, 'step'),
            ('tolerance2', 'bsds', False, 'step'),
            ('bsds', 'bsds', False, 'bsds')):
        curves = [curve(p, t, protocol=protocol, thresholds=GRIDS[grid],
                        strict=strict, valid=v) for p, t, v in images]
        pooled = sum(curves[1:], curves[0])
        bsds = protocol == 'bsds'
        best = ods(pooled, interpolate=bsds)
        wanted = {
            'ODS': 100 * best.f1, 'ODS_threshold': best.threshold,
            'OIS': 100 * ois(curves, kind='mean', empty='skip',
                             interpolate=bsds),
            'OIS_aggregate': 100 * ois(curves, kind='aggregate',
                                       empty='skip'),
            'AP': 100 * average_precision(pooled, kind=area)}
        assert {key: found[f'{key}_{protocol}'] for key in wanted} == (
            pytest.approx(wanted)), protocol
    exact = [curve(p, t, protocol='pixel', thresholds=GRIDS['bsds'],
                   strict=False, valid=v) for p, t, v in images]
    assert found['AIU'] == pytest.approx(100 * aiu(exact, empty='skip'))


def test_means_are_of_the_rows(everything):
    suite, rows = everything
    found, behind = suite.summarise(rows), suite.numbers_behind(rows)
    # Images 2 and 7 have no crack.
    assert behind['image_F1'] == 6
    assert behind['F1'] == 8
    for figure in suite.figures:
        if figure.kind == 'mean over images':
            values = [row[figure.column] for row in rows
                      if np.isfinite(row[figure.column])]
            assert found[figure.name] == pytest.approx(np.mean(values))
            assert len(values) == behind[figure.name]


def test_an_image_without_prediction_is_counted_and_left_out():
    suite = Suite(build_scores(['distance'], empty='skip'))
    rows = rows_of(suite, [PINS['distance'][1][0], (EMPTY[0], A[1]), EMPTY])
    found = suite.summarise(rows)
    assert found['HD'] == 1
    assert found['images_without_prediction'] == 1
    assert rows[1]['HD'] == math.inf
    assert math.isnan(rows[2]['HD'])
    assert suite.numbers_behind(rows)['HD'] == 1


@pytest.mark.parametrize(('empty', 'mean', 'pooled'), [
    ('skip', 53.3333, 54.5455), ('zero', 35.5556, 54.5455),
    ('one', 68.8889, 54.5455)])
def test_the_rule_for_images_without_crack(empty, mean, pooled):
    suite = Suite(build_scores(['pixel', 'tolerance:tau=0'], empty=empty))
    found = suite.summarise(rows_of(suite, [A, B, EMPTY]))
    # A tolerance of 0 are exact pixels.
    for key in ('F1', 'F1_0px'):
        assert found[f'image_{key}'] == pytest.approx(mean, abs=1e-4)
        assert found[key] == pytest.approx(pooled, abs=1e-4)
    assert found['images_without_crack'] == 1


def test_no_image_at_all():
    suite = Suite(build_scores(['pixel', 'curves'], empty='skip'))
    found = suite.summarise([])
    assert found['images'] == 0
    assert math.isnan(found['F1'])
    assert math.isnan(found['ODS_pixel'])


def test_sources_are_folders_or_found_in_names():
    suite = Suite(build_scores(['pixel'], empty='skip'), 'folder')
    rows = [suite.measure(scored(*one, name=name)) for one, name in (
        (A, 'wall/q/1'), (B, 'road/2'), (A, 'road/3'), (B, '4'))]
    assert [row['source'] for row in rows] == ['wall/q', 'road', 'road', '.']
    found = suite.by_source(rows)
    assert list(found) == ['.', 'road', 'wall/q']
    assert found['wall/q']['F1'] == pytest.approx(66.6667, abs=1e-4)
    assert found['road'] == pytest.approx(
        {**suite.summarise(rows[:2]), 'images': 2})
    by_name = Suite([], '^([a-z]+)_')
    assert [by_name.source_of(x) for x in (
        'deep/cfd_001', 'uav_2', '007')] == ['cfd', 'uav', 'other']
    assert Suite([], r'\d\d').source_of('a/x12') == '12'
    with pytest.raises(ValueError, match="'folder' or a regular expression"):
        Suite([], '(')


def test_plain_rows_are_numbers(everything):
    _, rows = everything
    for row in plain_rows(rows):
        assert row['image'] in '01234567'
        assert all(np.isscalar(value) for value in row.values())
    assert 'ODS_pixel' not in rows[0]
    assert {'tp', 'F1', 'mBA', 'HD95', 'OIS_bsds', 'ECE'} <= set(
        plain_rows(rows)[0])


def test_what_an_image_lacks_is_said():
    suite = Suite(build_scores(['curves', 'variance'], empty='skip'))
    with pytest.raises(ValueError, match="'curves' needs probabilities, and "
                                         'x comes without'):
        suite.measure(scored(*A))
    assert suite.needs == {'prob', 'variance'}
    assert suite.without('prob').scores[0].name == 'variance'
    assert suite.without('prob', 'variance').scores == []
    suite = Suite(build_scores(['variance'], empty='skip'))
    with pytest.raises(ValueError, match='must not be negative, got -1'):
        suite.measure(scored(*A, variance=A[0] - 1.))


def test_names_with_parameters():
    assert read_spec('tolerance:tau=2.5,shape=square') == dict(
        type='tolerance', tau=2.5, shape='square')
    assert read_spec('cliou:thin=false') == dict(type='cliou', thin=False)
    scores = build_scores(
        ['pixel', 'pixel', dict(type='boundary_f1', pixels=3),
         'boundary_iou:pixels=2', 'mba:min_radius=3'], empty='skip')
    assert [s.figures[0].name for s in scores] == [
        'IoU', 'BoundaryPrecision_3px', 'BoundaryIoU_2px', 'mBA_r3']
    lines = list_scores().split('\n')
    assert [line.split()[0] for line in lines] == list(SCORES)
    assert 'needs probabilities' in lines[list(SCORES).index('curves')]


@pytest.mark.parametrize(('metrics', 'error', 'words'), [
    (['tolerence'], ValueError, "no metric 'tolerence'; there are pixel, .*"
     "Did you mean 'tolerance'"),
    (['tolerance:radius=3'], ValueError, "no parameter 'radius'; it takes "
     'tau, shape'),
    (['pixel:tau=3'], ValueError, "no parameter 'tau'; it takes none"),
    (['tolerance:3'], ValueError, 'must be written name or name:key=value'),
    (['tolerance:tau=-1'], ValueError, 'tau must be a distance'),
    (['tolerance:tau=x'], ValueError, 'a value is of the wrong type'),
    (['curves:protocol=zou'], ValueError, 'one of pixel, tolerance2, bsds'),
    (['mba:mode=f1'], ValueError, 'mode must be one of accuracy, iou'),
    (['cldice:method=thin'], ValueError, 'method must be one of zhang, lee'),
    (['betti:window=0'], ValueError, 'window must be the side'),
    (['calibration:bins=0'], ValueError, 'bins must be an integer'),
    (['boundary_f1:ratio=.1,pixels=2'], ValueError, 'ratio or pixels'),
    (['boundary_iou:ratio=2'], ValueError, r'ratio must be in \(0, 1\)'),
    ([dict(tau=3)], ValueError, "needs its name under 'type'"),
    ([3], TypeError, 'A metric is a name or a dict'),
    (['tolerance', 'tolerance:tau=2.0'], ValueError,
     'Two entries of metrics give the figure Precision_2px'),
])
def test_wrong_metrics(metrics, error, words):
    with pytest.raises(error, match=words):
        build_scores(metrics, empty='skip')
