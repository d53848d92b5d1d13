"""Small runs of the benchmarks: what they count, compute, save and refuse."""

import csv
import sys

import numpy as np
import pytest
import torch
from oracles import clipped_window_mean, plain_guided_filter

MINI = 'cbprn/mini/cbprn_mini_deepcrack.py'
CPU = torch.device('cpu')
ONCE = ['--repeats', '1', '--warmup', '0']


@pytest.fixture
def bench(tool, monkeypatch):
    """Load a benchmark; its folder and torch's settings are put back."""
    monkeypatch.setattr(sys, 'path', list(sys.path))
    monkeypatch.setattr(torch.backends.cudnn, 'benchmark', False)

    def load(name):
        module = tool(f'benchmark/{name}')
        for part in ('measure', 'networks'):
            if part in sys.modules:
                monkeypatch.setitem(sys.modules, part, sys.modules[part])
        return module

    return load


@pytest.fixture
def measure(bench):
    return bench('guided_filter').measure


@pytest.fixture
def networks(bench):
    return bench('inference').networks


# --- measure.py -----------------------------------------------------------


def test_jobs_run_in_turns_there_and_back(measure):
    calls = []
    jobs = {name: lambda name=name: calls.append(name) for name in 'abc'}
    seconds = measure.in_turns(jobs, repeats=3, warmup=2, device=CPU)
    assert ''.join(calls) == 'aabbcc' + 'abc' + 'cba' + 'abc'
    assert {name: len(times) for name, times in seconds.items()} == dict(
        a=3, b=3, c=3)


