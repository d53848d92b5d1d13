"""``tools/benchmark/inference.py --tiled``: counted pixels, whole shares."""

import pytest


def test_tiled_lines_count_what_was_predicted(trained, tool, tmp_path):
    config, checkpoint, _ = trained
    lines = tool('benchmark/inference').main([
        '--tiled', '--config', config, '--checkpoint', str(checkpoint),
        '--sizes', '160x96', '--tile-sizes', '64', '0', '--overlap', '32',
        '--repeats', '1', '--out', str(tmp_path / 'table.csv')])
    # Three tiles beside two fewer: 4 x 2 of 64 pixels, overlaps of 32.
    assert [line['tiles'] for line in lines] == [
        '8 of 64x64', '1 of 160x96']
    assert [line['pixels predicted'] for line in lines] == [
        '2.13 x', '1.00 x']
    assert float(lines[0]['CPU seconds per megapixel']) > 0
    text = (tmp_path / 'table.csv').read_text()
    assert text.count('Tiled inference of trained, overlap 32') == 2


def test_onnx_runtime_predicts_the_same_tiles_in_turns(trained, tool,
                                                       tmp_path, monkeypatch):
    pytest.importorskip('onnxruntime')
    from mmcrack.inference import TorchBackend
    from mmcrack.inference.export import export_onnx, set_padding
    config, checkpoint, _ = trained
    network = TorchBackend(config, str(checkpoint), device='cpu')
    set_padding(network, 8)
    export_onnx(network, tmp_path / 'net.onnx')
    turns = []
    benchmark = tool('benchmark/inference')
    once = benchmark.tiled._once

    def spy(inferencer, backend, *rest):
        """Note who predicts what."""
        turns.append(backend.backend.description.split(',')[0])
        return once(inferencer, backend, *rest)

    monkeypatch.setattr(benchmark.tiled, '_once', spy)
    lines = benchmark.main([
        '--tiled', '--config', config, '--checkpoint', str(checkpoint),
        '--sizes', '160x96', '--tile-sizes', '64', '--repeats', '2',
        '--overlap', '32', '--onnx', str(tmp_path / 'net.onnx')])
    assert [line['run by'] for line in lines] == ['torch', 'net.onnx']
    assert lines[0]['tiles'] == lines[1]['tiles'] == '8 of 64x64'
    assert ['ONNX' in turn for turn in turns] == [False, True] * 2


@pytest.mark.parametrize('arguments', [
    ['--tiled'], ['--tiled', '--config', 'a.py', '--cast'],
    ['--onnx', 'a.onnx'],
    ['--tiled', '--config', 'a.py', '--onnx', 'a.onnx', '--device', 'cuda']])
def test_what_does_not_fit_is_said(tool, arguments, capsys):
    with pytest.raises(SystemExit) as error:
        tool('benchmark/inference').parse_args(arguments)
    assert error.value.code == 2
    assert '--tiled' in capsys.readouterr().err
