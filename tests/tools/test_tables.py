"""Descriptions of tables: ours against a second typing, and wrong ones."""

import sys
from pathlib import Path

import pytest
import yaml

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
TABLES = sorted((CONFIGS / 'baselines/tables').glob('*.yaml'))
PRF = ('image_Precision', 'image_Recall', 'image_F1')
# Typed from the papers a second time, some rows of each table.
TYPED = {
    'cirl_table2_cracktree200': {
        'UNet': (79.16, 78.95, 78.42), 'TopoNet': (81.85, 77.80, 79.03),
        'JTFN': (85.87, 82.58, 84.19), 'JTFN + CIRL': (87.62, 83.92, 86.53)},
    'cirl_table2_crack500': {
        'VGG-UNet': (58.18, 60.26, 51.79), 'DRU': (61.94, 71.43, 62.82),
        'Crackformer': (69.13, 66.24, 64.75),
        'JTFN + CIRL': (70.32, 69.93, 67.62)},
    'cirl_table2_drive': {
        'UNet': (82.74, 80.59, 81.41), 'VGG-UNet': (81.17, 82.05, 81.25),
        'TopoNet': (82.94, 80.29, 81.36), 'DRU': (84.36, 80.82, 82.30),
        'Crackformer': (83.05, 81.19, 83.25), 'JTFN': (82.71, 83.40, 82.81),
        'JTFN + CIRL': (84.57, 82.95, 84.32)},
    'cirl_table2_crackseg5k': {
        'UNet': (61.49, 57.19, 56.28), 'VGG-UNet': (63.21, 56.83, 55.92),
        'Crackformer': (66.29, 59.19, 58.83), 'JTFN': (65.14, 58.33, 58.42)},
    'cirl_table3': {
        'Focal Loss': (65.71, 58.94, 58.85),
        'Robust Dice Loss': (64.23, 57.83, 59.06),
        'clDice Loss': (64.31, 58.49, 59.32),
        'Poly Loss': (66.14, 57.35, 59.56),
        'Robust T-Loss': (65.72, 58.14, 58.84), 'CIRL': (67.37, 59.46, 60.08),
        'BCE': (65.14, 58.33, 58.42)},
    'cirl_table4': {'Phase I': (65.17, 58.78, 58.57),
                    'Phase I + phase II': (67.37, 59.46, 60.08)},
    'cirl_table5': {'NNCLR': (65.45, 58.91, 58.95),
                    'CI Loss': (67.37, 59.46, 60.08)},
    'cbprn_table3': {
        'PointRend on FCN-18': (78.36, 79.25, 81.37, 83.21, 86.98, 85.21,
                                7.83),
        'PointRend on DeepLabV3+': (80.36, 80.34, 82.60, 83.33, 87.14, 85.28,
                                    3.65),
        'PointRend on RefineNet': (81.28, 82.31, 83.73, 83.38, 87.29, 85.33,
                                   3.49)},
}
HR = ('coarse/mIoU', 'coarse/mBA', 'coarse/Dice', 'mIoU', 'mBA', 'Dice',
      'images_per_second')


@pytest.fixture
def tables(tool, monkeypatch):
    monkeypatch.setattr(sys, 'path', list(sys.path))
    return tool('benchmark/tables')


def test_the_tables_of_both_papers_are_there():
    assert {path.stem for path in TABLES} == {
        *TYPED, 'cirl_table2_mini_deepcrack', 'cirl_table2_mini_drive',
        'cirl_table3_mini_deepcrack', 'cbprn_table3_mini'}


@pytest.mark.parametrize('name', TYPED)
def test_the_papers_figures(tables, name):
    table = tables.read_table(
        CONFIGS / f'baselines/tables/{name}.yaml', CONFIGS)
    rows = {row.name: row for row in table.rows}
    keys = HR if name.startswith('cbprn') else PRF
    for row, figures in TYPED[name].items():
        assert rows[row].paper == dict(zip(keys, figures, strict=True)), row


def test_minis_have_the_papers_figures_of_the_full_tables(tables):
    def papers(name):
        table = tables.read_table(
            CONFIGS / f'baselines/tables/{name}.yaml', CONFIGS)
        return {row.name: row.paper for row in table.rows if row.paper}

    assert papers('cirl_table2_mini_drive') == papers('cirl_table2_drive')
    assert papers('cirl_table3_mini_deepcrack') == papers('cirl_table3')
    assert papers('cbprn_table3_mini') == papers('cbprn_table3')
    assert papers('cirl_table2_mini_deepcrack') == {}
    # Facts that the papers state in their text, too.
    hr = papers('cbprn_table3')
    assert hr['CBPRN'] == dict(mIoU=87.23, mBA=93.56, Dice=89.59,
                               images_per_second=13.45)
    assert hr['CBPRN']['mBA'] - hr['PointRend on RefineNet'][
        'mBA'] == pytest.approx(6.27)
    for data, gain in (('cracktree200', 2.34), ('crack500', 1.86)):
        rows = papers(f'cirl_table2_{data}')
        assert rows['JTFN + CIRL']['image_F1'] - rows['JTFN'][
            'image_F1'] == pytest.approx(gain)


