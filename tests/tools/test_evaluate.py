"""Scoring folders: the pinned figures, each option, each wrong input."""

import csv
import json

import numpy as np
import pytest
import torch
from metric_pins import PINS, A, B, crack_image, is_probability
from PIL import Image

from mmcrack.evaluation.metrics import CrackMetric
from mmcrack.functional.metrics import (
    bootstrap_mean,
    paired_bootstrap_mean,
    paired_bootstrap_ratio,
)


@pytest.fixture
def write(tmp_path):
    """Write a picture below the test's folder."""

    def call(name, array):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(array).save(path)

    return call


@pytest.fixture
def evaluate(tool, tmp_path):
    """Run the tool on folders below the test's folder."""

    def call(*options, pred='pred', gt='gt'):
        return tool('evaluate').main([
            '--pred', str(tmp_path / pred), '--gt', str(tmp_path / gt),
            *(str(x) for x in options)])

    return call


def figures(document, of='prediction'):
    return {f['name']: f['value'] for f in document['sets'][of]['figures']}


def mask_picture(mask):
    """Another software's mask: 0 and 255."""
    return mask.astype(np.uint8) * np.uint8(255)


def sample(pred, truth, name, prob=None, logits=None):
    if logits is None:
        logits = prob[None] if prob is not None else None
    out = dict(
        img_path=f'{name}.jpg',
        gt_sem_seg=dict(data=torch.as_tensor(truth)[None].long()),
        pred_sem_seg=dict(data=torch.as_tensor(pred)[None].long()))
    if logits is not None:
        out['seg_logits'] = dict(data=torch.as_tensor(logits))
    return out


def metric_figures(samples, **options):
    metric = CrackMetric(**options)
    metric.dataset_meta = dict(classes=('background', 'crack'))
    for one in samples:
        metric.process({}, [one])
    found = metric.evaluate(len(samples))
    return {key.removeprefix('crack/'): v for key, v in found.items()}


@pytest.mark.parametrize('pin', PINS)
def test_pins_through_the_command_and_the_metric(pin, evaluate, write):
    metrics, images, wanted = PINS[pin]
    samples, options = [], []
    for i, (pred, truth) in enumerate(images):
        write(f'gt/{i}.png', truth)
        if is_probability(pred):
            write(f'pred/{i}.tif', pred)
            samples.append(sample(pred >= .5, truth, i, prob=pred))
            options = ['--prob']
        else:
            write(f'pred/{i}.bmp', mask_picture(pred))
            samples.append(sample(pred, truth, i))
    found = figures(evaluate('--metrics', *metrics, *options))
    assert {key: found[key] for key in wanted} == pytest.approx(
        wanted, abs=1e-4)
    assert metric_figures(samples, metrics=metrics) == found


@pytest.fixture
def run_of(write):
    """Probability maps (16 bit) and masks of crack images, as folders."""

    def call(indices, prob='prob', pred='pred', gt='gt', change=None):
        for i in indices:
            p, truth, valid = crack_image(i)
            p = change(p, i) if change else p
            levels = np.rint(p * 65535).astype(np.uint16)
            source = 'wall' if i % 2 else 'road'
            if prob:
                write(f'{prob}/{source}_{i}.png', levels)
            if pred:
                write(f'{pred}/{source}_{i}.png', mask_picture(p >= .5))
            if gt:
                write(f'{gt}/{source}_{i}.png',
                      np.where(valid, truth, 255).astype(np.uint8))

    return call


def test_default_figures(evaluate, write, capsys):
    for i, (pred, truth) in enumerate([A, B]):
        write(f'gt/{i}.png', truth)
        write(f'pred/{i}.png', mask_picture(pred))
    found = figures(evaluate())
    assert list(found) == [
        'IoU', 'Dice', 'Precision', 'Recall', 'F1', 'mIoU', 'image_IoU',
        'image_Dice', 'image_Precision', 'image_Recall', 'image_F1',
        'image_mIoU', 'images', 'images_without_crack', 'mBA', 'mBA_floor']
    said = capsys.readouterr().out
    assert 'protocol: none' in said
    assert 'crack where: the masks say so' in said
    lines = [line.split() for line in said.splitlines()]
    assert ['image_F1', '53.33', '%', 'mean', 'over', 'images', '2'] in lines
    assert ['F1', '54.55', '%', 'pooled', 'over', 'all', 'pixels',
            '2'] in lines


