"""Annotated images to a data set, by each of the three formats."""

import json

import numpy as np
import pytest
from converter_sources import (
    HEIGHT,
    WIDTH,
    photograph,
    stems,
    stored_mask,
)
from PIL import Image

from mmcrack.datasets.annotations import AnnotatedImage, polygon_shapes
from mmcrack.datasets.coco import coco_text
from mmcrack.datasets.converted import read_manifest
from mmcrack.datasets.cvat import cvat_text
from mmcrack.datasets.labelme import labelme_text

SQUARE = np.array([[2, 1], [6, 1], [6, 4], [2, 4]])
NAMES = [f'wall{n}_{part}.jpg' for n in range(5) for part in 'ab']


def annotated(names, label='crack'):
    return [
        AnnotatedImage(
            name=name, size=(HEIGHT, WIDTH), source='',
            shapes=tuple(polygon_shapes([SQUARE], label=label)))
        for name in names]


def write(root, kind, images):
    """A file of COCO or CVAT, or a folder of labelme."""
    if kind == 'coco':
        path = root / 'annotations.json'
        path.write_text(coco_text(images))
    elif kind == 'cvat':
        path = root / 'annotations.xml'
        path.write_text(cvat_text(images))
    else:
        path = root / 'annotations'
        path.mkdir(exist_ok=True)
        for image in images:
            (path / f'{image.name[:-4]}.json').write_text(
                labelme_text(image, image_path=f'../photos/{image.name}'))
    return path


@pytest.fixture
def photos(tmp_path):
    for seed, name in enumerate(NAMES):
        photograph(tmp_path / 'photos' / name, seed=seed)
    return tmp_path / 'photos'


@pytest.mark.parametrize('kind', ['coco', 'labelme', 'cvat'])
class TestEachFormat:
    def test_masks_and_splits(self, kind, photos, run, tmp_path):
        images = annotated(NAMES)
        path = write(tmp_path, kind, images)
        options = '--split', 0.6, 0.2, 0.2, '--group-by', '^wall.'
        status, _, err = run('polygons', path, photos, tmp_path / 'out',
                             *options)
        assert status == 0, err
        manifest = read_manifest(tmp_path / 'out')
        assert manifest['settings']['format'] == kind
        assert manifest['counts'] == {'train': 6, 'val': 2, 'test': 2}
        for names in stems(tmp_path / 'out').values():
            walls = [stem[:5] for stem in names]
            assert all(walls.count(wall) == 2 for wall in walls)
        wanted = np.zeros((HEIGHT, WIDTH), np.uint8)
        wanted[1:4, 2:6] = 1
        for record in manifest['images']:
            np.testing.assert_array_equal(stored_mask(
                tmp_path / 'out', record['split'], record['stem']), wanted)

    def test_bad_input(self, kind, photos, run, fails, tmp_path):
        args = 'polygons', write(tmp_path, kind, annotated(NAMES)), photos
        args = *args, tmp_path / 'out'
        assert "no shape is labelled 'rift'; the labels are 'crack' (10)" in (
            fails(*args, '--crack-label', 'rift'))
        assert 'got both for crack' in fails(*args, '--ignore-label', 'Crack')
        assert '--line-width must be above 0 pixels, got 0.0' in fails(
            *args, '--line-width', 0)
        assert 'add up to 1' in fails(*args, '--split', 1, 1, 1)
        photograph(photos / 'bare.jpg', seed=50)
        (photos / NAMES[0]).unlink()
        assert ('got 1 images without annotation and 1 annotations without '
                "image (first: 'bare.jpg')") in fails(*args)
        _, text, _ = run(*args, '--allow-partial')
        assert 'left out, no annotation: 1 (bare.jpg)' in text
        assert f'left out, no image: 1 ({NAMES[0]})' in text
        photograph(photos / NAMES[1], seed=1, size=(HEIGHT, WIDTH + 3))
        assert ('must be annotated at the size of its image, 15x8, got 12x8'
                ) in fails(*args, '--allow-partial', '--overwrite')
        assert 'there is no folder of images' in fails(
            *args[:2], tmp_path / 'nowhere', args[3])
        assert 'is named in' in fails(
            *args[:2], tmp_path / 'out/splits', args[3], '--allow-partial')
        assert 'there are no annotations' in fails(
            args[0], tmp_path / 'nothing.xml', *args[2:])


def test_labels_that_no_option_names_are_told(photos, run, tmp_path):
    images = annotated(NAMES[:8]) + annotated(NAMES[8:], label='stain')
    path = write(tmp_path, 'coco', images)
    args = 'polygons', path, photos, tmp_path / 'out', '--split', 0, 0, 1
    _, text, _ = run(*args)
    assert ('warning: background, because no option names their label: 2 '
            "shapes 'stain'") in text
    _, text, _ = run(*args, '--ignore-label', 'stain', '--overwrite')
    assert 'warning' not in text
    found = stored_mask(tmp_path / 'out', 'test', NAMES[9][:-4])
    assert ((found == 255).sum(), (found == 1).sum()) == (12, 0)


def test_lines(photos, run, fails, tmp_path):
    path = write(tmp_path, 'labelme', annotated(NAMES))
    for name in NAMES:
        file = path / f'{name[:-4]}.json'
        content = json.loads(file.read_text())
        content['shapes'][0] |= dict(
            shape_type='linestrip', points=[[-3, 4], [30, 4]])
        file.write_text(json.dumps(content))
    args = 'polygons', path, photos, tmp_path / 'out', '--split', 1, 0, 0
    assert ("wall0_a.json: wall0_a.jpg holds a line labelled 'crack', which "
            'has no width of its own') in fails(*args)
    assert run(*args, '--line-width', 2)[0] == 0
    manifest = read_manifest(tmp_path / 'out')
    assert {r['crack_share'] for r in manifest['images']} == {.25}


def test_a_turned_photograph(photos, run, fails, tmp_path):
    """Tools turn it upright first; one that does not is found out."""
    exif = Image.Exif()
    exif[274] = 6
    pixels = np.zeros((WIDTH, HEIGHT, 3), np.uint8)
    Image.fromarray(pixels).save(photos / NAMES[0], exif=exif)
    path = write(tmp_path, 'cvat', annotated(NAMES))
    args = 'polygons', path, photos, tmp_path / 'out'
    assert run(*args)[0] == 0
    Image.fromarray(np.zeros((HEIGHT, WIDTH, 3), np.uint8)).save(
        photos / NAMES[0], exif=exif)
    assert 'did not turn the photograph as its EXIF mark says' in fails(
        *args, '--overwrite')
