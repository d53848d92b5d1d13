"""Small runs of the clustering loss's benchmark: formulas, tables, steps."""

import csv
import math
import sys

import cv2
import numpy as np
import pytest
import torch

CPU = torch.device('cpu')
MINI = '_base_/models/unet_mini.py'
ONCE = ['--repeats', '1', '--warmup', '0']


@pytest.fixture
def bench(tool, monkeypatch):
    """Load the benchmark; its folder and torch's settings are put back."""
    monkeypatch.setattr(sys, 'path', list(sys.path))
    monkeypatch.setattr(torch.backends.cudnn, 'benchmark', False)
    module = tool('benchmark/ci_loss')
    monkeypatch.setitem(sys.modules, 'measure', module.measure)
    return module


@pytest.fixture
def two_phases(bench, monkeypatch):
    import networks
    import two_phases
    for module in (networks, two_phases):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return two_phases


def by_hand(probs, index):
    """Eq. 13 and 15 by walking over the members."""
    size, near = index.shape
    total = 0.
    for m in range(size):
        in_c = set(index[m].tolist())
        in_o = set(range(size)) - in_c - {m}
        total -= sum(float(probs[m] @ probs[n]) for n in in_c)
        total += near / len(in_o) * sum(
            float(probs[m] @ probs[k]) for k in in_o)
    return total / size


@pytest.mark.parametrize('name', ['plain_loss', 'gathered_loss'])
@pytest.mark.parametrize(('size', 'neighbors', 'classes'), [
    (20, 3, 2), (9, 7, 2), (15, 1, 5)])
def test_both_rivals_are_equation_13(bench, name, size, neighbors, classes):
    args = bench.parse_args(['cost', '--classes', str(classes)])
    features, probs = bench.members(size, args, torch.float64, CPU)
    index = bench.plain_search(features, num_neighbors=neighbors)
    assert getattr(bench, name)(probs, index).item() == pytest.approx(
        by_hand(probs.detach(), index), abs=1e-12)


def test_the_plain_search_sorts_by_the_angle(bench):
    angle = torch.tensor([0., 1., 3., 7., 8.5], dtype=torch.float64) / 10
    features = torch.stack([angle.cos(), angle.sin()], dim=1)
    features *= torch.arange(1, 6)[:, None]
    index = bench.plain_search(features, num_neighbors=2)
    assert index.tolist() == [[1, 2], [0, 2], [1, 0], [4, 2], [3, 2]]


@pytest.mark.parametrize('options', [
    [], ['--neighbors', '3', '--channels', '7'],
    ['--neighbors', '2', '--classes', '4', '--chunk-size', '50']])
def test_mmcrack_agrees_with_the_plain_formula(bench, options):
    rows = bench.main(['agreement', '--sizes', '40', '700', *options])
    assert [(x['members'], x['type']) for x in rows] == [
        (40, 'float32'), (40, 'float64'), (700, 'float32'),
        (700, 'float64')]
    for row in rows:
        bound = dict(float32=1e-5, float64=1e-10)[row['type']]
        assert row['other neighbours'] == 0
        assert float(row['value']) < -.1
        assert float(row['largest slope']) > 1e-4
        for key in ('loss apart: value', 'loss apart: gradient',
                    'whole: value', 'whole: gradient'):
            assert float(row[key]) <= bound, key


def test_a_wrong_loss_would_show(bench, monkeypatch):
    from mmcrack.functional import ci
    right = ci.neighbor_loss
    monkeypatch.setattr(
        ci, 'neighbor_loss', lambda p, index, **_: 1.01 * right(p, index) + .5)
    row = bench.main(['agreement', '--sizes', '40'])[1]
    # The whole is 1.01 v + .5.
    value = (float(row['value']) - .5) / 1.01
    slope = float(row['largest slope']) / 1.01
    for part in ('loss apart', 'whole'):
        assert float(row[f'{part}: value']) == pytest.approx(
            abs(.01 * value + .5), rel=.06)
        assert float(row[f'{part}: gradient']) == pytest.approx(
            .01 * slope, rel=.06)


def test_other_neighbours_are_counted_with_their_gap(bench):
    angle = torch.tensor([0., 1., 3., 7.], dtype=torch.float64) / 10
    features = torch.stack([angle.cos(), angle.sin()], dim=1)
    one = torch.tensor([[1, 2], [0, 2], [1, 0], [2, 1]])
    two = torch.tensor([[2, 1], [0, 3], [1, 0], [2, 1]])
    assert bench.disagreement(features, one, one) == (0, 0.)
    # An angle of .6 in place of .2; order does not count.
    assert bench.disagreement(features, one, two) == (
        1, pytest.approx(math.cos(.2) - math.cos(.6)))