def test_heads_of_one_and_two_channels_and_files_agree(evaluate, run_of):
    run_of(range(4))
    one, two = [], []
    for i in range(4):
        p, truth, valid = crack_image(i)
        p = np.rint(p * 65535).astype(np.float32) / np.float32(65535)
        truth = np.where(valid, truth, 255)
        logit = np.log(p.astype(np.float64) / (1 - p.astype(np.float64)))
        noise = np.random.default_rng(i).normal(size=p.shape)
        one.append(sample(p > .5, truth, i, prob=p))
        two.append(sample(p > .5, truth, i, logits=np.stack(
            [noise, noise + logit])))
    metrics = ['pixel', 'curves', 'curves:protocol=tolerance2', 'aiu',
               'calibration', 'mba']
    found = figures(evaluate('--prob', '--metrics', *metrics,
                             '--ignore-value', 255, pred='prob'))
    assert metric_figures(one, metrics=metrics) == pytest.approx(
        found, rel=1e-6)
    # Float32 goes through a logarithm and back.
    assert metric_figures(two, metrics=metrics) == pytest.approx(
        found, abs=.05)
    assert found['images_without_crack'] == 1


@pytest.mark.slow
def test_two_processes_give_the_report_of_one(evaluate, run_of, tmp_path):
    run_of(range(5))
    documents = []
    for workers in (1, 2):
        out = tmp_path / f'{workers}.csv'
        document = evaluate(
            '--prob', '--metrics', 'all', '--intervals', '--resamples', 20,
            '--ignore-value', 255, '--workers', workers, '--source',
            '^([a-z]+)_', '--per-image', out, pred='prob')
        document['done'].pop("a processor's seconds for an image")
        documents.append(document)
    assert documents[0] == documents[1]
    tables = [(tmp_path / f'{n}.csv').read_text() for n in (1, 2)]
    assert tables[0] == tables[1]
    assert tables[0].count('\n') == 6


@pytest.mark.parametrize(('protocol', 'shown'), [
    ('cirl', 'image_F1'), ('cbprn', 'mBA'), ('zou', 'ODS_tolerance2'),
    ('fphb', 'OIS_aggregate_bsds'), ('omnicrack', 'clIoU_4px')])
def test_protocols_of_command_and_metric_agree(
        evaluate, run_of, capsys, protocol, shown):
    run_of(range(4))
    document = evaluate('--prob', '--protocol', protocol, '--ignore-value',
                        255, pred='prob')
    said = capsys.readouterr().out
    assert f'protocol: {protocol}: ' in said
    assert f'\n  {shown} ' in said
    samples = []
    for i in range(4):
        p, truth, valid = crack_image(i)
        p = np.rint(p * 65535).astype(np.float32) / np.float32(65535)
        samples.append(sample(p * 0, np.where(valid, truth, 255),
                              f'{"wall" if i % 2 else "road"}_{i}', prob=p))
    # The prediction is empty: the protocol's threshold makes the mask.
    assert metric_figures(samples, protocol=protocol) == figures(document)
    if protocol == 'omnicrack':
        sources = document['sets']['prediction']['sources']
        assert list(sources) == ['road', 'wall']
        assert 'mean of sources' in said


def test_protocol_with_more_metrics_and_another_rule(evaluate, run_of):
    run_of(range(3))
    document = evaluate('--protocol', 'cirl', '--metrics', 'betti',
                        '--empty', 'skip', '--ignore-value', 255)
    found = figures(document)
    assert 'Betti0_error' in found
    strict = figures(evaluate('--protocol', 'cirl', '--ignore-value', 255))
    assert strict['image_F1'] == pytest.approx(found['image_F1'] * 2 / 3)
    assert 'left out of means' in document['done'][
        'an image without crack in its truth is']


def test_threshold_of_probabilities(evaluate, write):
    truth = np.uint8([[1, 1, 0, 0]])
    write('gt/a.png', truth)
    write('pred/a.png', np.uint8([[200, 128, 127, 0]]))
    found = figures(evaluate('--prob'))
    assert (found['Precision'], found['Recall']) == (100, 100)
    found = figures(evaluate('--prob', '--threshold', .7))
    assert (found['Precision'], found['Recall']) == (100, 50)
    found = figures(evaluate('--prob', '--threshold', 0))
    assert (found['Precision'], found['Recall']) == (50, 100)


