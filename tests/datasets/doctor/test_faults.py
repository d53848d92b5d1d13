"""Each of the 17 faults, planted in generated and in real photographs."""

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.morphology import skeletonize


def test_a_clean_set_has_no_finding(planter):
    examined = planter.examine(crops=True)
    assert list(examined.findings) == []
    assert not examined.grave


def test_01_masks_of_0_and_255(planter):
    planter.each_mask(lambda mask: mask * 255)
    assert planter.found('zero_255') == {'warning': tuple(planter.names)}


def test_01_a_manifest_makes_255_mean_no_label(planter):
    name = planter.train[0]
    planter.put_mask(name, planter.mask(name) * 255)
    (planter.root / 'manifest.json').write_text('{"format": 1}')
    assert planter.found('zero_255') == {'grave': (name,)}


def test_02_stray_values(planter):
    name = planter.train[1]
    mask = planter.mask(name)
    mask[:4, :4] = 2
    planter.put_mask(name, mask)
    finding, = planter.examine().findings
    assert (finding.key, finding.severity) == ('stray', 'grave')
    assert finding.entries[0].files == (name,)
    assert finding.entries[0].note == '{0, 1, 2}'


def test_03_jpeg_mask(planter):
    name = planter.test[0]
    mask = planter.mask(name) * 255
    planter.mask_path(name).unlink()
    path = planter.mask_path(name).with_suffix('.jpg')
    cv2.imwrite(str(path), mask, [cv2.IMWRITE_JPEG_QUALITY, 90])
    assert planter.found('lossy') == {'warning': (name,)}


def test_03_smoothly_resized_mask_in_a_lossless_file(planter):
    name = planter.test[0]
    mask = cv2.GaussianBlur(planter.mask(name) * 255, (3, 3), 0)
    planter.put_mask(name, mask)
    assert planter.found('lossy') == {'grave': (name,)}


def test_04_inverted_mask(planter):
    name = planter.train[2]
    planter.put_mask(name, 1 - planter.mask(name))
    examined = planter.examine()
    assert [f.key for f in examined.findings] == ['inverted']
    assert examined.findings[0].files == (name,)


def test_05_three_channels_and_a_palette(planter):
    three, palette = planter.train[0], planter.test[1]
    planter.put_mask(three, cv2.merge([planter.mask(three)] * 3))
    picture = Image.fromarray(planter.mask(palette), 'P')
    picture.putpalette([0, 0, 0, 200, 30, 30])
    picture.save(planter.mask_path(palette))
    assert planter.found('channels') == {
        'warning': tuple(sorted((three, palette)))}


def test_05_colours(planter):
    name = planter.train[0]
    planter.put_mask(
        name, planter.mask(name)[..., None] * np.uint8([77, 105, 84]))
    finding, = planter.examine().findings
    assert (finding.key, finding.severity) == ('channels', 'grave')
    assert '#000000, #54694d' in finding.entries[0].note


def test_06_sizes_that_differ(planter):
    name = planter.train[3]
    mask = planter.mask(name)
    planter.put_mask(name, mask[:, 8:])
    finding, = planter.examine().findings
    height, width = mask.shape
    assert (finding.key, finding.severity) == ('sizes', 'grave')
    assert finding.entries[0].note == (
        f'image {width} x {height}, mask {width - 8} x {height}')


def test_07_exif_with_a_mask_that_fits_upright(planter):
    name = planter.test[0]
    planter.turn_by_exif(name)
    assert planter.found('exif') == {'warning': (name,)}


def test_07_exif_with_a_mask_of_the_stored_pixels(planter):
    name = planter.test[0]
    planter.turn_by_exif(name)
    mask = np.rot90(planter.mask(name))
    planter.put_mask(name, np.ascontiguousarray(mask))
    examined = planter.examine()
    assert [f.key for f in examined.findings] == ['exif']
    assert examined.findings[0].severity == 'grave'


def test_08_without_partner(planter):
    planter.mask_path(planter.train[0]).unlink()
    planter.image_path(planter.test[0]).unlink()
    assert planter.found('unpaired') == {
        'warning': (planter.test[0], planter.train[0])}


