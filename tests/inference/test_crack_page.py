"""The inspection report: its numbers by hand, its pictures, a browser."""

import json

import numpy as np
import pytest
from browser import run_in_page
from page_reader import read_page
from PIL import Image

from mmcrack.inference.crack_page import (
    PageLimits,
    ReportHook,
    write_crack_page,
)
from mmcrack.inference.crack_pictures import on_glass
from mmcrack.inference.folder import infer_folder
from mmcrack.inference.survey import take_survey

SIZE = (120, 200)


def bars(*spans):
    """A mask with a bar of 160 pixels for each (row, width)."""
    mask = np.zeros(SIZE, np.uint8)
    for row, width in spans:
        mask[row:row + width, 20:180] = 255
    return mask


@pytest.fixture
def write_run(tmp_path):
    """Write what the inferencer writes, from masks by name."""

    def write(masks, *, failed=(), probability=False, photographs=True):
        out = tmp_path / 'run'
        records = []
        for name, mask in masks.items():
            files = dict(mask=f'masks/{name}.png')
            path = out / files['mask']
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(mask).save(path)
            if probability:
                files['probability'] = f'probabilities/{name}.png'
                path = out / files['probability']
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(mask // 255 * 230 + 10).save(path)
                files['variance'] = f'variances/{name}.npy'
                path = out / files['variance']
                path.parent.mkdir(parents=True, exist_ok=True)
                np.save(path, (mask / 510).astype(np.float16))
            photograph = tmp_path / 'photos' / f'{name}.png'
            if photographs:
                photograph.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(np.dstack([180 - mask // 2] * 3)).save(
                    photograph)
            records.append(dict(
                name=name, file=str(photograph), files=files, hooks={},
                figures=dict(width=mask.shape[1], height=mask.shape[0],
                             crack_share_percent=100 * np.count_nonzero(
                                 mask) / mask.size)))
        (out / 'summary.json').write_text(json.dumps(dict(
            photographs=len(records), done=len(records),
            failed=list(failed), records=records)))
        (out / 'settings.json').write_text(json.dumps(dict(threshold=.5)))
        return out

    return write


@pytest.fixture
def page_of(tmp_path):

    def write(survey, **options):
        path = tmp_path / 'report' / 'index.html'
        write_crack_page(survey, path, **options)
        return read_page(path), path

    return write


def test_numbers_of_bars(write_run, page_of):
    out = write_run({'a': bars((10, 3), (60, 8)), 'b': bars((50, 5)),
                     'c': bars()})
    survey = take_survey(out, scale_of=lambda record: .1,
                         limits=[.4, .6])
    a, b, c = survey.found
    assert [f.widest for f in survey.found[:2]] == pytest.approx(
        [.8, .5], abs=.02)
    assert np.isnan(c.widest)
    assert (a.length, b.length, c.length) == pytest.approx((32, 16, 0),
                                                           rel=.02)
    by_class = {x['name']: x for x in survey.by_class()}
    assert list(by_class) == ['above 0.6 mm', '0.4 to 0.6 mm',
                              'up to 0.4 mm']
    for name, photographs in (('above 0.6 mm', 1), ('0.4 to 0.6 mm', 1),
                              ('up to 0.4 mm', 0)):
        assert by_class[name]['photographs'] == photographs
        assert by_class[name]['cracks'] == 1
        assert by_class[name]['length'] == pytest.approx(16, rel=.02)
        assert by_class[name]['share'] == pytest.approx(100 / 3, rel=.02)
    page, _ = page_of(survey)
    assert page.table('width')['above 0.6 mm'][:2] == ['1', '1']
    rows = page.table('photograph')
    assert list(rows) == ['a', 'b', 'c']
    assert rows['a'][:3] == ['0.80', 'above 0.6 mm', '2']
    assert rows['c'][:3] == ['–', '–', '0']
    cracks = page.table('photograph / crack')
    assert [row[0] for row in cracks.values()] == ['0.80', '0.50', '0.30']
    histogram = page.table('width, mm')
    # Each bar lies in the bin that its width is in.
    assert sum(float(row[0]) for row in histogram.values()) == pytest.approx(
        48, rel=.02)


def test_no_place_of_the_histogram_is_wider_than_the_widest(write_run):
    mask = bars((50, 6))
    mask[10:110, 100:104] = 255     # a crossing: no width is known there
    found, = take_survey(write_run({'a': mask})).found
    assert found.widths.max() <= found.widest + 1e-4
    assert found.lengths.sum() == pytest.approx(found.length, rel=1e-5)


def test_short_cracks_can_be_left_out(write_run, page_of):
    mask = bars((30, 4))
    mask[80:83, 20:40] = 255
    out = write_run({'a': mask})
    for least, count in ((0, 2), (9, 2), (11, 1), (81, 0)):
        survey = take_survey(out, scale_of=lambda record: .5,
                             min_length=least)
        assert len(survey.found[0].cracks) == count
    page, _ = page_of(survey)
    assert 'cracks shorter than 81 mm' in page.text


def test_histogram_by_hand(write_run):
    survey = take_survey(write_run({'a': bars((50, 5))}))
    found = survey.found[0]._replace(
        widths=np.float32([1, 2, 2.5, 4, 30]),
        lengths=np.float32([10, 20, 30, 139, 1]))
    edges, lengths = survey._replace(found=[found]).histogram(most=4)
    # 99 % of the length is at most 4 wide; 1 belongs to the first bin.
    assert edges == [0, 1, 2, 3, 4]
    assert lengths == [10, 20, 30, 140]
    assert survey._replace(found=[found]).histogram(most=24)[0][1] == .2


def test_pictures_keep_the_page_s_limit(write_run, page_of):
    rng = np.random.default_rng(0)
    masks = {f'p{n}': bars((10 + n, 3 + n)) for n in range(4)}
    out = write_run(masks, probability=True)
    for name in masks:
        Image.fromarray(rng.integers(0, 256, (*SIZE, 3), np.uint8)).save(
            out.parent / 'photos' / f'{name}.png')
    survey = take_survey(out)
    _, large = page_of(survey)
    whole = large.stat().st_size
    page, small = page_of(survey, limits=PageLimits(megabytes=.12,
                                                    photographs=3))
    frame = len(page.text) - sum(len(i['src']) for i in page.images)
    assert small.stat().st_size - frame <= .12e6
    assert whole > 2 * small.stat().st_size
    # The narrowest stands in the tables only.
    assert 'photograph-4' not in page.ids
    assert 'Not shown are 1 of 4 photographs' in page.text
    assert 'p0' in page.table('photograph')


def test_layers_show_what_was_found(write_run, page_of):
    page, _ = page_of(take_survey(write_run({'a': bars((50, 6))},
                                            probability=True)))
    layers = {i['data-layer']: p for i, p in zip(
        page.images, page.pictures(), strict=True) if 'data-layer' in i}
    assert list(layers) == ['image', 'variance', 'probability', 'mask',
                            'widths']
    crack = bars((50, 6)) > 0
    for name in ('variance', 'probability', 'mask'):
        alpha = np.array(layers[name].convert('RGBA'))[..., 3]
        assert (alpha[crack] > 150).all()
        assert (alpha[~crack] < 30).all()
    drawn = np.array(layers['widths'].convert('RGBA'))
    assert drawn[52, 100, 3] > 200
    assert (drawn[100:] == 0).all()
    photograph = np.array(layers['image'].convert('L')).astype(int)
    assert abs(photograph[~crack].mean() - 180) < 3


@pytest.mark.parametrize('probability', [False, True])
def test_it_says_where_the_spread_of_a_width_comes_from(
        write_run, page_of, probability):
    page, _ = page_of(take_survey(write_run({'a': bars((50, 6))},
                                            probability=probability)))
    row, = page.table('photograph / crack').values()
    assert (row[1] != '–') == probability
    assert ('is one standard deviation' in page.text) == probability
    assert ('is known to a run with --probability' in page.text) == (
        not probability)


def test_without_photographs_or_cracks_it_says_so(write_run, page_of):
    out = write_run({'a': bars()}, photographs=False,
                    failed=[dict(file='x.jpg', reason='is empty')])
    page, _ = page_of(take_survey(out))
    assert 'no crack was found' in page.text
    assert 'The photograph is not shown: ' in page.text
    assert page.table('file') == {'x.jpg': ['is empty']}
    assert page.titles == ['Photographs', 'Pictures',
                           'Photographs that failed']


def test_a_drawing_on_glass_has_its_colours():
    def draw(picture):
        out = picture.copy()
        out[0, 0] = (10, 200, 30)
        out[0, 1] = np.round(.5 * out[0, 1] + .5 * np.array([200, 0, 100]))
        return out

    found = on_glass(draw, (1, 3))
    assert found[0, 0].tolist() == [10, 200, 30, 255]
    assert found[0, 1] == pytest.approx([200, 0, 100, 128], abs=3)
    assert found[0, 2, 3] == 0


def test_at_the_end_of_a_run(inferencer, photograph, tmp_path):
    (tmp_path / 'photos').mkdir()
    for n in range(2):
        Image.fromarray(photograph(seed=n)).save(
            tmp_path / 'photos' / f'{n}.png')
    (tmp_path / 'photos' / 'bad.png').write_bytes(b'')
    infer_folder(inferencer, [str(tmp_path / 'photos')], tmp_path / 'out',
                 show=False, run_hooks=[ReportHook(lambda record: .5)])
    page = read_page(tmp_path / 'out' / 'report' / 'index.html')
    rows = page.table('photograph')
    assert set(rows) == {'0', '1'}
    # The dark line is 4 pixels wide, at half a millimetre each.
    assert all(float(row[0]) == pytest.approx(2, abs=.2)
               for row in rows.values())
    reason, = next(iter(page.table('file').values()))
    assert 'empty file' in reason


def test_page_works_in_a_browser(write_run, page_of, tmp_path):
    _, path = page_of(take_survey(write_run(
        {'a': bars((50, 6)), 'b': bars((50, 3))}, probability=True)))
    told = run_in_page(path, """
        const img = (key) => document.querySelector(
          `img[data-layer=${key}]`);
        const keys = ['image', 'variance', 'probability', 'mask', 'widths'];
        told.first = keys.filter((key) => !img(key).hidden);
        for (const key of keys) {
          document.querySelector(`input[data-layer=${key}]`).click();
        }
        told.then = keys.filter((key) => !img(key).hidden);
        told.broken = [...document.images].filter(
          (i) => !i.naturalWidth).length;
        told.wide = document.documentElement.scrollWidth > innerWidth;
        """, tmp_path, size=(500, 844))
    assert told == dict(
        first=['image', 'widths'], then=['variance', 'probability', 'mask'],
        broken=0, wide=False)