def test_judged_area_and_crack_that_is_zero(evaluate, write, tmp_path):
    pred, truth = A
    field = np.ones((4, 4), np.uint8)
    field[1] = 0
    write('gt/a.png', mask_picture(1 - truth))
    write('pred/a.png', pred)
    write('fov/a_mask.gif', mask_picture(field))
    found = figures(evaluate(
        '--valid', tmp_path / 'fov', '--valid-suffix', '_mask.gif',
        '--crack-is-zero', 'gt'))
    assert (found['Precision'], found['Recall']) == (100, 100)
    found = figures(evaluate('--crack-is-zero', 'gt'))
    assert (found['Precision'], found['Recall']) == (100, 50)


def test_intervals_are_the_bootstrap_s(evaluate, run_of, tmp_path):
    # Without an image that is left out the draws are those of the mean.
    run_of((0, 1, 3, 4, 5))
    document = evaluate(
        '--ignore-value', 255, '--intervals', '--resamples', 300, '--seed',
        5, '--metrics', 'mba', '--per-image', tmp_path / 'rows.csv')
    mba, _ = document['sets']['prediction']['figures']
    with (tmp_path / 'rows.csv').open() as file:
        values = [float(row['mBA']) for row in csv.DictReader(file)]
    wanted = bootstrap_mean(values, draws=300, level=.95,
                            generator=np.random.default_rng(5))
    assert (mba['value'], mba['low'], mba['high']) == pytest.approx(
        (wanted.estimate, wanted.low, wanted.high))
    assert mba['low'] < mba['value'] < mba['high']


def better(prob, index):
    """Another run: better on image 1, worse on 3, the same elsewhere."""
    truth = crack_image(index)[1]
    if index == 1:
        return np.clip(prob + .4 * truth, .001, .999).astype(np.float32)
    return (prob * (.6 if index == 3 else 1)).astype(np.float32)


def test_comparison_of_two_runs(evaluate, run_of, tmp_path, capsys):
    run_of(range(6))
    run_of(range(6), pred='other', prob=None, gt=None, change=better)
    document = evaluate('--ignore-value', 255, '--compare',
                        tmp_path / 'other', '--resamples', 400,
                        '--per-image', tmp_path / 'rows.csv')
    found = document['comparison']
    # Image 2 has no crack.
    assert found['images']['F1'] == dict(better=1, worse=1, equal=3,
                                         undefined=1)
    assert found['images']['Recall'] == found['images']['F1']
    assert [x['image'] for x in found['most_better']] == ['wall_1']
    assert [x['image'] for x in found['most_worse']] == ['wall_3']
    with (tmp_path / 'rows.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert [row['set'] for row in rows] == ['prediction'] * 6 + [
        'compared'] * 6
    one, two = rows[:6], rows[6:]
    by_name = {f['name']: f for f in found['figures']}
    parts = [[2 * float(r['tp']) for r in x] for x in (one, two)]
    whole = [[2 * float(r['tp']) + float(r['fp']) + float(r['fn'])
              for r in x] for x in (one, two)]
    wanted = paired_bootstrap_ratio(
        parts[0], whole[0], parts[1], whole[1], draws=400, level=.95,
        generator=np.random.default_rng(0))
    f1 = by_name['F1']
    assert (f1['difference'], f1['low'], f1['high']) == pytest.approx(
        [100 * x for x in (wanted.estimate, wanted.low, wanted.high)])
    assert f1['p'] == pytest.approx(wanted.p_value)
    assert f1['difference'] == pytest.approx(f1['second'] - f1['first'])
    assert figures(document, 'compared')['F1'] == f1['second']
    said = capsys.readouterr().out
    assert 'From prediction (first) to compared (second):' in said


