"""The command of the inspection report: scales and wrong input."""

import json

import numpy as np
import pytest
from page_reader import read_page
from PIL import Image


@pytest.fixture
def run_folder(tmp_path):
    """A run of one photograph with a bar of 4 pixels."""
    mask = np.zeros((60, 100), np.uint8)
    mask[30:34, 10:90] = 255
    out = tmp_path / 'run'
    (out / 'masks').mkdir(parents=True)
    Image.fromarray(mask).save(out / 'masks' / 'a.png')
    Image.fromarray(np.dstack([mask] * 3)).save(tmp_path / 'a.png')
    (out / 'summary.json').write_text(json.dumps(dict(failed=[], records=[
        dict(name='a', file=str(tmp_path / 'a.png'),
             files=dict(mask='masks/a.png'), figures=dict(
                 width=100, height=60, crack_share_percent=5.3))])))
    return out


@pytest.mark.parametrize(('options', 'title', 'widest'), [
    ([], 'widest, px', '4.0'),
    (['--mm-per-px', '0.25'], 'widest, mm', '1.00'),
    (['--scales', 'CSV'], 'widest, mm', '2.00')])
def test_scales(tool, run_folder, tmp_path, options, title, widest):
    (tmp_path / 's.csv').write_text('image,mm_per_px\na.png,0.5\n')
    options = [str(tmp_path / 's.csv') if x == 'CSV' else x for x in options]
    path = tool('analysis/crack_report').main([
        str(run_folder), '--out', str(tmp_path / 'report'), *options])
    page = read_page(path)
    table, = (t for t in page.tables if t[0][0] == 'photograph')
    assert table[0][1] == title
    assert table[1][1] == widest


@pytest.mark.parametrize(('options', 'words'), [
    (['--mm-per-px', '-1'], '--mm-per-px must be a positive number'),
    (['--exif'], 'does not say what a pixel measures'),
    (['--distance-mm', '5'], '--distance-mm needs --exif'),
    (['--scales', 'CSV'], 'has no row for a'),
    (['--scales', 'gone.csv'], 'gone.csv'),
    (['--width-limits', '3', '1'], 'must be positive and rise'),
    (['--photographs', '0'], '--photographs must be positive')])
def test_bad_options(run, run_folder, tmp_path, options, words):
    (tmp_path / 's.csv').write_text('image,mm_per_px\nb.png,0.5\n')
    options = [str(tmp_path / 's.csv') if x == 'CSV' else x for x in options]
    code, said = run('analysis/crack_report', run_folder, '--out',
                     tmp_path / 'report', *options)
    assert code == 2
    assert words in said
    assert 'Traceback' not in said


def test_folders_that_hold_no_run(run, tmp_path, run_folder):
    code, said = run('analysis/crack_report', tmp_path, '--out',
                     tmp_path / 'report')
    assert code == 2
    assert 'holds no summary.json of tools/infer.py' in said
    (run_folder / 'masks' / 'a.png').unlink()
    code, said = run('analysis/crack_report', run_folder, '--out',
                     tmp_path / 'report')
    assert code == 2
    assert 'There is no map' in said
    (run_folder / 'summary.json').write_text('{"records": []}')
    code, said = run('analysis/crack_report', run_folder, '--out',
                     tmp_path / 'report')
    assert code == 2
    assert 'nothing can be reported' in said


@pytest.mark.parametrize(('options', 'words'), [
    (['--report', '--no-mask'], '--report needs the masks'),
    (['--mm-per-px', '1'], '--mm-per-px is for --report'),
    (['--report', '--mm-per-px', '0'], 'must be a positive number')])
def test_report_of_the_inferencer_s_command(run, tmp_path, options, words):
    code, said = run('infer', 'config.py', 'weights.pth', 'photos', '--out',
                     tmp_path / 'out', *options)
    assert code == 2
    assert words in said
