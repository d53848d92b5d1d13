"""Pairs by name, and the list of what has none."""

import pytest

from mmcrack.datasets.pairing import as_suffixes, pair_folders, pair_names


def pair(images, masks, image_suffixes='.jpg', mask_suffixes='.png', **more):
    return pair_names(
        images,
        masks,
        image_suffixes=image_suffixes,
        mask_suffixes=mask_suffixes,
        **more)


def test_pairs_and_leftovers_add_up():
    out = pair(['b.JPG', 'a.jpg', 'c.jpg', 'notes.txt'],
               ['a.png', 'b.png', 'd.png', '.hidden.png'])
    assert [p.stem for p in out.pairs] == ['a', 'b']
    assert out.pairs[1] == ('b', 'b.JPG', 'b.png')
    assert out.images_without_mask == ('c.jpg', )
    assert out.masks_without_image == ('d.png', )


def test_subfolders_keep_stems_apart():
    out = pair(['x/1.jpg', 'y/1.jpg'], ['x/1.png', 'y/1.png'])
    assert [p.stem for p in out.pairs] == ['x/1', 'y/1']


def test_two_images_with_one_stem():
    with pytest.raises(ValueError, match=(
            r"Two images in 'images' have the stem 'a': 'a\.jpg' and "
            r"'a\.png'; remove one")):
        pair(['a.png', 'a.jpg'], [], image_suffixes=('.jpg', '.png'))


def test_one_folder():
    files = ['a.png', 'a_mask.png', 'b.png', 'b_mask.png']
    out = pair(files, files, '.png', '_mask.png', image_folder='f',
               mask_folder='f')
    assert [(p.image, p.mask) for p in out.pairs] == [
        ('a.png', 'a_mask.png'), ('b.png', 'b_mask.png')]
    assert not out.images_without_mask
    with pytest.raises(ValueError, match=r"both lie in 'f' and both may"):
        pair(files, files, '.png', '.png', image_folder='f', mask_folder='f')


def test_suffixes():
    assert as_suffixes(('.PNG', '_mask.png'), name='s') == ('_mask.png',
                                                            '.png')
    for bad in ((), '', ('.png', '')):
        with pytest.raises(ValueError, match='seg_map_suffix must name'):
            as_suffixes(bad, name='seg_map_suffix')
    with pytest.raises(TypeError, match='strings such as'):
        as_suffixes((1, ), name='s')


def test_folders(tmp_path):
    for name in ('images/q/a.jpg', 'masks/q/a.png', 'masks/b.png'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    options = dict(image_suffixes='.jpg', mask_suffixes='.png')
    out = pair_folders(tmp_path / 'images', tmp_path / 'masks', **options)
    assert [p.mask for p in out.pairs] == ['q/a.png']
    assert out.masks_without_image == ('b.png', )
    with pytest.raises(FileNotFoundError, match='no mask folder .*none'):
        pair_folders(tmp_path / 'images', tmp_path / 'none', **options)
