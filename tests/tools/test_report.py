"""The page of runs: its figures are those of the evaluator."""

import json

import numpy as np
import pytest
from browser import run_in_page
from metric_pins import crack_image
from page_reader import read_page
from PIL import Image

NAMES = [f'wall/{i}' for i in range(4)]


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


@pytest.fixture
def folders(tmp_path):
    """Truth, photographs and two runs, the second better on one image."""
    for i, name in enumerate(NAMES):
        prob, truth, _ = crack_image(i)
        save(tmp_path / f'gt/{name}.png', truth.astype(np.uint8))
        save(tmp_path / f'img/{name}.jpg',
             np.full((*truth.shape, 3), 90, np.uint8))
        for run in ('one', 'two'):
            if run == 'two' and i == 1:
                prob = np.clip(prob + .4 * truth, 0, 1)
            save(tmp_path / run / f'prob/{name}.png',
                 np.rint(prob * 65535).astype(np.uint16))
            save(tmp_path / run / f'masks/{name}.png',
                 (prob >= .5).astype(np.uint8))
    return tmp_path


@pytest.fixture
def report(tool, folders):

    def call(*options, runs=('one', 'two')):
        path = tool('analysis/report').main([
            *(str(folders / run) for run in runs), '--gt',
            str(folders / 'gt'), '--out', str(folders / 'report'),
            '--resamples', '40', *(str(x) for x in options)])
        document = json.loads((folders / 'report/report.json').read_text())
        return read_page(path), document, path

    return call


def test_figures_are_those_of_the_evaluator(report, tool, folders):
    page, document, _ = report('--images', folders / 'img')
    evaluated = tool('evaluate').main([
        '--pred', str(folders / 'one/prob'), '--compare',
        str(folders / 'two/prob'), '--gt', str(folders / 'gt'), '--prob',
        '--intervals', '--resamples', '40', '--metrics', 'pixel', 'mba',
        'tolerance', 'cldice', 'curves', 'calibration'])
    for run, role in (('one', 'prediction'), ('two', 'compared')):
        assert document['sets'][run] == evaluated['sets'][role]
    assert document['comparisons']['two'] == evaluated['comparison']
    rows = page.table('figure')
    table = page.tables[0]
    assert table[0][:5] == ['figure', 'one', '95 % interval', 'two',
                            '95 % interval']
    for n, of in ((1, 'prediction'), (3, 'compared')):
        for row, figure in zip(table[1:], evaluated['sets'][of]['figures'],
                               strict=True):
            assert row[0] == figure['name']
            digits = 0 if 'low' not in figure else 2 if figure['unit'] else 4
            assert row[n] == f'{figure["value"]:.{digits}f}'
            if digits:
                assert row[n + 1] == (f'{figure["low"]:.{digits}f} to '
                                      f'{figure["high"]:.{digits}f}')
    change, = (f for f in evaluated['comparison']['figures']
               if f['name'] == 'F1')
    assert rows['F1'][2] == f'{change["difference"]:+.2f}'
    counts = page.table('figure of an image')['F1']
    assert counts == [str(evaluated['comparison']['images']['F1'][x])
                      for x in ('better', 'worse', 'equal', 'undefined')]
    assert page.titles == [
        'Figures', 'Over all thresholds', 'By crack width',
        'Boundary errors', 'From one to two', 'Worst and best images',
        'All images']
    assert set(page.table('image')) == set(NAMES)


def test_curve_of_the_page_is_the_evaluator_s(report):
    page, document, _ = report()
    best = {f['name']: f['value']
            for f in document['sets']['one']['figures']}
    assert (f'one: best F1 {best["ODS_pixel"]:.2f} % at '
            f'{best["ODS_threshold_pixel"]:.2f}.') in page.text
    # Photograph (grey here), probability and three masks for each run.
    assert len(page.images) % 10 == 0
    sizes = {picture.size for picture in page.pictures()}
    assert sizes == {crack_image(0)[1].shape[::-1]}


