"""The leak of DeepCrack's official split, found without knowing it."""

import os
import shutil
from pathlib import Path

import pytest

from mmcrack.datasets.doctor.examination import examine
from mmcrack.datasets.doctor.sources import from_layout

# A sample: what leaks, enough overlapping crops to confirm the rule of the
# names, and photographs that do not leak.
SAMPLE = {
    'train': ('11142', '11158', '11289-1', '11289-2', '11289-3', '11289-4',
              'IMG_6536-6', '11125', '11111'),
    'test': ('11142-1', '11142-2', '11216', '11289-1', '11289-2', '11289-4',
             'IMG_6536-1', 'IMG_6536-7', '11258-1', '11258-2'),
}


@pytest.fixture(scope='module')
def examined(tmp_path_factory):
    data = os.environ.get('MMCRACK_DATA')
    if not data or not (Path(data) / 'deepcrack').is_dir():
        pytest.skip('MMCRACK_DATA has no data set deepcrack')
    root = tmp_path_factory.mktemp('deepcrack')
    for split, stems in SAMPLE.items():
        for kind, ending in (('images', 'jpg'), ('masks', 'png')):
            (root / kind / split).mkdir(parents=True)
            for stem in stems:
                source = Path(data) / 'deepcrack' / kind / split
                if (source / f'{stem}.{ending}').is_file():
                    shutil.copyfile(source / f'{stem}.{ending}',
                                    root / kind / split / f'{stem}.{ending}')
    return examine(from_layout(root))


def entries(examined, key, severity):
    finding, = (f for f in examined.findings
                if (f.key, f.severity) == (key, severity))
    return [e.files for e in finding.entries]


def test_one_photograph_under_two_names(examined):
    assert entries(examined, 'similar', 'grave') == [
        ('test/11216', 'train/11158')]


def test_crops_of_three_photographs_in_both_splits(examined):
    found = {e[0].split('/')[1].rsplit('-', 1)[0]: e
             for e in entries(examined, 'crops', 'grave')}
    assert found['11142'] == (
        'test/11142-1', 'test/11142-2', 'train/11142')
    assert found['11289'] == (
        'test/11289-1', 'test/11289-2', 'test/11289-4', 'train/11289-1',
        'train/11289-2', 'train/11289-3', 'train/11289-4')
    # These crops share no pixel: the confirmed rule of the names tells.
    assert found['IMG_6536'] == (
        'test/IMG_6536-1', 'test/IMG_6536-7', 'train/IMG_6536-6')
    assert len(found) == 3


def test_nothing_else_is_grave(examined):
    assert {f.key for f in examined.findings if f.severity == 'grave'} == {
        'similar', 'crops'}
