"""Labels outside a camera's field of view."""

import numpy as np
import pytest
from PIL import Image

from mmcrack.datasets.images import UnreadableImageError
from mmcrack.datasets.transforms import IgnoreOutsideFieldOfView


def write(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


@pytest.fixture
def results(tmp_path):
    """Labels of 6 x 8 with two rows of crack; the middle is seen."""
    fov = np.zeros((6, 8), np.uint8)
    fov[1:5, 2:6] = 1
    write(tmp_path / 'data/fov/train/21.png', fov)
    labels = np.zeros((6, 8), np.uint8)
    labels[1:3] = 1
    labels[3, 3] = 255
    return dict(
        img=np.full((6, 8, 3), 9, np.uint8),
        img_path=str(tmp_path / 'data/images/train/21.tif'),
        gt_seg_map=labels,
        seg_fields=['gt_seg_map'])


def test_labels_inside_stay_and_all_others_are_ignored(results):
    before = results['gt_seg_map'].copy()
    after = IgnoreOutsideFieldOfView()(results)
    labels = after['gt_seg_map']
    inside = np.zeros((6, 8), bool)
    inside[1:5, 2:6] = True
    assert np.array_equal(labels[inside], before[inside])
    assert (labels[~inside] == 255).all()
    assert [(labels == v).sum() for v in (0, 1, 255)] == [7, 8, 33]
    assert labels.dtype == np.uint8
    assert (after['img'] == 9).all()


@pytest.mark.parametrize('dtype', [np.uint8, np.int64])
def test_twice_is_once_in_any_type(results, dtype):
    results['gt_seg_map'] = results['gt_seg_map'].astype(dtype)
    fov = IgnoreOutsideFieldOfView()
    once = fov(dict(results))['gt_seg_map']
    twice = fov(fov(dict(results)))['gt_seg_map']
    assert np.array_equal(once, twice)
    assert once.dtype == dtype


def test_white_means_inside_too_and_backends_serve(results, tmp_path):
    fov = np.zeros((6, 8), np.uint8)
    fov[0] = 255
    write(tmp_path / 'data/fov/train/21.png', fov)
    transform = IgnoreOutsideFieldOfView(backend_args=dict(backend='local'))
    labels = transform(results)['gt_seg_map']
    assert (labels != 255).sum() == 8


def test_the_last_folder_of_the_name_counts(results, tmp_path):
    """images/x/images/y.png: only the inner one has a field of view."""
    write(tmp_path / 'images/set/roi/a.gif', np.full((6, 8), 255, np.uint8))
    results['img_path'] = str(tmp_path / 'images/set/images/a.png')
    transform = IgnoreOutsideFieldOfView(fov_folder='roi', suffix='.gif')
    before = results['gt_seg_map'].copy()
    assert np.array_equal(transform(results)['gt_seg_map'], before)
    results['img_path'] = str(tmp_path / 'pictures/a.png')
    with pytest.raises(ValueError, match="lies in no folder 'images', so its"):
        transform(results)


def test_missing_file_names_image_file_and_cure(results, tmp_path):
    (tmp_path / 'data/fov/train/21.png').unlink()
    with pytest.raises(FileNotFoundError, match=(
            r"^The image '.*images/train/21\.tif' has no field of view "
            r"'.*fov/train/21\.png': prepare the data with `python "
            r'tools/dataset_converters/drive\.py SOURCE OUT`')) as caught:
        IgnoreOutsideFieldOfView()(results)
    assert '\n' not in str(caught.value)


def test_bad_files(results, tmp_path):
    path = tmp_path / 'data/fov/train/21.png'
    transform = IgnoreOutsideFieldOfView()
    write(path, np.ones((8, 6), np.uint8))
    with pytest.raises(ValueError, match=(
            r'is 6 x 8 pixels .* but the labels are 8 x 6: give the mask')):
        transform(dict(results))
    write(path, np.zeros((6, 8), np.uint8))
    with pytest.raises(ValueError, match=r"fov/train/21\.png' is empty"):
        transform(dict(results))
    write(path, np.full((6, 8), 7, np.uint8))
    with pytest.raises(ValueError, match=r"21\.png' holds \{7\}"):
        transform(dict(results))
    path.write_bytes(b'no image')
    with pytest.raises(UnreadableImageError, match=(
            r"field of view '.*21\.png' cannot be decoded")):
        transform(dict(results))
    del results['gt_seg_map']
    with pytest.raises(ValueError, match='behind mmcrack.LoadCrackAnnot'):
        transform(results)


@pytest.mark.parametrize(('options', 'message'), [
    (dict(image_folder=''), "image_folder must be .* got ''"),
    (dict(fov_folder='a/b'), "fov_folder must be .* got 'a/b'"),
    (dict(fov_folder='images'), 'must differ'),
])
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        IgnoreOutsideFieldOfView(**options)