def test_each_time_belongs_to_its_job(measure, monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(measure, 'seconds_of', lambda job, device: next(clock))
    seconds = measure.in_turns(
        dict(a=None, b=None), repeats=2, warmup=0, device=CPU)
    assert seconds == dict(a=[0, 3], b=[1, 2])


def test_ratios_and_spread_of_given_numbers(measure):
    # Medians of 3, 2 and 10: not the ratio of the medians, 6 / 2 = 3.
    assert measure.ratio([3., 6., 20.], [1., 3., 2.]) == 3.
    assert measure.ratio([1., 6., 9.], [2., 3., 1.]) == 2.
    assert measure.spread([2., 4., 5.]) == .75
    with pytest.raises(ValueError, match='zip'):
        measure.ratio([1.], [1., 2.])


def test_peak_memory_of_known_tensors(measure):
    mib = 1024 * 1024 // 4

    def job():
        first = torch.empty(4 * mib)
        second = torch.empty(2 * mib)
        del first
        return torch.empty(mib), second

    assert measure.peak_memory(job, CPU) == pytest.approx(6., abs=.01)


def test_tables_are_saved_whole(measure, tmp_path):
    rows = [dict(network='a, b', seconds='1.5'),
            dict(network='c', seconds='2')]
    paths = [tmp_path / 'new' / 'out.csv', tmp_path / 'out.md']
    measure.save(rows[:1], paths, 'old')
    measure.save(rows, paths, 'on a machine, at night')
    with paths[0].open(newline='') as file:
        assert list(csv.DictReader(file)) == [
            dict(row, measured='on a machine, at night') for row in rows]
    assert paths[1].read_text() == (
        'on a machine, at night\n\n| network | seconds |\n| --- | --- |\n'
        '| a, b | 1.5 |\n| c | 2 |\n')


# --- inference.py ---------------------------------------------------------


@pytest.mark.parametrize('layout', ['band', 'uniform'])
@pytest.mark.parametrize('share', [0., .01, .05, .2, .5, 1.])
def test_forced_masks_hold_exactly_the_share(networks, layout, share):
    mask = networks.forced_mask((37, 50), share, layout)
    assert mask.shape == (37, 50)
    assert int(mask.sum()) == round(share * 1850)
    assert torch.equal(mask, networks.forced_mask((37, 50), share, layout))


def test_a_band_follows_its_line_and_uniform_is_even(networks):
    band = networks.forced_mask((100, 200), .05, 'band').numpy()
    line = 100 * (.5 + .25 * np.sin(3 * np.pi * np.arange(200) / 200))
    distance = np.abs(np.arange(100)[:, None] - line)
    assert distance[band].max() <= distance[~band].min() + 1e-4
    assert band.any(axis=0).all()
    even = networks.forced_mask((100, 200), .05, 'uniform')
    assert (even.view(-1, 20).sum(1) == 1).all()


@pytest.fixture(scope='module')
def image():
    draw = torch.Generator().manual_seed(0)
    return torch.randn(2, 3, 64, 64, generator=draw)


def rows_by_share(networks, name, cfg, shares, x):
    setting = networks.Setting(device=CPU)
    return {row.share: row
            for row in networks.rows_of(name, cfg, shares, x, setting)}


def test_forced_shares_are_rendered_exactly(networks, image):
    rows = rows_by_share(networks, 'cbprn', networks.read_model(MINI),
                         ['own', '1', '20'], image)
    assert list(rows) == ['1 %', '20 %']
    for share, row in rows.items():
        points = round(float(share[:-2]) / 100 * 4096)
        found = networks.rendered_share(row, 2 * 4096)
        assert found == 2 * points / (2 * 4096)
        # Counting is taken away again.
        assert 'predict_points' not in vars(row.head)


def test_only_the_forced_pixels_differ_from_the_dense_prediction(networks,
                                                                 image):
    cfg = networks.read_model(MINI)
    dense = rows_by_share(networks, 'dense', cfg, [], image)['']
    forced = rows_by_share(networks, 'cbprn', cfg, ['5'], image)['5 %']
    assert networks.rendered_share(dense, 2 * 4096) is None
    dense.head.load_state_dict({
        k: v for k, v in forced.head.state_dict().items()
        if not k.startswith('point_mlp')})
    torch.nn.init.constant_(forced.head.point_mlp.fc_seg.bias, 50.)
    out, plain = forced.run(), dense.run()
    changed = (out - plain).abs().amax(1) > 10
    mask = networks.forced_mask((64, 64), .05, 'band')
    assert torch.equal(changed, mask.expand(2, -1, -1))


@pytest.mark.parametrize('name', ['pointrend', 'pointrend+coarse'])
def test_point_rend_divides_the_share_among_its_steps(networks, image, name):
    x = image[:1]
    rows = rows_by_share(networks, name, networks.read_model(MINI),
                         ['own', '20'], x)
    steps = rows['own'].head.subdivision_steps
    per_step = round(.2 * 4096 / steps)
    assert networks.rendered_share(rows['20 %'], 4096) == (
        steps * per_step / 4096)
    # Its own number, 8096, is cut where a grid has fewer pixels.
    own = sum(min(8096, 4**(k + 1) * 256) for k in range(steps))
    assert networks.rendered_share(rows['own'], 4096) == own / 4096


def test_the_same_widths_and_weights_in_every_row(networks, image):
    cfg = networks.read_model(MINI)
    wide = networks.with_widths(cfg, edge=48, head=40)
    assert wide.backbone.num_heads == 3
    assert wide.decode_head.in_channels == [48, 32, 64, 128, 256]
    head = wide.decode_head
    assert (head.channels, head.detail_channels, head.heat_channels,
            head.point_channels) == (40, 20, 20, 80)
    assert cfg.decode_head.channels == 64
    one, two = networks.build(cfg), networks.build(cfg)
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.fixture
def timed(bench, monkeypatch):
    """Run a benchmark with a clock that gives known numbers."""

    def call(name, arguments, seconds):
        module = bench(name)

        def in_turns(jobs, *, repeats, warmup, device, say):
            assert list(jobs) == list(seconds)
            return seconds

        monkeypatch.setattr(module.measure, 'in_turns', in_turns)
        return module.main(arguments)

    return call


def test_the_table_of_given_times(timed, tmp_path, capsys):
    out = [tmp_path / 'a.csv', tmp_path / 'a.md']
    lines = timed(
        'inference',
        ['--config', MINI, '--sizes', '60x40', '--rows', 'cbprn', 'dense',
         '--shares', '5', '--batch', '2', '--no-memory', '--repeats', '3',
         '--out', *map(str, out)],
        {'backbone': [2., 1., 4.], 'cbprn 5 %': [4., 3., 6.],
         'dense': [3., 1., 3.]})
    assert [(x['network'], x['share asked'], x['share rendered'],
             x['seconds per image'], x['spread'], x['images per second'],
             x['x backbone'], x['peak MiB']) for x in lines] == [
        ('backbone', '-', '-', '1', '150 %', '1', '1.000', '-'),
        # 205 of 4096 pixels: 60 x 40 is padded to 64 x 64.
        ('cbprn', '5 %', '5.00 %', '2', '75 %', '0.5', '2.000', '-'),
        ('dense', '-', '-', '1.5', '67 %', '0.6667', '1.000', '-')]
    with out[0].open(newline='') as file:
        stored = list(csv.DictReader(file))
    heading = stored[0].pop('measured')
    assert stored[0] == lines[0]
    assert 'batch 2, fp32' in heading
    assert 'median of 3 rounds' in heading
    assert out[1].read_text().strip() in capsys.readouterr().out


def test_a_trained_network_on_a_photograph(bench, tmp_path, tiny_data,
                                           networks):
    """A heat map that is sure of everything renders nothing."""
    module = bench('inference')
    from mmcrack.paths import config_path
    model = networks.build(networks.read_model(MINI))
    model.decode_head.conv_seg.weight.data.zero_()
    shares = []
    for bias in (9., 0.):
        model.decode_head.conv_seg.bias.data[:] = torch.tensor([bias, 0.])
        path = tmp_path / 'own.pth'
        torch.save(dict(state_dict=model.state_dict()), path)
        lines = module.main([
            '--config', config_path(MINI), '--checkpoint', str(path),
            '--image', str(tiny_data / 'images/test/test_0.png'),
            '--no-memory', *ONCE])
        assert [x['size'] for x in lines] == ['test_0.png 64x48'] * 2
        shares.append([x['share rendered'] for x in lines])
    # One half is inside (0.3, 0.7); 64 x 48 is padded to 64 x 64.
    assert shares == [['-', '0.00 %'], ['-', '100.00 %']]


def test_memory_of_rendering_does_not_grow_with_the_points(bench):
    lines = bench('inference').main([
        '--config', MINI, '--sizes', '128x128', '--point-memory',
        '--chunk-size', '512', *ONCE])
    assert [x['points'] for x in lines] == [
        round(s / 100 * 128**2) for s in (1, 2, 5, 10, 20, 50, 100)]
    chunks, whole = ([float(x[key]) for x in lines] for key in (
        'peak MiB, chunks of 512', 'peak MiB, one chunk'))
    # 512 points of at most 2 x 66 floats at a time, beside the heat map.
    assert max(chunks[2:]) - min(chunks[2:]) < .7
    assert whole[-1] - whole[2] > 4


# --- guided_filter.py -----------------------------------------------------


@pytest.mark.parametrize('name', ['window_means', 'pool_means',
                                  'exact_means'])
def test_every_average_is_that_of_the_clipped_window(bench, name):
    module = bench('guided_filter')
    x = torch.rand(1, 1, 9, 13, dtype=torch.float64)
    found = getattr(module, name)(x, radius=3)(x)[0, 0].numpy()
    np.testing.assert_allclose(
        found, clipped_window_mean(x[0, 0], 3), atol=1e-12)


def test_the_plain_filter_is_the_textbook_s(bench):
    module = bench('guided_filter')
    x = torch.rand(1, 1, 9, 13, dtype=torch.float64)
    found = module.plain_filter(
        x, radius=2, eps=.01, means=module.exact_means)[0, 0].numpy()
    np.testing.assert_allclose(
        found, plain_guided_filter(x[0, 0], x[0, 0], 2, .01), atol=1e-10)


def test_the_filter_s_table_of_given_times(timed, tmp_path):
    names = ['window convolution', 'avg_pool2d', 'mmcrack, subsample 1',
             'mmcrack, subsample 2']
    rows = timed(
        'guided_filter',
        ['--size', '40x30', '--radii', '3', '--subsample', '1', '2', '--out',
         str(tmp_path / 'a.csv')],
        dict(zip(names, ([.4, .2, .3], [.2, .1, .1], [.1, .1, .1],
                         [.05, .1, .02]), strict=True)))
    assert [x['filter'] for x in rows] == names
    # Medians of 4, 2, 3; of 2, 2, 3; and of 8, 2, 15.
    assert [x['times faster'] for x in rows] == [
        '1.00', '2.00', '3.00', '8.00']
    assert rows[0]['milliseconds'] == '300.00'
    errors = [float(x['largest error']) for x in rows]
    assert max(errors[:3]) <= 1e-5
    assert 1e-3 < errors[3] < .2


def test_no_window_convolution_beyond_its_largest_radius(bench):
    rows = bench('guided_filter').main([
        '--size', '40x30', '--radii', '2', '4', '--subsample', '1',
        '--slowest-radius', '2', *ONCE])
    assert [(x['radius'], x['filter']) for x in rows] == [
        (2, 'window convolution'), (2, 'avg_pool2d'),
        (2, 'mmcrack, subsample 1'), (4, 'avg_pool2d'),
        (4, 'mmcrack, subsample 1')]
    assert [x['times faster'] == '-' for x in rows] == [
        False, False, False, True, True]


@pytest.mark.parametrize(('name', 'options', 'words'), [
    ('inference', ['--repeats', 0], '--repeats must be at least 1'),
    ('inference', ['--batch', 0], '--batch and --chunk-size must be'),
    ('inference', ['--out', 'a.xls'], "--out takes .csv and .md, got 'a.xls"),
    ('inference', ['--config', 'no/such'], "no config 'no/such.py'"),
    ('guided_filter', ['--radii', 0], '--radii and --subsample must be'),
    ('guided_filter', ['--warmup', -1], '--warmup at least 0'),
])
def test_wrong_options_end_in_one_sentence(run, bench, name, options, words):
    bench(name)
    code, said = run(f'benchmark/{name}', '--sizes' if name == 'inference'
                     else '--size', '32x32', *options)
    assert code == 2
    assert words in said
    assert 'Traceback' not in said


@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a GPU')
def test_a_gpu_that_is_not_there(run, bench):
    bench('guided_filter')
    code, said = run('benchmark/guided_filter', '--device', 'cuda')
    assert code == 2
    assert 'torch finds no GPU; measure with --device cpu' in said


@pytest.mark.parametrize('options', [
    ['--shares', '0'], ['--shares', 'much'], ['--sizes', '64'],
    ['--sizes', '0x5'], ['--checkpoint', 'a.pth'], ['--rows', 'unet']])
def test_words_that_no_option_takes(bench, options, capsys):
    module = bench('inference')
    with pytest.raises(SystemExit) as error:
        module.main(options)
    assert error.value.code == 2
    assert 'error: ' in capsys.readouterr().err
