"""--fix mends what can be mended, says what it left out, keeps the source."""

import hashlib
import json

import cv2
import numpy as np
import pytest
from PIL import Image

from mmcrack.datasets.doctor.examination import examine
from mmcrack.datasets.doctor.mending import check_apart, mend
from mmcrack.datasets.doctor.sources import from_layout


def hashes(root):
    return {p.relative_to(root).as_posix(): hashlib.sha256(
        p.read_bytes()).hexdigest() for p in root.rglob('*') if p.is_file()}


def mended(planter, out):
    """Mends, checks that the source is as before; returns the manifest."""
    before = hashes(planter.root)
    manifest = mend(planter.examine(crops=True), out, overwrite=False)
    assert hashes(planter.root) == before
    assert json.loads((out / 'manifest.json').read_text()) == manifest
    return manifest


def read(out, kind, name):
    path, = (out / kind / name.split('/')[0]).glob(
        f'{name.split("/")[1]}.*')
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def test_encodings_turns_and_exif(planter, tmp_path):
    truth = {name: planter.mask(name) for name in planter.names}
    zero_255, inverted, three, palette, turned, stored, blurred = (
        planter.names[:7])
    planter.put_mask(zero_255, truth[zero_255] * 255)
    planter.put_mask(inverted, 1 - truth[inverted])
    planter.put_mask(three, cv2.merge([truth[three]] * 3))
    picture = Image.fromarray(truth[palette], 'P')
    picture.putpalette([0, 0, 0, 200, 30, 30])
    picture.save(planter.mask_path(palette))
    planter.turn_by_exif(turned)
    upright = cv2.imread(str(planter.image_path(turned)))
    planter.turn_by_exif(stored)
    planter.put_mask(stored, np.ascontiguousarray(np.rot90(truth[stored])))
    planter.put_mask(blurred, cv2.GaussianBlur(
        truth[blurred] * 255, (3, 3), 0))
    out = tmp_path / 'mended'
    manifest = mended(planter, out)
    assert manifest['left_out'] == []
    assert manifest['counts'] == {
        'train': len(planter.train), 'test': len(planter.test)}
    for name, mask in truth.items():
        found = read(out, 'masks', name)
        assert found.dtype == np.uint8
        assert found.shape == mask.shape
        if name == blurred:
            # A pixel of a 3 x 3 blur is > 127 by its neighbours' vote.
            assert np.abs(found.astype(int) - mask).mean() < 0.02
        else:
            assert np.array_equal(found, mask), name
    assert np.array_equal(read(out, 'images', turned), upright)
    again = examine(from_layout(out))
    assert [f.key for f in again.findings] == []


def test_what_cannot_be_used_is_left_out(planter, tmp_path):
    sizes, stray, cut, lone = planter.names[:4]
    planter.put_mask(sizes, planter.mask(sizes)[8:])
    mask = planter.mask(stray)
    mask[:4, :4] = 2
    planter.put_mask(stray, mask)
    path = planter.image_path(cut)
    path.write_bytes(path.read_bytes()[:2000])
    planter.mask_path(lone).unlink()
    out = tmp_path / 'mended'
    manifest = mended(planter, out)
    reasons = {e['source_id']: e['reason'] for e in manifest['left_out']}
    assert reasons == {
        sizes: 'image and mask differ in size',
        stray: 'nobody can tell what is crack in its mask ({0, 1, 2})',
        cut: 'cannot be read',
        lone: 'no mask'}
    assert sum(manifest['counts'].values()) == len(planter.names) - 4
    assert list(examine(from_layout(out)).findings) == []


def test_leaks_leave_train(planter, tmp_path):
    exact, flipped, twice = planter.train[:3]
    for source, target in ((exact, 'test/exact'), (twice, 'train/twice')):
        planter.put_image(target, planter.image(source))
        planter.put_mask(target, planter.mask(source))
    planter.put_image(
        'test/flipped.jpg', np.ascontiguousarray(planter.image(flipped)[::-1]),
        [cv2.IMWRITE_JPEG_QUALITY, 70])
    planter.put_mask('test/flipped',
                     np.ascontiguousarray(planter.mask(flipped)[::-1]))
    out = tmp_path / 'mended'
    manifest = mended(planter, out)
    reasons = {e['source_id']: e['reason'] for e in manifest['left_out']}
    kept, dropped = sorted((twice, 'train/twice'))
    assert set(reasons) == {exact, flipped, dropped}
    assert 'also in test' in reasons[exact]
    assert 'also in test' in reasons[flipped]
    assert reasons[dropped] == f'the same pixels as {kept}'
    assert manifest['counts']['test'] == len(planter.test) + 2
    assert list(examine(from_layout(out)).findings) == []


def test_a_shift_is_said_not_to_be_mended(planter, tmp_path):
    matrix = np.float32([[1, 0, 6], [0, 1, 4]])
    planter.each_mask(lambda m: cv2.warpAffine(
        m, matrix, m.shape[::-1], flags=cv2.INTER_NEAREST))
    manifest = mended(planter, tmp_path / 'mended')
    assert len(manifest['notes']) == 1
    assert manifest['notes'][0].startswith('not mended: all masks')
    assert '6 px to the left and 4 px up' in manifest['notes'][0]


@pytest.mark.parametrize('place', ['.', 'inside', '..'])
def test_the_original_is_never_written(generated_root, place):
    with pytest.raises(ValueError, match='must lie apart from the data'):
        check_apart(generated_root / place, [generated_root], '--fix')
