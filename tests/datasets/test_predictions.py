"""Folders of masks and probability maps, matched and read."""

import numpy as np
import pytest
from PIL import Image

from mmcrack.datasets.predictions import (
    TRUTH,
    Reading,
    check_probabilities,
    match_folders,
    read_case,
    read_probability,
)

TRUE = np.array([[0, 1, 1], [0, 0, 1]], np.uint8)
LEVELS = np.array([[0, 64, 127], [128, 200, 255]])


@pytest.fixture
def write(tmp_path):
    """Write a picture; returns its path."""

    def call(name, array, mode=None):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.asarray(array), mode).save(path)
        return path

    return call


def reading(**changes):
    options = dict(probabilities=False, threshold=.5, ignore_value=None,
                   inverted=(), valid='judged', variance='variance',
                   masks=('second', ), predictions=('prediction', ))
    return Reading(**{**options, **changes})


def matched(tmp_path, *roles, **options):
    folders = {TRUTH: tmp_path / 'gt',
               **{role: tmp_path / role for role in roles}}
    options = dict(dict(suffixes={}, two_way=('prediction', ),
                        allow_missing=False), **options)
    return match_folders(folders, **options)


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16, np.float32])
def test_probabilities_of_8_and_16_bits_and_floats(write, dtype):
    if dtype == np.float32:
        path = write('p.tif', (LEVELS / 255).astype(dtype))
    elif dtype == np.uint16:
        path = write('p.png', (LEVELS * 257).astype(dtype))
    else:
        path = write('p.png', LEVELS.astype(dtype))
    found = read_probability(path, size=(2, 3), of='gt.png')
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, LEVELS / 255, rtol=1e-6)


def test_three_equal_channels_are_one(write):
    path = write('p.png', np.repeat(
        LEVELS[..., None], 3, axis=2).astype(np.uint8))
    found = read_probability(path, size=(2, 3), of='gt.png')
    np.testing.assert_allclose(found, LEVELS / 255, rtol=1e-6)


def test_a_case_with_everything(tmp_path, write):
    write('gt/q/a.png', np.uint8([[0, 255, 255], [0, 7, 255]]))
    write('prediction/q/a.png', LEVELS.astype(np.uint8))
    write('second/q/a.bmp', TRUE * np.uint8(255))
    write('judged/q/a.png', np.uint8([[1, 1, 0], [1, 1, 1]]))
    write('variance/q/a.tif', np.float32(LEVELS))
    roles = ('prediction', 'second', 'judged', 'variance')
    case, = matched(tmp_path, *roles).cases
    assert case.name == 'q/a'
    found = read_case(case, reading(probabilities=True, ignore_value=7))
    one, two = found['prediction'], found['second']
    np.testing.assert_array_equal(one['target'], [[0, 1, 1], [0, 0, 1]])
    np.testing.assert_array_equal(
        one['valid'], [[True, True, False], [True, False, True]])
    # 127 / 255 is below a half.
    np.testing.assert_array_equal(one['pred'], [[0, 0, 0], [1, 1, 1]])
    assert one['prob'][1, 1] == np.float32(200 / 255)
    np.testing.assert_array_equal(one['variance'], LEVELS)
    assert one['name'] == 'q/a'
    np.testing.assert_array_equal(two['pred'], TRUE)
    assert two['prob'] is None


def test_zero_is_crack_where_asked(tmp_path, write):
    write('gt/a.png', 255 * (1 - TRUE))
    write('prediction/a.png', 1 - TRUE)
    case, = matched(tmp_path, 'prediction').cases
    found = read_case(case, reading(inverted=(TRUTH, )))['prediction']
    np.testing.assert_array_equal(found['target'], TRUE)
    np.testing.assert_array_equal(found['pred'], 1 - TRUE)
    found = read_case(case, reading(inverted=('prediction', )))
    np.testing.assert_array_equal(found['prediction']['pred'], TRUE)