def test_a_gain_on_every_image_is_certain(evaluate, run_of, tmp_path):
    run_of((0, 1, 3, 4))
    run_of((0, 1, 3, 4), pred='other', prob=None, gt=None,
           change=lambda p, i: np.where(crack_image(i)[1], .9, p))
    document = evaluate('--ignore-value', 255, '--compare',
                        tmp_path / 'other', '--resamples', 200)
    found = document['comparison']
    assert found['images']['Recall'] == dict(better=4, worse=0, equal=0,
                                             undefined=0)
    recall, = (f for f in found['figures'] if f['name'] == 'image_Recall')
    assert recall['low'] > 0
    assert recall['p'] == 1 / 200
    rows = [figures(document, x)['image_Recall']
            for x in ('prediction', 'compared')]
    assert recall['difference'] == pytest.approx(rows[1] - rows[0])
    wanted = paired_bootstrap_mean(
        [0, 0], [1, 1], draws=200, level=.95,
        generator=np.random.default_rng(0))
    assert wanted.p_value == recall['p']


def test_a_second_annotator_is_a_yardstick(evaluate, write, tmp_path,
                                           capsys):
    for i, (pred, truth) in enumerate([A, B]):
        write(f'gt/{i}.png', truth)
        write(f'pred/{i}.png', pred * np.uint8(180))
        write(f'second/{i}.png', mask_picture(truth))
    document = evaluate('--prob', '--metrics', 'pixel', 'curves',
                        '--second-annotator', tmp_path / 'second')
    assert figures(document)['IoU'] == 37.5
    second = figures(document, 'second annotator')
    assert second['IoU'] == second['image_F1'] == 100
    assert not any('ODS' in key for key in second)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ['IoU', '37.50', '100.00'] in [line[:3] for line in lines]
    assert ['ODS_pixel', '54.55', '-'] in [line[:3] for line in lines]


def test_reports_of_each_format(evaluate, run_of, tmp_path):
    run_of(range(3))
    texts = {}
    for ending in ('json', 'md', 'csv'):
        path = tmp_path / 'new' / f'report.{ending}'
        document = evaluate(
            '--ignore-value', 255, '--intervals', '--resamples', 10,
            '--metrics', 'pixel', 'distance', '--source', 'folder', '--out',
            path)
        texts[ending] = path.read_text()
    stored = json.loads(texts['json'])
    assert stored['sets']['prediction']['figures'][0] == pytest.approx(
        document['sets']['prediction']['figures'][0])
    assert stored['done'] == document['done'] | stored['done']
    rows = list(csv.DictReader(texts['csv'].splitlines()))
    row, = (r for r in rows if r['figure'] == 'F1' and r['source'] == 'all')
    assert float(row['value']) == figures(document)['F1']
    assert float(row['low']) <= float(row['value'])
    assert {r['source'] for r in rows} == {'all', '.'}
    table = [line for line in texts['md'].splitlines()
             if line.startswith('| F1 |')]
    assert len(table) == 1
    assert f'| {figures(document)["F1"]:.2f} |' in table[0]
    assert texts['md'].startswith('# Crack metrics\n\n- predictions: ')


def test_what_is_undefined_is_null_and_said(evaluate, write, tmp_path):
    nothing = np.zeros((4, 4), np.uint8)
    write('gt/a.png', nothing)
    write('pred/a.png', nothing)
    evaluate('--out', tmp_path / 'r.json', '--metrics', 'pixel', 'distance')
    stored = json.loads((tmp_path / 'r.json').read_text())
    values = {f['name']: f['value'] for f in
              stored['sets']['prediction']['figures']}
    assert values['F1'] is None
    assert values['HD'] is None
    assert values['images_without_crack'] == 1


def test_metrics_are_listed(tool, capsys):
    with pytest.raises(SystemExit) as left:
        tool('evaluate').main(['--list-metrics'])
    assert left.value.code == 0
    said = capsys.readouterr().out
    assert 'cldice        clDice and its two halves' in said


