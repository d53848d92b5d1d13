"""The command that measures masks."""

import csv
import json

import cv2
import numpy as np
import pytest


@pytest.fixture
def folder(tmp_path):
    """Two masks with photographs, maps and an earlier date."""
    for name, width in (('a', 3), ('b', 6)):
        mask = np.zeros((60, 90), np.uint8)
        mask[20:20 + width, 10:80] = 255
        value = cv2.GaussianBlur(mask, (0, 0), 0.7)
        earlier = mask.copy()
        earlier[:, 50:] = 0
        for part, picture in (
                ('masks', mask), ('maps', value), ('earlier', earlier),
                ('photographs', np.full((60, 90, 3), 90, np.uint8))):
            (tmp_path / part).mkdir(exist_ok=True)
            assert cv2.imwrite(str(tmp_path / part / f'{name}.png'), picture)
    return tmp_path


def table(path):
    with open(path, newline='') as file:
        return list(csv.DictReader(file))


def test_everything_is_written(folder, run):
    out = folder / 'out'
    code, said = run(
        'measure', folder / 'masks', '--out', out, '--prob', folder / 'maps',
        '--images', folder / 'photographs', '--before', folder / 'earlier',
        '--mm-per-px', '0.05', '--width-limits', '0.2', '0.4')
    assert (code, said) == (0, '')
    rows = table(out / 'cracks.csv')
    assert [r['image'] for r in rows] == ['a.png', 'b.png']
    assert [float(r['mean_width_px']) for r in rows] == pytest.approx(
        [3, 6], abs=0.05)
    assert [r['width_class'] for r in rows] == ['<= 0.2 mm', '0.2-0.4 mm']
    assert 0.5 < float(rows[0]['width_std_px']) < 1.5
    assert len(table(out / 'branches.csv')) == 2
    changes = table(out / 'changes.csv')
    assert [r['status'] for r in changes] == ['grown', 'grown']
    assert float(changes[0]['grown_mm']) == pytest.approx(1.5, abs=0.1)
    stored = json.loads((out / 'a.json').read_text())
    assert (stored['mm_per_px'], stored['edges_from']) == (
        0.05, 'probability')
    assert len(json.loads((out / 'b.geojson').read_text())['features']) == 1
    assert cv2.imread(str(out / 'b_widths.jpg')).shape == (60, 90, 3)


def test_masks_alone_are_enough(folder, run):
    code, _ = run('measure', folder / 'masks' / '*.png', '--out',
                  folder / 'out')
    assert code == 0
    rows = table(folder / 'out' / 'cracks.csv')
    assert [float(r['median_width_px']) for r in rows] == [3, 6]
    assert not (folder / 'out' / 'changes.csv').exists()


def test_maps_may_be_arrays_or_sixteen_bit(folder, run):
    widths = []
    for name in ('maps', 'arrays', 'deep'):
        (folder / name).mkdir(exist_ok=True)
        value = cv2.imread(str(folder / 'maps' / 'a.png'), 0)
        if name == 'arrays':
            np.save(folder / name / 'a.npy', value / np.float32(255))
        if name == 'deep':
            cv2.imwrite(str(folder / name / 'a.png'),
                        value.astype(np.uint16) * 257)
        assert run('measure', folder / 'masks' / 'a.png', '--out',
                   folder / 'out', '--prob', folder / name)[0] == 0
        widths.append(float(
            table(folder / 'out' / 'cracks.csv')[0]['mean_width_px']))
    assert widths[1:] == pytest.approx(widths[:1] * 2, abs=1e-3)


def test_the_camera_and_a_table_give_the_scale(folder, run):
    (folder / 'scales.csv').write_text('image,mm_per_px\na.png,0.5\nb,2\n')
    for options, expected in (
            (('--distance-mm', 900, '--focal-mm', 50, '--sensor-width-mm',
              36), [7.2, 7.2]),
            (('--scales', folder / 'scales.csv'), [0.5, 2])):
        assert run('measure', folder / 'masks', '--out', folder / 'out',
                   *options)[0] == 0
        found = [json.loads((folder / 'out' / f'{n}.json').read_text())[
            'mm_per_px'] for n in 'ab']
        assert found == pytest.approx(expected)


def test_a_bad_mask_does_not_stop_the_others(folder, run):
    (folder / 'masks' / 'aa.png').write_text('no picture')
    code, said = run('measure', folder / 'masks', '--out', folder / 'out')
    assert code == 2
    assert 'aa.png: The mask' in said
    assert said.splitlines()[-1] == (
        'measure.py: error: 1 of 3 masks were not measured; the reasons '
        'stand above.')
    assert len(table(folder / 'out' / 'cracks.csv')) == 2


@pytest.mark.parametrize(('options', 'words'), [
    (('--mm-per-px', 1, '--exif'), 'give one of --mm-per-px'),
    (('--focal-mm', 50), 'belong together'),
    (('--distance-mm', 50), '--distance-mm needs --focal-mm'),
    (('--exif',), '--exif needs the photographs'),
    (('--mm-per-px', -1), 'scale must be a positive number, got -1.0'),
    (('--prob', 'nowhere'), 'nowhere holds no probability map named a'),
    (('--scales', 'none.csv'), 'none.csv'),
    (('--width-limits', 0.2, 0.1), 'must be positive and rise'),
])
def test_bad_options_end_in_one_sentence(folder, run, options, words):
    code, said = run('measure', folder / 'masks' / 'a.png', '--out',
                     folder / 'out', *options)
    assert code == 2
    assert words in said
    assert 'Traceback' not in said


def test_a_photograph_without_exif_is_named(folder, run):
    code, said = run('measure', folder / 'masks' / 'a.png', '--out',
                     folder / 'out', '--images', folder / 'photographs',
                     '--exif', '--distance-mm', 1000)
    assert code == 2
    assert 'a.png does not say what a pixel measures: give' in said


def test_names_that_mean_nothing_or_two_things(folder, run):
    code, said = run('measure', folder / 'no*.png', '--out', folder / 'out')
    assert (code, 'there is no mask' in said) == (2, True)
    code, said = run('measure', folder / 'masks', folder / 'earlier',
                     '--out', folder / 'out')
    assert (code, 'have one name' in said) == (2, True)