def test_diagrams_of_a_constructed_case(tool, tmp_path):
    truth = np.zeros((60, 100), np.uint8)
    truth[10, :] = truth[30:37, :] = 1
    pred = np.zeros_like(truth)
    pred[10, :50] = pred[29:38, :] = 1
    save(tmp_path / 'gt/a.png', truth)
    save(tmp_path / 'run/a.png', pred * np.uint8(255))
    path = tool('analysis/report').main([
        '--pred', str(tmp_path / 'run'), '--gt', str(tmp_path / 'gt'),
        '--out', str(tmp_path / 'out'), '--widths', '2', '5'])
    page = read_page(path)
    # Recall, interval (one image has none), within 2 px, F1, pixels, images
    widths = page.table('true width, px')
    assert widths['≤ 2'] == ['50.00', '–', '52.00', '66.67', '100', '1']
    assert widths['2–5'] == ['–', '–', '–', '–', '0', '0']
    assert widths['> 5'] == ['100.00', '–', '100.00', '87.50', '700', '1']
    histogram = page.table('distance, px')
    assert histogram['0'] == ['50']
    assert histogram['1'] == ['200']
    assert sum(int(count) for count, in histogram.values()) == 250
    errors = page.table('run')['run']
    assert errors == ['20.00', '100.00', '100.00', '0.00', '80.00', '0.00',
                      '250']
    assert 'Over all thresholds' not in page.titles


def test_images_are_the_worst_and_the_best(report):
    page, _, _ = report('--shown', 1, runs=('one', ))
    scores = {name: float(row[0]) for name, row in page.table(
        'image').items() if row[0] != '–'}
    order = sorted(scores, key=scores.get)
    shown = [x for x in page.ids if x.startswith('image-')]
    wanted = [f'image-{name.replace("/", "-")}'
              for name in (order[0], order[-1])]
    assert shown[:2] == wanted
    assert set(page.links) >= set(wanted)


def test_page_works_in_a_browser(report, folders):
    _, _, path = report('--shown', 1)
    told = run_in_page(path, """
        const box = document.querySelector('input[data-layer=missed]');
        const img = document.querySelector('img[data-layer=missed]');
        box.click(); told.hidden = img.hidden;
        box.click(); told.shown = !img.hidden && img.naturalWidth > 0;
        told.broken = [...document.images].filter(
          (i) => !i.naturalWidth).length;
        told.wide = document.documentElement.scrollWidth > innerWidth;
        """, folders, size=(500, 844))
    assert told == dict(hidden=True, shown=True, broken=0, wide=False)


@pytest.mark.parametrize(('options', 'words'), [
    (['gone'], "The run 'gone' is no folder"),
    ([], 'Give one to 4 runs, got 0.'),
    (['ONE'], 'Give the true masks with --gt DIR'),
    (['ONE', 'TWO', '--gt', 'GT', '--titles', 'x'], '2 different titles'),
    (['ONE', '--gt', 'GT', '--threshold', '2'], 'from 0 to 1, got 2.0'),
    (['ONE', '--gt', 'GT', '--widths', '4', '2'], 'must be positive'),
    (['ONE', '--gt', 'GT', '--metrics', 'variance'], 'variance maps'),
    (['--pred', 'MASKS', '--gt', 'GT', '--metrics', 'aiu'],
     'give probability maps with --prob'),
    (['ONE', '--gt', 'GT', '--images', 'GT'], 'is given for'),
    (['--pred', 'MASKS', '--gt', 'IMG'], 'img')])
def test_bad_input_ends_in_one_sentence(run, folders, options, words):
    places = {'ONE': 'one', 'TWO': 'two', 'GT': 'gt', 'IMG': 'img',
              'MASKS': 'one/masks'}
    options = [folders / places[x] if x in places else x for x in options]
    code, said = run('analysis/report', *options, '--out', folders / 'out')
    assert code == 2
    assert words in said
    assert sum('error: ' in line for line in said.splitlines()) == 1
    assert 'Traceback' not in said


def test_a_work_folder_finds_its_data(tool, folders):
    (folders / 'one/config.py').write_text(
        'test_dataloader = dict(dataset=dict(dataset=dict(data_root='
        f'{str(folders)!r}, data_prefix=dict(img_path="img", '
        'seg_map_path="gt"))))\n')
    path = tool('analysis/report').main([
        str(folders / 'one'), '--out', str(folders / 'report'),
        '--resamples', '5'])
    page = read_page(path)
    assert set(page.table('image')) == set(NAMES)
    photographs = [p for p in page.pictures() if p.format == 'JPEG']
    assert all(abs(np.array(p).mean() - 90) < 2 for p in photographs)
    assert photographs
