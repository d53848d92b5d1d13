"""tools/benchmark/export.py: its figures and what it refuses."""


import pytest


@pytest.fixture
def benchmark(timing_tool):
    return timing_tool('export')


def test_lines_of_given_seconds(benchmark):
    """Ratios are medians of rounds: 2, 4, 8; not 3 / 1 of the medians."""
    first, second = benchmark.lines_of(
        'net', '2000x1000', {'torch': [2., 4., 3.2], 'onnx': [1., 1., .4]},
        2., {'torch': 0., 'onnx': 3e-7})
    assert first['times as fast'] == '1.00'
    assert first['processor seconds'] == '3.2'
    assert first['seconds per megapixel'] == '1.6'
    assert second['times as fast'] == '4.00'
    assert second['spread'] == '60 %'
    assert second['largest difference'] == '3.0e-07'


def test_turns_alternate_and_seconds_are_the_processors(benchmark,
                                                        monkeypatch):
    order, clock = [], iter([0, 3, 10, 11, 20, 25, 30, 32])
    monkeypatch.setattr(
        benchmark.time, 'process_time', lambda: next(clock))
    jobs = dict(a=lambda: order.append('a'), b=lambda: order.append('b'))
    seconds = benchmark.processor_seconds(
        jobs, repeats=2, warmup=1, say=lambda text: None)
    assert order == ['a', 'b', 'a', 'b', 'b', 'a']
    assert seconds == dict(a=[3, 2], b=[1, 5])


def test_torch_and_channels_last_agree(benchmark, trained, tmp_path):
    lines = benchmark.main([
        f'{trained[0]}={trained[1]}', '--sizes', '32x64', '--repeats', '1',
        '--warmup', '0', '--ways', 'torch', 'channels last', '--out',
        str(tmp_path / 'table.csv')])
    assert [line['way'] for line in lines] == ['torch', 'channels last']
    assert float(lines[1]['largest difference']) < 1e-5
    assert lines[0]['size'] == '32x64'
    assert len((tmp_path / 'table.csv').read_text().splitlines()) == 3


def test_a_gpu_is_refused(benchmark, run):
    code, said = run('benchmark/export', 'a.py', '--device', 'cuda')
    assert code == 2
    assert '--device must be cpu' in said
