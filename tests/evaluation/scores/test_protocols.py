"""What each community's evaluation gives on the pinned images."""

import numpy as np
import pytest
from metric_pins import EMPTY, LINES, S1, S2, SHIFTED, A, B

from mmcrack.evaluation.scores import (
    PROTOCOLS,
    ScoredImage,
    Suite,
    build_scores,
    find_protocol,
)


def figures(name, images, names=None):
    """Figures of a protocol, and the suite and its rows."""
    protocol = find_protocol(name)
    suite = Suite(build_scores(protocol.metrics, empty=protocol.empty),
                  protocol.source)
    rows = []
    for i, (pred, truth) in enumerate(images):
        prob = np.asarray(pred, np.float32)
        rows.append(suite.measure(ScoredImage(
            names[i] if names else f'{i}', prob >= protocol.threshold, truth,
            prob=prob)))
    return suite.summarise(rows), suite, rows


def test_cirl_averages_images_and_counts_empty_ones_as_zero():
    found, *_ = figures('cirl', [A, B, EMPTY])
    assert [found[key] for key in PROTOCOLS['cirl'].figures] == (
        pytest.approx([41.6667, 50, 35.5556], abs=1e-4))
    # CIRL: crack where p >= 0.5.
    half = (np.float32([[.5, .4999, .5]]), np.array([[1, 1, 0]]))
    found, *_ = figures('cirl', [half])
    assert [found[key] for key in PROTOCOLS['cirl'].figures] == [50, 50, 50]


def test_cbprn_shows_each_reading():
    found, *_ = figures('cbprn', [A, B])
    assert found['mIoU'] == pytest.approx(60.1293, abs=1e-4)
    found, *_ = figures('cbprn', [A, B, EMPTY])
    assert [found[key] for key in (
        'IoU', 'Dice', 'image_IoU', 'image_Dice')] == pytest.approx(
            [37.5, 54.5455, 37.5, 53.3333], abs=1e-4)
    found, *_ = figures('cbprn', [SHIFTED])
    assert [found[key] for key in ('mBA', 'mBA_floor', 'mBA_IoU')] == (
        pytest.approx([81.8182, 54.5455, 66.6667], abs=1e-4))


def test_zou_forgives_two_pixels():
    # Half of the line's probabilities lie 2 px, half 3 px beside it.
    lines = (LINES[0] * np.float32(.8), LINES[1])
    found, *_ = figures('zou', [lines])
    assert [found[key] for key in (
        'ODS_tolerance2', 'OIS_tolerance2', 'F1_2px')] == pytest.approx(
            [55.5556] * 3, abs=1e-4)
    # One precision at one recall, 5 / 9 each.
    assert found['AP_tolerance2'] == pytest.approx(100 * 25 / 81)
    # The lowest of the equal thresholds; 0.8 in float32 passes t = 0.8.
    assert found['ODS_threshold_tolerance2'] == .01
    assert found['OIS_aggregate_tolerance2'] == pytest.approx(
        55.5556, abs=1e-4)


def test_fphb_matches_thinned_maps_one_to_one():
    # A diagonal of 200 px: 1.5 px of tolerance.
    truth = np.zeros((160, 120), np.uint8)
    truth[40:43, 10:60] = 1
    near, far = np.zeros((2, 160, 120), np.float32)
    near[41:44, 10:60] = .7
    far[46:49, 10:60] = .7
    found, *_ = figures('fphb', [(near, truth)])
    assert found['ODS_bsds'] == found['OIS_aggregate_bsds'] == 100
    # Exact pixels: 2 of 4 rows up to t = 0.7.
    assert found['AIU'] == pytest.approx(100 * .5 * 70 / 99)
    found, *_ = figures('fphb', [(far, truth)])
    assert found['ODS_bsds'] == 0
    empty = np.zeros_like(truth)
    found, *_ = figures('fphb', [(near, truth), (near, empty)])
    # The false alarms of the second: half of what is predicted.
    assert found['ODS_bsds'] == pytest.approx(200 / 3)
    assert found['OIS_bsds'] == 50
    assert found['AIU'] == pytest.approx(50 * .5 * 70 / 99)


def test_omnicrack_pools_each_subset():
    shut = np.zeros((11, 11), np.uint8)
    images = [LINES, (shut, LINES[1]), LINES]
    found, suite, rows = figures(
        'omnicrack', images, ['CFD_1', 'CFD_2', 'sub/UAV75_a_1'])
    sources = suite.by_source(rows)
    # 9 of 18 true pixels are found, nothing is wrong.
    assert sources['CFD']['clIoU_4px'] == 50
    assert sources['UAV75']['clIoU_4px'] == 100
    assert found['clIoU_4px'] == pytest.approx(100 * 18 / 27)


def test_every_protocol_states_what_it_fixes():
    for name, protocol in PROTOCOLS.items():
        suite = Suite(build_scores(protocol.metrics, empty=protocol.empty))
        known = {figure.name for figure in suite.figures}
        assert set(protocol.figures) <= known, name
        assert protocol.name == name
    _, suite, _ = figures('fphb', [S1, S2])
    assert suite.needs == {'prob'}
    with pytest.raises(ValueError, match="no protocol 'cirrl'; .*'cirl'?"):
        find_protocol('cirrl')
