"""Masks to annotation files and back again."""

import json
import re

import cv2
import numpy as np
import pytest
from converter_sources import content, mask, photograph, stored_mask

from mmcrack.datasets.synthetic import generate_scene

SEEDS = (3, 7, 11)
SIZE = (192, 224)
OUT = {'coco': 'out.json', 'cvat': 'out.xml', 'labelme': 'out'}


@pytest.fixture(scope='module')
def scenes():
    return {f'{seed}': generate_scene(seed, SIZE).mask for seed in SEEDS}


@pytest.fixture
def folders(scenes, tmp_path):
    """Predictions of generated cracks beside images of their names."""
    for stem, crack in scenes.items():
        mask(tmp_path / f'masks/{stem}.png', array=crack * 255)
        photograph(tmp_path / f'photos/{stem}.jpg', seed=int(stem), size=SIZE)
    return tmp_path / 'masks', tmp_path / 'photos'


@pytest.mark.parametrize('kind', OUT)
class TestRoundTrip:
    @pytest.mark.parametrize(('tolerance', 'lowest', 'pooled'), [
        (0, 1, 1), (.25, 1, 1), (.5, .9, .97), (1, .9, .93)])
    def test_iou(self, kind, folders, scenes, run, tmp_path, tolerance,
                 lowest, pooled):
        """Mask to polygons to mask, through files, on generated cracks."""
        out = tmp_path / OUT[kind]
        status, text, err = run(
            'to_polygons', *folders, out, '--format', kind, '--tolerance',
            tolerance)
        assert status == 0, err
        back = tmp_path / 'back'
        status, _, err = run('polygons', out, folders[1], back, '--split',
                             0, 0, 1)
        assert status == 0, err
        ious = []
        for stem, crack in scenes.items():
            found = stored_mask(back, 'test', stem)
            ious.append((found & crack).sum() / (found | crack).sum())
        assert min(ious) >= lowest
        told = re.search(r'([\d.]+) in all, ([\d.]+) lowest', text)
        assert float(told[2]) == round(min(ious), 4)
        assert float(told[1]) >= pooled

    def test_labelled_and_ignored(self, kind, folders, run, tmp_path):
        """A converted mask of {0, 1, 255} comes back whole."""
        labels = np.zeros(SIZE, np.uint8)
        cv2.circle(labels, (60, 60), 30, 255, -1)
        cv2.line(labels, (0, 60), (200, 70), 1, 3)
        cv2.circle(labels, (150, 120), 40, 1, 5)
        for path in folders[0].iterdir():
            mask(path, array=labels)
        out = tmp_path / OUT[kind]
        args = 'to_polygons', *folders, out, '--format', kind
        run(*args, '--tolerance', 0, '--ignore-value', 255, '--ignore-label',
            'unsure', '--label', 'rift')
        run('polygons', out, folders[1], tmp_path / 'back', '--split', 0, 0,
            1, '--crack-label', 'rift', '--ignore-label', 'unsure')
        np.testing.assert_array_equal(
            stored_mask(tmp_path / 'back', 'test', '7'), labels)

    def test_bad_input(self, kind, folders, run, fails, tmp_path):
        out = tmp_path / OUT[kind]
        args = 'to_polygons', *folders, out, '--format', kind
        assert '--tolerance must be >= 0 pixels, got -1.0' in fails(
            *args, '--tolerance', -1)
        assert '--min-iou must lie in [0, 1], got 1.5' in fails(
            *args, '--min-iou', 1.5)
        assert '--min-area must be >= 0 pixels, got -3' in fails(
            *args, '--min-area', -3)
        assert '--ignore-label needs --ignore-value' in fails(
            *args, '--ignore-label', 'x')
        assert 'got 0 without, and no pair' in fails(
            *args, '--mask-suffix', '_m.png')
        assert 'There is no mask folder' in fails(
            args[0], tmp_path / 'no', *args[2:])
        assert not out.exists()
        assert run(*args)[0] == 0
        before = content(tmp_path)
        assert 'is there already; name another place, or replace it with' in (
            fails(*args, '--tolerance', 2))
        assert content(tmp_path) == before
        assert run(*args, '--tolerance', 2, '--overwrite')[0] == 0
        assert content(tmp_path) != before
        mask(folders[0] / '7.png', size=(9, 9))
        assert '9 x 9 pixels (w x h) but its image' in fails(
            *args, '--overwrite')
        mask(folders[0] / '7.png', value=3, size=SIZE)
        assert 'holds {0, 3}' in fails(*args, '--overwrite')
        (folders[1] / '7.jpg').unlink()
        assert "got 1 without (first: '7.png')" in fails(*args, '--overwrite')


def test_labelme_points_to_the_images(folders, run, tmp_path):
    out = tmp_path / 'deep' / 'out'
    run('to_polygons', *folders, out, '--format', 'labelme')
    assert sorted(p.name for p in out.iterdir()) == [
        '11.json', '3.json', '7.json']
    found = json.loads((out / '3.json').read_text())
    assert found['imagePath'] == '../../photos/3.jpg'
    assert (found['imageHeight'], found['imageWidth']) == SIZE
    assert (out / found['imagePath']).resolve() == folders[1] / '3.jpg'


def test_holes_and_empty_masks(folders, run, tmp_path):
    """A ring is one polygon; nothing is no polygon."""
    ring = np.zeros(SIZE, np.uint8)
    cv2.circle(ring, (90, 90), 50, 255, 9)
    mask(folders[0] / '3.png', array=ring)
    mask(folders[0] / '7.png', array=ring * 0)
    (folders[0] / '11.png').unlink()
    args = 'to_polygons', *folders, tmp_path / 'out.json', '--format', 'coco'
    _, text, _ = run(*args, '--tolerance', 0)
    assert text.startswith('2 masks, 1 polygons of ')
    assert '1.0000 in all, 1.0000 lowest' in text
    found = json.loads((tmp_path / 'out.json').read_text())
    assert [i['file_name'] for i in found['images']] == ['3.jpg', '7.jpg']
    (only, ) = found['annotations']
    assert only['area'] == (ring > 0).sum()