@pytest.mark.parametrize(('options', 'words'), [
    (['--pred', 'nowhere'], "prediction folder 'nowhere' does not exist"),
    (['--gt', 'gt/a.png'], "ground truth folder 'gt/a.png' is no folder"),
    (['--pred', 'bare'], "prediction folder 'bare' holds no file that ends "
     'with'),
    (['--pred', 'strange'], "No prediction in 'strange' has the name of a "
     "ground truth in 'gt' (such as 'q' and 'a')"),
    (['--pred', 'small'], "'small/a.png' is 3 x 4 pixels (w x h) but its "
     "image 'gt/a.png' is 4 x 4"),
    (['--pred', 'grey'], 'if it is a probability map, add --prob.'),
    (['--pred', 'broken'], "'broken/a.png' cannot be decoded"),
    (['--pred', 'void'], "'void/a.png' is an empty file"),
    (['--pred', 'gt'], "One folder, 'gt', is given for ground truth and for "
     'prediction'),
    (['--compare', 'pred'], "'pred', is given for prediction and for "
     'compared'),
    (['--pred', 'half'], '1 files of ground truth without prediction '
     "('b.png'); mend the names, or leave them out with --allow-missing"),
    (['--pred', 'twice'], "Two prediction files in 'twice' have the stem "
     "'a'"),
    (['--prob'], 'hold only 0 and 1: they are masks, so leave --prob out'),
    (['--prob', '--pred', 'smallprob'], "'smallprob/a.png' is 3 x 4 pixels"),
    (['--prob', '--pred', 'broken'], "probability map 'broken/a.png' cannot "
     'be decoded'),
    (['--metrics', 'iuo'], "no metric 'iuo'; there are pixel, "),
    (['--metrics', 'curves'], "'curves' needs more than masks: give "
     'probability maps in --pred and add --prob'),
    (['--metrics', 'variance'], 'give variance maps with --variance DIR'),
    (['--protocol', 'zuo'], "no protocol 'zuo'; there are cirl, cbprn, "),
    (['--protocol', 'fphb'], "'curves' needs more than masks"),
    (['--out', 'report.pdf'], 'The report must end with .json, .md, .csv, '
     "got 'report.pdf'"),
    (['--out', 'gt/a.png/r.json'], "'gt/a.png/r.json' cannot be written"),
    (['--per-image', 'bare.csv'], "'bare.csv' cannot be written"),
    (['--per-image', 'rows.txt'], 'must end with .csv'),
    (['--threshold', '.5'], '--threshold needs --prob'),
    (['--prob', '--threshold', '50'], 'from 0 to 1, got 50.0'),
    (['--workers', '0'], '--workers must be at least 1'),
    (['--resamples', '0'], '--resamples must be at least 1'),
    (['--source', '('], "'folder' or a regular expression"),
    (['--ignore-value', '1'], 'ignore_value must lie in 2...255'),
    (['--valid', 'half'], 'ground truth without judged area'),
    (['--second-annotator', 'pred'], 'given for prediction and for second'),
    (['--compare', 'grey', '--variance', 'small'], '--variance belongs to '
     'one run'),
    (['--pred-suffix', '.xyz'], 'no file that ends with .xyz'),
])
def test_wrong_input_ends_in_one_sentence(run, write, tmp_path, monkeypatch,
                                          options, words):
    monkeypatch.chdir(tmp_path)
    pred, truth = A
    for name in 'ab':
        write(f'gt/{name}.png', truth)
        write(f'pred/{name}.png', pred)
        write(f'small/{name}.png', pred[:, :3])
        write(f'smallprob/{name}.png', pred[:, :3] * np.uint8(200))
        write(f'grey/{name}.png', np.arange(16, dtype=np.uint8).reshape(4, 4))
        write(f'broken/{name}.png', pred)
        write(f'void/{name}.png', pred)
        write(f'twice/{name}.png', pred)
        write(f'twice/{name}.bmp', pred)
    write('strange/q.png', pred)
    write('half/a.png', pred)
    (tmp_path / 'broken/a.png').write_bytes(
        (tmp_path / 'gt/a.png').read_bytes()[:45])
    (tmp_path / 'void/a.png').write_bytes(b'')
    (tmp_path / 'bare').mkdir()
    (tmp_path / 'bare.csv').mkdir()
    code, said = run('evaluate', '--pred', 'pred', '--gt', 'gt', *options)
    assert code == 2
    assert 'Traceback' not in said
    errors = [line for line in said.splitlines() if 'error' in line]
    assert len(errors) == 1
    assert errors[0].startswith('evaluate.py: error: ')
    assert words in errors[0]


def test_what_is_missing_is_left_out_and_said(evaluate, write, capsys):
    for name in 'ab':
        write(f'gt/{name}.png', A[1])
    write('pred/a.png', A[0])
    write('pred/c.png', A[0])
    document = evaluate('--allow-missing')
    assert document['images'] == 1
    said = capsys.readouterr().out
    assert 'left out, ground truth without prediction: 1 (b.png)' in said
    assert 'left out, prediction without ground truth: 1 (c.png)' in said
