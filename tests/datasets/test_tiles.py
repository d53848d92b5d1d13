"""Where tiles lie, which are kept, and how they are split."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcrack.datasets.tiles import (
    Tile,
    cut,
    keep_tiles,
    split_by_shares,
    split_tiles,
    tile_starts,
)


def tile(photograph, number, crack, labelled=100):
    return Tile(photograph=photograph, top=number, left=0, crack=crack,
                labelled=labelled)


@pytest.mark.parametrize(('length', 'stride', 'border', 'count', 'last'), [
    # The photographs of CIRL, 7360 x 4912: 14 x 9 tiles of 512.
    (7360, 512, 'drop', 14, 6656), (4912, 512, 'drop', 9, 4096),
    (7360, 512, 'shift', 15, 6848), (4912, 512, 'shift', 10, 4400),
    (7360, 512, 'pad', 15, 7168), (4912, 512, 'pad', 10, 4608),
    (7360, 256, 'drop', 27, 6656), (7360, 256, 'shift', 28, 6848),
    (1024, 512, 'shift', 2, 512), (1024, 512, 'pad', 2, 512),
    (512, 512, 'drop', 1, 0), (300, 512, 'pad', 1, 0),
])
def test_pinned_positions(length, stride, border, count, last):
    starts = tile_starts(length, size=512, stride=stride, border=border)
    assert (len(starts), starts[0], starts[-1]) == (count, 0, last)


@given(length=st.integers(1, 200), size=st.integers(1, 60),
       stride=st.integers(1, 60), border=st.sampled_from(['drop', 'shift',
                                                          'pad']))
def test_laws_of_the_positions(length, size, stride, border):
    stride = min(stride, size)
    if length < size and border != 'pad':
        with pytest.raises(ValueError, match=f'{length} pixels is shorter'):
            tile_starts(length, size=size, stride=stride, border=border)
        return
    starts = tile_starts(length, size=size, stride=stride, border=border)
    steps = np.diff(starts)
    assert (steps[:-1] == stride).all()
    assert (0 < steps).all()
    assert (steps <= stride).all()
    end = starts[-1] + size
    if border == 'drop':
        assert length - stride < end <= length
    elif border == 'shift':
        assert end == length
    else:
        assert end >= length
        assert len(starts) == 1 or end - length < stride


def test_cut_pads_what_lies_beyond():
    image = np.arange(24, dtype=np.uint8).reshape(4, 6) + 1
    inside = cut(image, 1, 2, size=(2, 3), fill=0)
    np.testing.assert_array_equal(inside, image[1:3, 2:5])
    beyond = cut(image, 3, 4, size=(3, 3), fill=255)
    assert beyond.tolist() == [
        [23, 24, 255], [255, 255, 255], [255, 255, 255]]
    colour = cut(np.stack([image] * 3, 2), 3, 4, size=(3, 3), fill=0)
    assert colour.sum() == 3 * (23 + 24)


class TestKeep:
    tiles = [tile('a', i, crack=c) for i, c in enumerate(
        [0, 5, 0, 0, 2, 0, 9, 0])] + [tile('b', 0, crack=0, labelled=0)]

    def kept(self, keep, **options):
        options = dict(min_crack=1, seed=0) | options
        return keep_tiles(self.tiles, keep=keep, **options)

    def test_all_but_what_has_no_label(self):
        assert {t.stem for t in self.kept('all')} == {
            t.stem for t in self.tiles[:-1]}

    def test_crack(self):
        assert [t.crack for t in self.kept('crack')] == [5, 2, 9]
        assert [t.crack for t in self.kept('crack', min_crack=5)] == [5, 9]

    def test_balanced(self):
        assert [t.crack for t in self.kept('balanced')] == [5, 2, 9, 0, 0, 0]
        # A tile of 2 crack pixels is neither of the two kinds here.
        few = self.kept('balanced', min_crack=5)
        assert [t.crack for t in few] == [5, 9, 0, 0]
        one = {t.stem for t in self.kept('balanced', seed=1)}
        assert one == {t.stem for t in self.kept('balanced', seed=1)}
        choices = {tuple(t.stem for t in self.kept('balanced', seed=s))
                   for s in range(20)}
        assert len(choices) > 3

    def test_balanced_with_too_few_empty_ones(self):
        tiles = [tile('a', i, crack=i < 5) for i in range(7)]
        kept = keep_tiles(tiles, keep='balanced', min_crack=1, seed=0)
        assert sum(t.crack for t in kept) == 5
        assert len(kept) == 7


def test_shares_are_those_of_cirl():
    split_of = split_by_shares(
        [f'{n}' for n in range(2000)], [.9, .05, .05], seed=0)
    assert Counter(split_of.values()) == {
        'train': 1800, 'val': 100, 'test': 100}


def test_split_tiles_both_ways():
    tiles = [tile(f'{p}', i, crack=(i + p) % 2) for p in range(20)
             for i in range(10)]
    options = dict(shares=[.8, .1, .1], seed=0, choose=list)
    loose = split_tiles(tiles, split_of=None, **options)
    for split, number in (('train', 160), ('val', 20), ('test', 20)):
        # Those with crack and those without are split alike.
        assert Counter(t.crack for t in loose[split]) == {
            0: number // 2, 1: number // 2}
    split_of = split_by_shares(
        {t.photograph for t in tiles}, [.8, .1, .1], seed=0)
    whole = split_tiles(tiles, split_of=split_of, **options)
    for split, number in (('train', 16), ('val', 2), ('test', 2)):
        photographs = Counter(t.photograph for t in whole[split])
        assert list(photographs.values()) == [10] * number


def test_names_sort_by_place():
    found = [Tile(photograph='n/a', top=t, left=x, crack=0, labelled=1).stem
             for t, x in ((0, 0), (0, 512), (512, 0), (10240, 0))]
    assert found == sorted(found)
    assert found[1] == 'n_a_y00000_x00512'