@pytest.mark.parametrize(('clock', 'wanted'), [
    ('wall', [[4., 4.], [1., 1.]]), ('cpu', [[3., 6.], [7., 9.]])])
def test_seconds_of_either_clock(bench, monkeypatch, clock, wanted):
    args = bench.parse_args(['cost', '--clock', clock, '--warmup', '1'])
    # Warmed up: a, b; then a, b, and backwards.
    ticks = iter([0, 1, 1, 3, 10, 13, 20, 27, 30, 39, 40, 46])
    monkeypatch.setattr(bench.time, 'process_time', lambda: next(ticks))
    walls = iter([4., 1., 1., 4.])
    monkeypatch.setattr(
        bench.measure, 'seconds_of',
        lambda job, device: (job(), next(walls))[1])
    seconds = bench.in_turns(
        dict(a=lambda: None, b=lambda: None), args, CPU, repeats=2)
    assert seconds == dict(zip('ab', wanted, strict=True))


def test_the_table_of_given_times(bench, monkeypatch, tmp_path, capsys):
    rounds = []

    def in_turns(jobs, *, repeats, warmup, device, say):
        rounds.append(repeats)
        return dict(zip(jobs, ([.4, .2, .3], [.2, .1, .1], [.1, .1, .02]),
                        strict=True))

    monkeypatch.setattr(bench.measure, 'in_turns', in_turns)
    monkeypatch.setattr(bench.measure, 'peak_memory', lambda *args: 1.25)
    out = tmp_path / 'cost.csv'
    rows = bench.main(['cost', '--sizes', '100', '1000', '--repeats', '3',
                       '--out', str(out)])
    assert [(x['members'], x['part']) for x in rows] == [
        (size, part) for size in (100, 1000) for part in (
            'search', 'loss, forward', 'loss, both ways', 'whole')]
    # Small sets are repeated more often.
    assert rounds == [3 * 80] * 4 + [3 * 8] * 4
    # Medians of 4, 2, 15 and of 2, 1, 5: not the ratios of the medians.
    assert (rows[0]['x plain'], rows[0]['x gathered']) == ('4.0', '2.0')
    assert (rows[0]['plain ms'], rows[0]['gathered ms'],
            rows[0]['mmcrack ms'], rows[0]['spread'],
            rows[0]['mmcrack MiB']) == ('300', '100', '100', '80 %', '1.2')
    with out.open(newline='') as file:
        stored = list(csv.DictReader(file))
    heading = stored[-1].pop('measured')
    assert stored[-1] == {k: str(v) for k, v in rows[-1].items()}
    assert 'D 64, K 20, C 2' in heading
    assert heading in capsys.readouterr().out


def test_memory_of_the_formulas(bench):
    args = bench.parse_args(['cost', '--chunk-size', '64', '--neighbors',
                             '4'])
    parts = bench.cost_jobs(1500, args, CPU)

    def mib(part, name):
        return bench.measure.peak_memory(parts[part][name], CPU)

    plain = 1024 * bench.plain_gib(1500, torch.float32)
    assert plain == pytest.approx(4 * 1500**2 * 4 / 2**20)
    assert mib('loss, both ways', 'plain') == pytest.approx(plain, rel=.02)
    # 64 rows of 1536 similarities, features of length 1, indices.
    wanted = (64 * 1536 + 1500 * 64 + 2 * 1500 * 4) * 4 / 2**20
    assert wanted < mib('whole', 'mmcrack') < wanted + .7
    assert mib('loss, both ways', 'mmcrack') < .3


def test_the_plain_formula_is_left_out_where_it_does_not_fit(
        bench, monkeypatch, capsys):
    monkeypatch.setattr(bench.measure, 'peak_memory', lambda *args: 0.)
    fits = math.sqrt(.001 * 2**30 / 16)
    assert 200 < fits < 300
    few = ['--sizes', '200', '300', '--plain-gib', '.001', '--neighbors',
           '3', *ONCE]
    rows = bench.main(['cost', *few])
    assert [x['x plain'] == '-' for x in rows] == [False] * 4 + [True] * 4
    for key in ('plain ms', 'gathered MiB', 'x gathered'):
        assert rows[-1][key] == '-'
    assert float(rows[-1]['mmcrack ms']) > 0
    rows = bench.main(['agreement', *few])
    # float64 needs twice as much.
    assert [(x['members'], x['type']) for x in rows] == [(200, 'float32')]
    assert '300, torch.float64: the plain formula needs' in (
        capsys.readouterr().err)


# --- whole steps ------------------------------------------------------------


