"""Throughput of any networks: what is compared, told and refused."""

import csv

import pytest

ONCE = ['--repeats', '2', '--warmup', '0']


@pytest.fixture
def throughput(timing_tool):
    return timing_tool('throughput')


def test_ratio_to_the_mean_of_others(throughput):
    # Round by round 1, 1/2 and 4 images per second against the means of
    # (1, 3), (1, 1) and (2, 2).
    ratio = throughput.speed_ratio(
        [1., 2., .25], [[1., 1., .5], [1 / 3, 1., .5]])
    assert ratio == pytest.approx(.5)
    assert throughput.speed_ratio([.1, .1], [[.27, .27]]) == pytest.approx(
        2.7)


def test_lines_against_given_seconds(throughput):
    args = throughput.parse_args(['a.py', '--reference', 'P*', '--batch',
                                  '2'])
    entries = [throughput.Entry(name, None, 1_500_000)
               for name in ('P 1', 'P 2', 'C', 'broken')]
    lines = throughput.lines_of(
        entries, {'P 1': [2., 2.], 'P 2': [1., 1.], 'C': [.5, .5]},
        {'C': 12.4}, '64x32', args)
    told = [(line['seconds per image'], line['images per second'],
             line['times as fast as P*'], line['peak MiB'])
            for line in lines]
    assert told == [('1', '1', '0.667', ''), ('0.5', '2', '1.333', ''),
                    ('0.25', '4', '2.667', '12'), ('failed', '', '', '')]
    assert lines[0]['parameters [M]'] == '1.50'


def test_networks_are_timed_and_saved(throughput, write_config, tmp_path,
                                      capsys):
    wide = write_config('wide', tail=(
        "model['decode_head'].update(channels=64, in_channels=4)"))
    plain = write_config('plain')
    table = tmp_path / 'out.csv'
    lines = throughput.main([
        plain, f'fat={wide}', '--sizes', '64x48', '32x32', '--reference',
        'plain', '--out', str(table), *ONCE])
    assert [(line['size'], line['network']) for line in lines] == [
        (size, name) for size in ('64x48', '32x32')
        for name in ('plain', 'fat')]
    assert lines[0]['times as fast as plain'] == '1.000'
    assert float(lines[1]['peak MiB']) > float(lines[0]['peak MiB']) > 0
    # 3 x 3 x 4 weights more for each of 60 channels, their norm and logits.
    gained = 60 * (9 * 4 + 2 + 2) / 1e6
    assert float(lines[1]['parameters [M]']) == pytest.approx(
        float(lines[0]['parameters [M]']) + gained, abs=.011)
    with table.open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert [row['network'] for row in rows] == ['plain', 'fat'] * 2
    assert 'median of 2 rounds' in rows[0]['measured']
    assert '| 64x48 | fat |' in capsys.readouterr().out


def test_a_network_that_cannot_run_stops_no_other(throughput, write_config,
                                                  monkeypatch, capsys):
    plain = write_config('plain')
    original = throughput.prepared_run

    def broken(model, image, share, setting):
        if model.decode_head.channels == 5:
            def run():
                raise RuntimeError('out of memory\nmore words')
            return run
        return original(model, image, share, setting)

    monkeypatch.setattr(throughput, 'prepared_run', broken)
    bad = write_config('bad', tail="model['decode_head'].update(channels=5, "
                       'norm_cfg=None)')
    lines = throughput.main([plain, bad, '--sizes', '32x32', '--no-memory',
                             *ONCE])
    assert [line['seconds per image'] == 'failed' for line in lines] == [
        False, True]
    assert 'bad FAILED: out of memory' in capsys.readouterr().err


def test_rows_of_a_table(throughput, tmp_path):
    path = tmp_path / 't.yaml'
    path.write_text("""
title: T
columns: [{key: IoU}]
rows:
- {name: A b, config: cirl/unet_cfd.py}
- {name: first, config: cirl/unet_cfd.py, show: false}
- {name: quoted, train: false}
""")
    args = throughput.parse_args(['x=c.py', '--table', str(path)])
    found = throughput.chosen(args)
    assert list(found) == ['x', 'A b']
    assert found['x'] == 'c.py'
    assert found['A b'].endswith('configs/cirl/unet_cfd.py')


@pytest.mark.parametrize(('options', 'words'), [
    (['a/x.py', 'b/x.py'], "Two networks are called 'x'"),
    (['a.py', '--reference', 'P*'], "'P\\*' fits none of a")])
def test_names_that_do_not_fit(throughput, options, words):
    with pytest.raises(ValueError, match=words):
        throughput.main(options)


@pytest.mark.parametrize(('options', 'words'), [
    ([], 'give configs, or --table'),
    (['a.py', '--batch', '0'], '--batch must be at least 1'),
    (['a.py', '--share', '101'], '--share lie between 0 and 100')])
def test_wrong_options(throughput, capsys, options, words):
    with pytest.raises(SystemExit):
        throughput.main(options)
    assert words in capsys.readouterr().err
