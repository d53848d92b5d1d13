"""Widths and lengths against the generator's truth."""

import numpy as np
import pytest

from mmcrack.measurement import measure_cracks


@pytest.fixture(scope='module')
def benchmark(tool):
    return tool('benchmark/measurement')


@pytest.fixture(scope='module')
def cracks(benchmark):
    """The 200 cracks of 1 to 20 px, each alone in its picture."""
    return list(benchmark.true_cracks(200, 320, 0))


def scores_of(benchmark, cracks, take):
    scores = []
    for crack in cracks:
        mask, probability = take(crack)
        scores.append(benchmark.score(
            crack, measure_cracks(mask, probability)))
    return benchmark.summary(scores)


def test_true_masks_of_200_cracks(benchmark, cracks):
    widths = np.concatenate([c.widths for c in cracks])
    assert len(cracks) == 200
    assert (widths.min() >= 1, widths.max() <= 20) == (True, True)
    found = scores_of(benchmark, cracks, lambda c: (c.mask, None))
    assert found['measured'] == 200
    assert found['found'] > 0.999
    # As means over a crack, and place by place.
    assert found['mean'] <= 0.15
    assert found['place'] <= 0.25
    assert found['circle_mean'] <= 0.35
    assert found['circle_place'] <= 0.5
    assert found['length'] <= 0.02


def test_the_probability_brings_more(benchmark, cracks):
    some = cracks[:60]

    def soft(crack):
        value = benchmark.rendering(crack, 0.7, 0.0)
        return value >= 0.5, value

    sub_pixel = scores_of(benchmark, some, soft)
    alone = scores_of(benchmark, some, lambda c: (soft(c)[0], None))
    assert sub_pixel['place'] <= 0.2 < alone['place']
    assert sub_pixel['circle_mean'] < alone['circle_mean']


def test_a_perfect_measurement_scores_zero(benchmark, cracks):
    class Truth:
        points, length = cracks[0].points, cracks[0].length
        widths = circle_widths = cracks[0].widths

    class Cracks:
        branches = [Truth]

    class Result:
        cracks = [Cracks]

    score = benchmark.score(cracks[0], Result)
    assert score[1:] == pytest.approx((0, 0, 0, 0, 0, 1))
    Result.cracks = []
    assert benchmark.score(cracks[0], Result)[-2:] == (-1, 0)


def test_maps_of_a_network_are_scored(benchmark, tmp_path, capsys):
    options = ['--cracks', '2', '--size', '96']
    benchmark.main([*options, '--write', str(tmp_path / 'photographs')])
    names = sorted(p.stem for p in (tmp_path / 'photographs').iterdir())
    truths = list(benchmark.true_cracks(2, 96, 0, photographs=True))
    assert names == [benchmark.picture_name(t.seed) for t in truths]
    for truth, name in zip(truths, names, strict=True):
        np.save(tmp_path / f'{name}.npy', truth.coverage)
    benchmark.main([*options, '--prob', str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith('2 cracks, mean absolute errors')
    row = next(x for x in lines if 'probability' in x).split()
    # num, width, bias, place, circle, place, length, found.
    assert row[-8] == '2'
    assert abs(float(row[-6])) <= float(row[-7]) < 0.4
    assert float(row[-1]) > 95
    with pytest.raises(FileNotFoundError, match='--write writes'):
        benchmark.main([*options, '--prob', str(tmp_path / 'none')])


def test_no_cracks_are_refused(benchmark):
    with pytest.raises(ValueError, match='--cracks must be at least 1'):
        benchmark.main(['--cracks', '0'])