def test_steps_of_both_phases(bench, two_phases, generator):
    image = torch.randint(0, 256, (3, 64, 64), generator=generator)
    label = torch.zeros(64, 64, dtype=torch.long)
    label[20:24] = 1
    model = two_phases.wrapped_model(MINI, 64, CPU)
    first = model.backbone.encoder[0][0].convs[0].conv.weight
    steps, logs = two_phases.training_steps(
        model, [(image.byte(), label), (image.byte(), label.t())])
    found = {}
    for name, step in steps.items():
        before = first.detach().clone()
        step()
        assert not torch.equal(first, before), name
        losses = {k for k in logs[name] if 'loss' in k} - {'loss'}
        wanted = {'decode.loss_aseg'} if name == 'phase I' else {
            'decode.loss_ce', 'decode.loss_ci', 'decode.loss_std'}
        assert losses == wanted, name
        found[name] = two_phases.ambiguous_pixels(name, logs[name])
    # A margin of 4 rows of 64; its quantile 0.8 leaves a fifth, less ties.
    one, two, three, four = found.values()
    assert (one, three) == ('-', '256')
    assert int(two) == pytest.approx(51, abs=2)
    assert int(four) == pytest.approx(51, abs=2)


def test_the_iteration_s_table(bench, two_phases, monkeypatch, capsys):
    times = dict(zip(two_phases.STEPS, (
        [2., 4., 3.], [3., 4., 9.], [4., 4., 4.], [4., 8., 9.]),
        strict=True))

    def in_turns(jobs, *, repeats, warmup, device, say):
        assert list(jobs) == list(times)
        for job in jobs.values():
            job()
        return times

    monkeypatch.setattr(bench.measure, 'in_turns', in_turns)
    monkeypatch.delenv('MMCRACK_DATA', raising=False)
    rows = bench.main(['iteration', '--config', MINI, '--crop', '64'])
    assert [x['x phase I'] for x in rows] == [
        '1.000', '1.500', '1.333', '2.000']
    assert [x['seconds'] for x in rows] == [
        '3.000', '4.000', '4.000', '8.000']
    counts = [x['ambiguous pixels per image'] for x in rows]
    assert counts[0] == '-'
    assert 0 < int(counts[1]) < int(counts[2])
    assert 'batch of 2 at 64x64, generated pictures' in (
        capsys.readouterr().out)


def test_pictures_are_those_nearest_to_the_median(two_phases, tmp_path):
    for folder in ('images', 'masks'):
        (tmp_path / 'deepcrack' / folder / 'train').mkdir(parents=True)
    for number, rows in enumerate((9, 1, 0, 5, 30)):
        mask = np.zeros((80, 100), np.uint8)
        mask[40:40 + rows] = 255
        root = tmp_path / 'deepcrack'
        cv2.imwrite(str(root / 'masks' / 'train' / f'{number}.png'), mask)
        image = np.full((80, 100, 3), 10 * number, np.uint8)
        cv2.imwrite(str(root / 'images' / 'train' / f'{number}.png'), image)
    pictures = two_phases.crack_pictures(2, 64, str(tmp_path))
    # Of 1, 5, 9, 30 rows (the picture without crack does not count).
    assert [int(label.sum()) for _, label in pictures] == [5 * 64, 9 * 64]
    assert [int(image.unique()) for image, _ in pictures] == [30, 0]
    assert [image.shape for image, _ in pictures] == [(3, 64, 64)] * 2


def test_real_pictures(two_phases, deepcrack_root):
    (image, label), other = two_phases.crack_pictures(
        2, 256, str(deepcrack_root.parent))
    assert image.shape == (3, 256, 256)
    assert set(label.unique().tolist()) == {0, 1}
    assert not torch.equal(label, other[1])
    # Cracks are darker than what surrounds them.
    grey = image.float().mean(0)
    assert grey[label == 1].mean() < grey[label == 0].mean()


# --- refusals ---------------------------------------------------------------


@pytest.mark.parametrize(('options', 'words'), [
    (['cost', '--sizes', 20], '--sizes must be at least --neighbors + 2'),
    (['cost', '--channels', 0], '--channels, --classes and --crop at least'),
    (['agreement', '--repeats', 0], '--repeats must be at least 1'),
    (['iteration', '--data', 'nowhere'], 'leave out --data and MMCRACK_DATA'),
    (['iteration', '--config', 'no/such'], "no config 'no/such.py'"),
])
def test_wrong_options_end_in_one_sentence(run, bench, options, words):
    code, said = run('benchmark/ci_loss', *options)
    assert code == 2
    assert words in said
    assert 'Traceback' not in said