def test_09_truncated_and_empty_files(planter):
    image, mask = planter.train[0], planter.test[0]
    path = planter.image_path(image)
    path.write_bytes(path.read_bytes()[:len(path.read_bytes()) // 2])
    planter.mask_path(mask).write_bytes(b'')
    assert planter.found('unreadable') == {'grave': (mask, image)}


def test_10_empty_mask(planter):
    name = planter.train[0]
    planter.put_mask(name, planter.mask(name) * 0)
    assert planter.found('empty') == {'note': (name,)}


def test_10_all_masks_empty(planter):
    planter.each_mask(lambda mask: mask * 0)
    assert planter.found('empty') == {'grave': tuple(planter.names)}


@pytest.mark.parametrize('border', [0, 8])
def test_11_nearly_full_mask(planter, border):
    name = planter.train[0]
    mask = np.zeros_like(planter.mask(name))
    mask[border:mask.shape[0] - border, border:mask.shape[1] - border] = 1
    planter.put_mask(name, mask)
    examined = planter.examine()
    assert [f.key for f in examined.findings] == ['full']
    assert examined.findings[0].files == (name,)


def test_12_lines_of_one_pixel(planter):
    planter.each_mask(lambda mask: skeletonize(mask > 0).astype(np.uint8))
    assert planter.found('lines') == {'warning': tuple(planter.names)}


def copy_pair(planter, source, target):
    planter.put_image(target, planter.image(source))
    planter.put_mask(target, planter.mask(source))


def test_13_exact_copy_across_splits(planter):
    # A JPEG stored again as PNG: other bytes, the same pixels.
    copy_pair(planter, planter.train[0], 'test/copy')
    assert planter.found('exact') == {
        'grave': ('test/copy', planter.train[0])}


def test_13_exact_copy_inside_a_split(planter):
    copy_pair(planter, planter.train[0], 'train/copy')
    assert planter.found('exact') == {
        'warning': tuple(sorted(('train/copy', planter.train[0])))}


@pytest.mark.parametrize('turn', [
    lambda a: a, lambda a: a[:, ::-1], lambda a: np.rot90(a),
    lambda a: a.swapaxes(0, 1)])
def test_14_the_same_picture_stored_again(planter, turn):
    name = planter.train[0]
    image = np.ascontiguousarray(turn(planter.image(name)))
    planter.put_image(
        'test/again.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, 60])
    planter.put_mask(
        'test/again', np.ascontiguousarray(turn(planter.mask(name))))
    examined = planter.examine(crops=True)
    assert [f.key for f in examined.findings] == ['similar']
    assert examined.findings[0].severity == 'grave'
    assert examined.findings[0].files == ('test/again', name)


def test_14_smaller_and_brighter(planter):
    name = planter.train[0]
    image = cv2.resize(planter.image(name), None, fx=0.6, fy=0.6,
                       interpolation=cv2.INTER_AREA)
    planter.put_image('test/again', cv2.convertScaleAbs(
        image, alpha=0.9, beta=20))
    planter.put_mask('test/again', np.ones(image.shape[:2], np.uint8) * 0)
    assert planter.found('similar') == {
        'grave': ('test/again', name)}


@pytest.mark.parametrize('turn', [
    lambda a: a, lambda a: a[::-1], lambda a: np.rot90(a, 3)])
def test_15_crops_of_one_photograph(planter, turn):
    name = planter.train[0]
    image, mask = planter.image(name), planter.mask(name)
    height, width = mask.shape
    for target, place in (
            ('train/left', np.s_[:height - 20, :2 * width // 3]),
            ('test/right', np.s_[20:, width // 4:])):
        change = turn if target == 'test/right' else lambda a: a
        planter.put_image(target, np.ascontiguousarray(change(image[place])))
        planter.put_mask(target, np.ascontiguousarray(change(mask[place])))
    planter.image_path(name).unlink()
    planter.mask_path(name).unlink()
    assert planter.found('crops', crops=True) == {
        'grave': ('test/right', 'train/left')}


def moved(mask, x, y):
    matrix = np.float32([[1, 0, x], [0, 1, y]])
    return cv2.warpAffine(mask, matrix, mask.shape[::-1],
                          flags=cv2.INTER_NEAREST)


@pytest.mark.parametrize(('x', 'y', 'words'), [
    (7, -5, 'a shift of 7 px to the left and 5 px down'),
    (-12, 0, 'a shift of 12 px to the right makes'),
    (0, 3, 'a shift of 3 px up makes')])
def test_16_all_masks_beside_the_crack(planter, x, y, words):
    planter.each_mask(lambda mask: moved(mask, x, y))
    finding, = (f for f in planter.examine().findings if f.key == 'shifted')
    assert finding.severity == 'grave'
    assert words in finding.summary


def test_16_one_mask_beside_the_crack(planter):
    name = planter.train[-1]
    planter.put_mask(name, moved(planter.mask(name), 9, 10))
    finding, = (f for f in planter.examine().findings if f.key == 'shifted')
    assert (finding.severity, finding.files) == ('warning', (name,))
    assert 'a shift of 9 px to the left and 10 px up' in (
        finding.entries[0].note)


def test_17_masks_much_wider_than_the_crack(planter):
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (17, 17))
    planter.each_mask(lambda mask: cv2.dilate(mask, kernel))
    finding, = (f for f in planter.examine().findings if f.key == 'wide')
    assert finding.severity == 'warning'
    # One or two labels may merge into a block without background.
    assert len(finding.files) >= len(planter.names) - 2