def test_a_second_annotator_s_ignored_pixels_are_not_judged(
        tmp_path, write):
    write('gt/a.png', TRUE)
    write('prediction/a.png', TRUE)
    write('second/a.png', np.uint8([[255, 1, 1], [0, 0, 1]]))
    case, = matched(tmp_path, 'prediction', 'second').cases
    found = read_case(case, reading(ignore_value=255))
    assert found['prediction']['valid'] is None
    assert found['second']['valid'].tolist() == [[False, True, True],
                                                 [True] * 3]


def test_what_is_missing_is_an_error_or_left_out(tmp_path, write):
    for name in ('gt/a', 'gt/b', 'gt/c', 'prediction/a', 'prediction/d',
                 'judged/a', 'judged/b', 'judged/x'):
        write(f'{name}.png', TRUE)
    with pytest.raises(ValueError, match=(
            'partner of its name: 2 files of ground truth without prediction '
            r"\('b.png', 'c.png'\), 1 files of prediction without ground "
            r"truth \('d.png'\), 1 files of ground truth without judged "
            r"\('c.png'\); .* --allow-missing")):
        matched(tmp_path, 'prediction', 'judged')
    found = matched(tmp_path, 'prediction', 'judged', allow_missing=True)
    assert [case.name for case in found.cases] == ['a']
    assert found.missing['ground truth without prediction'] == (
        'b.png', 'c.png')


def test_endings_behind_the_common_name(tmp_path, write):
    write('gt/01_manual1.gif', TRUE * np.uint8(255))
    write('prediction/01_test.png', TRUE)
    case, = matched(tmp_path, 'prediction', suffixes={
        TRUTH: ['_manual1.gif'], 'prediction': ['_test.png']}).cases
    assert case.name == '01'
    with pytest.raises(ValueError, match="No prediction in .*'01_test' and "
                                         "'01_manual1'"):
        matched(tmp_path, 'prediction')


def test_a_folder_of_masks_is_no_folder_of_probabilities(tmp_path, write):
    write('gt/a.png', TRUE)
    write('gt/b.png', TRUE)
    write('prediction/a.png', TRUE)
    write('prediction/b.png', TRUE * 0)
    cases = matched(tmp_path, 'prediction').cases
    with pytest.raises(ValueError, match='hold only 0 and 1: they are masks'):
        check_probabilities(cases, 'prediction')
    # A quiet network: one map with more than 0 and 1 is enough.
    write('prediction/b.png', TRUE * np.uint8(9))
    check_probabilities(cases, 'prediction')
    write('prediction/b.png', TRUE.astype(bool))
    with pytest.raises(ValueError, match='they are masks'):
        check_probabilities(cases, 'prediction')


@pytest.mark.parametrize(('array', 'words'), [
    (np.float32([[0, .5, 1.5], [0, 0, 0]]), 'floats from 0 to 1.5, wanted '
     '0 to 1: put logits through'),
    (np.float32([[0, np.nan, 1], [0, 0, 0]]), 'values that are no numbers'),
    (np.zeros((2, 4), np.uint8), r'4 x 2 pixels \(w x h\) but .* is 3 x 2'),
    (np.int32([[0, 70000, 1], [0, 0, 0]]), 'mode I with no one number'),
    (np.arange(18, dtype=np.uint8).reshape(2, 3, 3), 'mode RGB with no one'),
])
def test_no_probability_map(write, array, words):
    path = write('p.tif', array)
    with pytest.raises(ValueError, match=words):
        read_probability(path, size=(2, 3), of='gt.png')


def test_a_grey_mask_is_told_about_prob(tmp_path, write):
    write('gt/a.png', TRUE)
    write('prediction/a.png', LEVELS.astype(np.uint8))
    case, = matched(tmp_path, 'prediction').cases
    with pytest.raises(ValueError, match='wanted {0, 1} or {0, 255}: .*; if '
                                         'it is a probability map, add '
                                         '--prob'):
        read_case(case, reading())
    Image.fromarray(LEVELS.astype(np.uint8)).resize((60, 40)).save(
        tmp_path / 'prediction/a.jpg')
    (tmp_path / 'prediction/a.png').unlink()
    write('gt/a.png', np.zeros((40, 60), np.uint8))
    case, = matched(tmp_path, 'prediction').cases
    with pytest.raises(ValueError, match='of its pixels in 32...223.*--prob'):
        read_case(case, reading())