@pytest.mark.parametrize('path', TABLES, ids=lambda path: path.stem)
def test_every_row_has_its_config(tables, path):
    table = tables.read_table(path, CONFIGS)
    missing = [str(row.config.relative_to(CONFIGS)) for row in table.rows
               if row.config and not row.config.is_file()]
    assert missing == []
    assert table.test_on is None or table.test_on.is_file()


GOOD = """
title: T
columns: [{key: IoU, label: I}, {key: Dice}]
budget: {max_iters: 4, seeds: [3]}
rows:
- {name: b, config: b.py, checkpoint: a}
- {name: c, config: c.py, cfg_options: {x.y: 'at ${checkpoint:b}'}, length: .5}
- {name: a, config: a.py, paper: {IoU: 1.5}, show: false}
- {name: q, train: false, paper: {Dice: 7}}
"""


def test_rows_stand_behind_those_that_they_need(tables, tmp_path):
    path = tmp_path / 'good.yaml'
    path.write_text(GOOD)
    table = tables.read_table(path, tmp_path)
    assert [row.name for row in table.rows] == ['a', 'q', 'b', 'c']
    assert table.order == ['b', 'c', 'a', 'q']
    a, q, b, c = table.rows
    assert (b.sources, c.sources, a.sources) == (['a'], ['b'], [])
    assert (q.config, a.config) == (None, tmp_path / 'a.py')
    assert (table.seeds, table.max_iters, table.epochs) == ([3], 4, None)
    assert (a.show, b.show, c.length) == (False, True, .5)
    assert table.columns == [tables.Column('IoU', 'I', '%', 2),
                             tables.Column('Dice', 'Dice', '%', 2)]


@pytest.mark.parametrize(('change', 'words'), [
    (dict(titel='x'), r"unknown key 'titel'.* Did you mean 'title'"),
    (dict(title=''), "lacks 'title'"),
    (dict(rows={}), "lacks 'rows'"),
    (dict(rows={'a': 1}), 'rows wants a list, got dict'),
    (dict(columns=[dict(label='x')]), "a column lacks 'key'"),
    (dict(columns=[dict(key='x'), dict(key='x')]), "columns has 'x' twice"),
    (dict(rows=[dict(name='a', config='a.py')] * 2), "rows has 'a' twice"),
    (dict(rows=[dict(name='a')]), "row 'a' lacks config.*train: false"),
    (dict(rows=[dict(name='a', config='a.py', paper=dict(P=1))]),
     "row 'a': paper has an unknown key 'P'"),
    (dict(rows=[dict(name='a', config='a.py', paper=dict(IoU='1'))]),
     "paper: IoU wants a number, got '1'"),
    (dict(rows=[dict(name='a', config='a.py', checkpoint='z')]),
     "needs the checkpoint of a row 'z', which is not there"),
    (dict(rows=[dict(name='a', config='a.py', checkpoint='b'),
                dict(name='b', train=False)]), "'b', which is only quoted"),
    (dict(rows=[dict(name='a', config='a.py', checkpoint='b'),
                dict(name='b', config='a.py', load_from='a')]),
     'need the checkpoints of each other'),
    (dict(rows=[dict(name='a', config='a.py', checkpoint='x.pth',
                     load_from='y.pth')]), 'choose one'),
    (dict(rows=[dict(name='a', config='a.py', train=False,
                     load_from='y.pth')]), 'name a checkpoint'),
    (dict(rows=[dict(name='a', config='a.py', train='no')]),
     'train wants true or false'),
    (dict(rows=[dict(name='a', config='a.py', length=0)]),
     'length wants a share'),
    (dict(budget=dict(epochs=0)), 'epochs wants a whole number of at least 1'),
    (dict(budget=dict(seeds=[])), 'seeds wants a list'),
    (dict(budget=dict(epoch=3)), "unknown key 'epoch'"),
    (dict(flops_size=[512]), 'flops_size wants'),
    (dict(baseline='x'), "no row 'x' is shown")])
def test_wrong_descriptions_end_in_one_sentence(tables, tmp_path, change,
                                                words):
    content = dict(yaml.safe_load(GOOD), **change)
    path = tmp_path / 'bad.yaml'
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(tables.TableError, match=words) as error:
        tables.read_table(path, tmp_path)
    assert str(error.value).startswith('bad.yaml')


def test_what_is_no_table(tables, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'no\.yaml'):
        tables.read_table(tmp_path / 'no.yaml', tmp_path)
    (tmp_path / 'a.yaml').write_text('a: [')
    with pytest.raises(tables.TableError, match='is no YAML'):
        tables.read_table(tmp_path / 'a.yaml', tmp_path)
    (tmp_path / 'a.yaml').write_text('just words')
    with pytest.raises(tables.TableError, match='wants keys and values'):
        tables.read_table(tmp_path / 'a.yaml', tmp_path)
