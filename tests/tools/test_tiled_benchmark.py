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


@pytest.mark.parametrize('arguments', [
    ['--tiled'], ['--tiled', '--config', 'a.py', '--cast']])
def test_what_does_not_fit_is_said(tool, arguments, capsys):
    with pytest.raises(SystemExit) as error:
        tool('benchmark/inference').parse_args(arguments)
    assert error.value.code == 2
    assert '--tiled' in capsys.readouterr().err
